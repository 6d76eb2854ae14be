"""Files that buyers send: fetched, looked at, kept; audio is heard."""
