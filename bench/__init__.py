"""The benchmark and its baselines; see `make bench`."""
