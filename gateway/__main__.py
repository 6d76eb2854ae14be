"""`python -m gateway normalise GATEWAY FILE...`: what webhook bodies become, one line a file.

For trying a body out and for comparing with gateways written in other languages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from gateway.adapters import ADAPTERS
from gateway.errors import NotJson
from gateway.json import loads

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def main() -> None:
    """Tools around the gateways."""


@app.command()
def normalise(
    gateway: Annotated[str, typer.Argument(help=f"One of: {', '.join(ADAPTERS)}.")],
    files: Annotated[list[Path], typer.Argument(help="Webhook bodies as JSON.")],
) -> None:
    """Print the canonical events of each file as one line of JSON."""
    adapter = ADAPTERS.get(gateway)
    if adapter is None:
        raise typer.BadParameter(f"no gateway {gateway!r}; there are {', '.join(ADAPTERS)}")
    for file in files:
        try:
            events = [event.canonical() for event in adapter.parse(loads(file.read_bytes()))]
        except (OSError, NotJson) as error:
            typer.echo(f"{file}: {error}", err=True)
            raise typer.Exit(1) from error
        sys.stdout.buffer.write(orjson.dumps({"file": file.name, "events": events}) + b"\n")


if __name__ == "__main__":
    app()
