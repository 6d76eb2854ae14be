"""A gateway without HTTP: it takes replies from a Redis stream and pushes its events itself."""
