"""The demo: `python -m dev.demo`, what `make demo` calls."""
