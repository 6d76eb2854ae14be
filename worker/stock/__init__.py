"""A dealer's cars from a file or an address: read, planned, stored as a whole, written down."""
