"""The command line `helix`. Started by `python -m worker` and by the script `helix`."""

from worker.cli.app import main

__all__ = ["main"]
