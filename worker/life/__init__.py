"""What `tenancy.life` needs to know of Redis, files and running processes."""
