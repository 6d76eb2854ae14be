"""`helix host`: database servers, made safe for dealers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import SecretStr
from redis.exceptions import RedisError

from schema.errors import NotMigrated, ServerRefused
from tenancy.admin import admin_target
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import Empresas, Place
from tenancy.faults import CentralFaults
from tenancy.migrate import migrate_central
from tenancy.server_setup import ServerSetup
from tenancy.server_steps import State, Step
from tenancy.servers import Account, ServerRow, Servers
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target
from worker.cli.output import Json, note, print_facts, print_json, print_rows, run
from worker.cli.tell import client
from worker.presence import Workers

PASSWORD_VARIABLE = "HELIX_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable

app = typer.Typer(help="Database servers.", no_args_is_help=True)

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
_PORT = 3306
_SIGNS = {
    State.OK: "ok",
    State.DONE: "done",
    State.WOULD: "would",
    State.ASK: "ASK",
    State.CONFIGURE: "SET",
}

Address = Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="As `empresas.db_host` is.")]


@app.command()
def setup(
    address: Address,
    admin_user: Annotated[
        str | None,
        typer.Option(
            help=f"Who may do this; the password is read from {PASSWORD_VARIABLE}, or asked for. "
            "Default: PROVISION_DB_USER, else DB_USER."
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Change nothing, say what would.")] = False,
    as_json: Json = False,
) -> None:
    """Make a database server safe: no open doors, three accounts, settings. Safe to repeat.

    Exit code 1: something is left that we may not do, each with what has to be done.
    """
    host, port = place_of(address)
    settings = TenancySettings()
    admin = _admin(settings, host, port, admin_user)
    steps = run(_setup(settings, admin, plan=plan, quiet=as_json))
    if as_json:
        print_json({"host": host, "port": port, "steps": [_facts(step) for step in steps]})
    if any(step.state.is_open for step in steps):
        raise typer.Exit(1)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the servers that hold dealers or were made ready."""
    print_rows(run(_listed(TenancySettings())), title="Servers", as_json=as_json)


@app.command()
def show(address: Address, as_json: Json = False) -> None:
    """Show one server: its accounts (never their passwords) and its dealers."""
    host, port = place_of(address)
    for row in run(_listed(TenancySettings(), ids=True)):
        if (row["host"], row["port"]) == (host, port):
            print_facts(row, as_json=as_json)
            return
    raise ServerRefused(host, port, "no dealer lives there and it was never set up")


async def _setup(
    settings: TenancySettings, admin: Target, *, plan: bool, quiet: bool
) -> Sequence[Step]:
    if not plan:  # of a new installation nothing is there yet
        await migrate_central(settings)
    made = ServerSetup(
        settings,
        admin,
        plan=plan,
        dealers=await _dealers(settings, admin.address),
        workers=await _workers(),
        report=(lambda _step: None) if quiet else _tell,
    )
    return await made.run()


async def _dealers(settings: TenancySettings, address: tuple[str, int]) -> int:
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        try:
            rows = await Empresas(conn).all()
        except NotMigrated:
            return 0  # the first command of a new installation
    return sum(row.place is not None and _address(row.place) == address for row in rows)


async def _workers() -> int:
    """Processes that run now and may open connections there; at least one will."""
    try:
        async with client() as redis:
            return max(1, len(await Workers(redis).names()))
    except RedisError as error:
        note(f"Redis does not answer ({type(error).__name__}): one worker is assumed")
        return 1


async def _listed(settings: TenancySettings, *, ids: bool = False) -> list[dict[str, object]]:
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        servers = Servers(conn)
        known = {(row.host, row.port): row for row in await servers.all()}
        accounts = await servers.accounts()
        homes: dict[tuple[str, int], list[int]] = {}
        for row in await Empresas(conn).all():
            if row.place is not None:
                homes.setdefault(_address(row.place), []).append(row.id)
    return [
        _server(address, known.get(address), accounts, homes.get(address, []), ids=ids)
        for address in sorted(known.keys() | homes.keys())
    ]


def _server(
    address: tuple[str, int],
    row: ServerRow | None,
    accounts: Sequence[Account],
    dealers: Sequence[int],
    *,
    ids: bool,
) -> dict[str, object]:
    there = [one.user for one in accounts if (one.host, one.port) == address]
    facts: dict[str, object] = {
        "host": address[0],
        "port": address[1],
        "version": None if row is None else row.version,
        "ready_at": None if row is None else row.ready_at,
        "accounts": ", ".join(sorted(there)) or None,
        "dealers": len(dealers),
    }
    return {**facts, "empresas": ", ".join(map(str, dealers)) or None} if ids else facts


def _address(place: Place) -> tuple[str, int]:
    return place.host, place.port


def place_of(address: str) -> tuple[str, int]:
    """Host and port of an argument. Raises BadParameter."""
    found = _ADDRESS.fullmatch(address)
    port = int(found["port"] or _PORT) if found else 0
    if found is None or not 1 <= port <= 65_535:
        raise typer.BadParameter(f"{address!r} is no HOST[:PORT]")
    return found["host"].strip("[]"), port


def _admin(settings: TenancySettings, host: str, port: int, user: str | None) -> Target:
    if user is None:
        return admin_target(settings, host, port, None)
    given = os.environ.get(PASSWORD_VARIABLE)
    if not given:
        if not sys.stdin.isatty():
            raise typer.BadParameter(f"put the password of {user} into {PASSWORD_VARIABLE}")
        given = typer.prompt(f"Password of {user}", hide_input=True, err=True)
    return Target(host=host, port=port, user=user, password=SecretStr(given), database=None)


def _tell(step: Step) -> None:
    sys.stdout.write(f"{_SIGNS[step.state]:<5}  {step.name}: {step.what}\n")
    for sign, text in (("because", step.why), ("->", step.do)):
        if text and step.state is not State.OK:
            sys.stdout.write(f"       {sign} {text}\n")


def _facts(step: Step) -> dict[str, object]:
    return {
        "name": step.name,
        "state": step.state.value,
        "what": step.what,
        "why": step.why,
        "do": step.do,
        "danger": step.is_bad,
    }
