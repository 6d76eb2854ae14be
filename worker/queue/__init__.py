"""The way through Redis: inboxes, rings, leases, dead letters. Knows nothing of databases."""
