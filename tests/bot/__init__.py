"""Promises of Lucas, each with a test that names it."""
