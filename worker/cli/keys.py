"""`helix keys`: the keys that seal the registry's secrets."""

from __future__ import annotations

import typer

from tenancy.keyring import new_key
from tenancy.reseal import reseal_all
from tenancy.settings import TenancySettings
from worker.cli.output import Json, note, print_facts, print_json, run, say

app = typer.Typer(help="Keys of the stored secrets.", no_args_is_help=True)

_REMAINS = 1


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


@app.command()
def rotate(as_json: Json = False) -> None:
    """Seal every stored secret anew with the first key of TENANCY_KEYS. Safe to repeat.

    First restart all processes with the new key in their list. An older key may be removed from it
    once nothing needs it any more; until then the exit code is 1.
    """
    done = run(reseal_all(TenancySettings()))
    if as_json:
        print_json(
            {
                "newest": done.newest,
                "resealed": done.resealed,
                "per_key": done.per_key,
                "remaining": done.remaining,
                "unreadable": done.unreadable,
            }
        )
    else:
        counts = {f"key {key}": count for key, count in sorted(done.per_key.items())}
        print_facts({"newest": done.newest, "sealed anew": done.resealed, **counts}, as_json=False)
        for reason in done.unreadable:
            note(reason)
        say("older keys may be removed" if not done.remaining else f"{done.remaining} remain")
    if done.remaining:
        raise typer.Exit(_REMAINS)
