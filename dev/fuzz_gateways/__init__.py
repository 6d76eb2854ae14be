"""Throws damaged webhook bodies at the gateways' parsers. `make fuzz-gateways`."""
