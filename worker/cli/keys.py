"""`helix keys`: the keys that seal the registry's secrets."""

from __future__ import annotations

import typer

from tenancy.keyring import new_key
from worker.cli.output import Json, print_json, say

app = typer.Typer(help="Keys of the stored secrets.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keys of the stored secrets."""


@app.command()
def new(as_json: Json = False) -> None:
    """Print a new key for TENANCY_KEYS. Put it first in the list; keep the old ones behind it."""
    key = new_key()
    if as_json:
        print_json({"key": key})
    else:
        say(key)
