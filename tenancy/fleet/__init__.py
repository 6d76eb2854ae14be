"""Brings all dealers' databases to the schema of this release: waves, a queue, a ledger."""
