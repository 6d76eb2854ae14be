"""What a developer's machine needs around the product: private servers, demo, terminal chat."""
