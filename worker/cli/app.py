"""Puts the commands together and turns errors into exit codes. Called by `helix`.

Exit codes: 0 done; 1 failed, a person must change something; 2 wrong usage or settings; 3 something
around us is down, try later. What people should read of an error goes to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console

from schema.errors import HelixError, Transient
from worker.cli import (
    channel,
    dead,
    empresa,
    keys,
    lucas,
    message,
    migrate,
    pools,
    processes,
    stock,
)

OK, FAILED, USAGE, TRY_LATER = 0, 1, 2, 3


def build() -> typer.Typer:
    """All commands. Each module brings either a group of its own or plain commands."""
    app = typer.Typer(
        name="helix",
        help="WhatsApp sales for car dealers: dealers, channels, stock, processes.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # its tracebacks would show local values, secrets too
    )
    app.add_typer(empresa.app, name="empresa")
    app.add_typer(channel.app, name="channel")
    app.add_typer(stock.app, name="stock")
    app.add_typer(dead.app, name="dead")
    app.add_typer(lucas.app, name="lucas")
    app.add_typer(message.app, name="message")
    app.add_typer(keys.app, name="keys")
    app.command(name="migrate")(migrate.migrate)
    app.command(name="pools")(pools.pools)
    app.command(name="web")(processes.web)
    app.command(name="worker")(processes.worker)
    return app


def main(args: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    command = typer.main.get_command(build())
    try:
        command(args=args, prog_name="helix")
    except SystemExit as end:  # typer ends this way, also after --help and after wrong usage
        return end.code if isinstance(end.code, int) else OK
    except ValidationError as error:
        _say(_settings(error))
        return USAGE
    except HelixError as error:
        _say(str(error))
        return TRY_LATER if isinstance(error, Transient) else FAILED
    return OK


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, style="red", markup=False, soft_wrap=True)


def _settings(error: ValidationError) -> str:
    """The settings that are wrong, by their names in the environment, without their values."""
    lines = [
        f"  {'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return "\n".join(["These settings (environment variables) are missing or wrong:", *lines])
