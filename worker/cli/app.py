"""Puts the commands together and turns errors into exit codes. Called by `helix`.

Exit codes: 0 done; 1 failed, a person must change something; 2 wrong usage or settings; 3 something
around us is down, try later. What people should read of an error goes to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import structlog
import typer
from pydantic import ValidationError
from rich.console import Console

from schema.errors import HelixError, Transient

OK, FAILED, USAGE, TRY_LATER = 0, 1, 2, 3


_GROUPS = (
    "empresa", "host", "channel", "stock", "dead", "lucas", "message", "keys", "lgpd",
)  # fmt: skip
"""Modules beside this one, each with a group of commands."""
_COMMANDS = {
    "doctor": "doctor",
    "migrate": "migrate",
    "pools": "pools",
    "status": "status",
    "web": "processes",
    "worker": "processes",
}
"""Plain commands, and the modules that they are functions of."""


def build(only: str | None = None) -> typer.Typer:
    """All commands, or `only` that one: a command does not wait for the modules of the others."""
    app = typer.Typer(
        name="helix",
        help="WhatsApp sales for car dealers: dealers, channels, stock, processes.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # its tracebacks would show local values, secrets too
    )
    if only not in (*_GROUPS, *_COMMANDS):
        only = None
    for name in _GROUPS:
        if only in (None, name):
            app.add_typer(import_module(f"worker.cli.{name}").app, name=name)
    for name, module in _COMMANDS.items():
        if only in (None, name):
            app.command(name=name)(getattr(import_module(f"worker.cli.{module}"), name))
    if only is not None:  # a single command would become the whole program
        app.callback()(_nothing_else)
    return app


def _nothing_else() -> None:
    """WhatsApp sales for car dealers: dealers, channels, stock, processes."""


def main(args: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit code."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    given = sys.argv[1:] if args is None else args
    command = typer.main.get_command(build(given[0] if given else None))
    try:
        command(args=given, prog_name="helix")
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
