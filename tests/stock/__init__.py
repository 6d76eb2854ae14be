"""Tests of `worker.stock`: reading, planning, storing and watching a dealer's stock."""
