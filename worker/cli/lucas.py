"""`helix lucas`: a dealer's settings of his Lucas (`lucas_ajustes`), and a talk's funnel."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.profile import ALLOWED, BadSetting, Profile, as_told, checked, read_profile
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.cli.output import Json, note, print_facts, print_rows, run
from worker.cli.tell import tell

app = typer.Typer(help="A dealer's settings of Lucas.", no_args_is_help=True)

_READ = "SELECT nome, valor FROM lucas_ajustes ORDER BY nome"
_SET = """
    INSERT INTO lucas_ajustes (nome, valor) VALUES (%(name)s, %(value)s)
        ON DUPLICATE KEY UPDATE valor = %(value)s
"""
_UNSET = "DELETE FROM lucas_ajustes WHERE nome = %(name)s"
_FUNNEL = """
    SELECT em AS `at`, de AS `from`, para AS `to`, quem AS who, porque AS why, turno AS turn
      FROM historico_status WHERE conversation_id = %(conversation)s ORDER BY id
"""

Empresa = Annotated[int, typer.Option(min=1, help="Whose Lucas.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `helix lucas show` lists it.")]


@app.command()
def show(empresa: Empresa, as_json: Json = False) -> None:
    """List all settings: what holds, the default, what is set, what is allowed."""
    rows = run(_stored(empresa))
    print_rows(_listed(rows), title=f"Lucas of empresa {empresa}", as_json=as_json)


@app.command(name="set")
def set_(
    empresa: Empresa,
    name: Name,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Yes and no are sim and não.")],
    as_json: Json = False,
) -> None:
    """Set one. It holds for the next turn; running workers are told."""
    try:
        row = checked(name, value)
    except BadSetting as error:
        raise typer.BadParameter(str(error)) from error
    run(_write(empresa, _SET, {"name": name, "value": row}))
    print_facts({"empresa": empresa, "name": name, "value": row}, as_json=as_json)


@app.command()
def unset(empresa: Empresa, name: Name, as_json: Json = False) -> None:
    """Go back to the default. A row whose name Lucas does not know is removed too."""
    if not run(_write(empresa, _UNSET, {"name": name})):
        if name not in ALLOWED:
            raise typer.BadParameter(f"there is no setting {name!r}: {', '.join(ALLOWED)}")
        note(f"{name} was not set")
    print_facts({"empresa": empresa, "name": name, "value": _default(name)}, as_json=as_json)


@app.command()
def funnel(
    empresa: Empresa,
    conversation: Annotated[int, typer.Option(min=1, help="`conversations.id`.")],
    as_json: Json = False,
) -> None:
    """How a conversation's status moved: when (UTC), by whom and why."""
    rows = run(_moves(empresa, conversation))
    print_rows(rows, title=f"Funnel of conversation {conversation}", as_json=as_json)


async def _moves(empresa_id: int, conversation: int) -> list[dict[str, object]]:
    async with (
        open_tenancy(TenancySettings()) as tenancy,
        tenancy.pools.connection(empresa_id) as conn,
    ):
        return await conn.fetch_dicts(_FUNNEL, {"conversation": conversation})


async def _stored(empresa_id: int) -> dict[str, str | None]:
    async with (
        open_tenancy(TenancySettings()) as tenancy,
        tenancy.pools.connection(empresa_id) as conn,
    ):
        return {str(name): value for name, value in await conn.fetch_all(_READ)}


async def _write(empresa_id: int, sql: str, params: dict[str, str]) -> int:
    """How many rows it changed."""
    async with (
        open_tenancy(TenancySettings()) as tenancy,
        tenancy.pools.transaction(empresa_id) as conn,
    ):
        changed = await conn.execute(sql, params)
    await tell(empresa_id)
    return changed


def _listed(rows: dict[str, str | None]) -> list[dict[str, object]]:
    profile, bad = read_profile(rows)
    known: list[dict[str, object]] = [
        {
            "name": name,
            "value": as_told(getattr(profile, name)),
            "default": _default(name),
            "set": rows.get(name) is not None,
            "problem": f"{rows[name]!r} is not understood" if name in bad else None,
            "allowed": allowed,
        }
        for name, allowed in ALLOWED.items()
    ]
    unknown: list[dict[str, object]] = [
        {"name": name, "value": None, "default": None, "set": True,
         "problem": "no such setting: unset it", "allowed": None}
        for name in rows if name not in ALLOWED
    ]  # fmt: skip
    return [*known, *unknown]


def _default(name: str) -> str | None:
    field = Profile.model_fields.get(name)
    return None if field is None else as_told(field.default)
