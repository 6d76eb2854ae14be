"""`helix empresa`: dealers and their databases."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from redis.exceptions import RedisError

from schema.errors import TryAgain, UnknownEmpresa
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas, Profile
from tenancy.faults import CentralFaults
from tenancy.password import PasswordRotation, Rotated
from tenancy.provision import Adoption, Provisioner
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from worker.cli.empresa_backup import backup, backups, restore, verify_backup
from worker.cli.empresa_canary import canary
from worker.cli.empresa_delete import certificate, delete
from worker.cli.empresa_disable import disable, enable
from worker.cli.empresa_move import abandon, drop_kept, kept, move, set_host
from worker.cli.empresa_nightly import backup_due, backup_hour
from worker.cli.empresa_pause import pause, pause_facts, resume
from worker.cli.output import Json, note, print_facts, print_rows, run
from worker.cli.tell import client, tell
from worker.presence import Workers

PASSWORD_VARIABLE = "HELIX_TENANT_PASSWORD"  # noqa: S105 - the name of a variable

app = typer.Typer(help="Dealers and their databases.", no_args_is_help=True)

for command in (
    *(canary, pause, resume, disable, enable, set_host, move, kept, drop_kept, abandon),
    *(backup, backups, backup_due, backup_hour, verify_backup, restore, delete, certificate),
):
    app.command()(command)

Nome = Annotated[str, typer.Option(help="The dealer's name, as buyers read it.")]
Endereco = Annotated[str | None, typer.Option(help="Where the store is.")]
Telefone = Annotated[str | None, typer.Option(help="The store's telephone.")]
Horario = Annotated[str | None, typer.Option(help="Opening hours, as buyers read them.")]


@app.command()
def create(
    nome: Nome,
    empresa_id: Annotated[
        int | None, typer.Option("--id", min=1, help="Default: the next free one.")
    ] = None,
    endereco: Endereco = None,
    telefone: Telefone = None,
    horario: Horario = None,
    db_host: Annotated[str | None, typer.Option(help="Server; default: DB_HOST.")] = None,
    db_port: Annotated[int | None, typer.Option(help="Default: DB_PORT.")] = None,
    as_json: Json = False,
) -> None:
    """Create a dealer with a database and a user of its own. Safe to repeat after an error."""
    profile = Profile(nome=nome, endereco=endereco, telefone=telefone, horario=horario)
    provisioner = Provisioner(_settings(), report=note)
    row = run(_told(provisioner.create(empresa_id, profile, host=db_host, port=db_port)))
    print_facts(_facts(row), as_json=as_json)


@app.command()
def adopt(
    empresa_id: Annotated[int, typer.Option("--id", min=1, help="The empresa's id.")],
    nome: Nome,
    db_name: Annotated[str, typer.Option(help="The database that is there.")],
    db_user: Annotated[str, typer.Option(help="A user who may change its tables.")],
    db_host: Annotated[str, typer.Option(help="Its server.")] = "localhost",
    db_port: Annotated[int, typer.Option(help="Its port.")] = 3306,
    endereco: Endereco = None,
    telefone: Telefone = None,
    horario: Horario = None,
    as_json: Json = False,
) -> None:
    """Take over an existing database; its tables and rows stay as they are.

    The password is read from HELIX_TENANT_PASSWORD, or asked for.
    """
    profile = Profile(nome=nome, endereco=endereco, telefone=telefone, horario=horario)
    adoption = Adoption(
        host=db_host, port=db_port, database=db_name, user=db_user, password=_password(db_user)
    )
    provisioner = Provisioner(_settings(), report=note)
    row = run(_told(provisioner.adopt(empresa_id, profile, adoption)))
    print_facts(_facts(row), as_json=as_json)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List all dealers."""
    rows = run(_all(_settings()))
    columns = ("id", "nome", "status", "pause_reason", "bot_ativo", "database", "server")
    facts = [{name: _facts(row)[name] for name in columns} for row in rows]
    print_rows(facts, title="Empresas", as_json=as_json)


@app.command()
def show(empresa_id: Annotated[int, typer.Argument(min=1)], as_json: Json = False) -> None:
    """Show one dealer."""
    row = run(_one(_settings(), empresa_id))
    print_facts(_facts(row), as_json=as_json)


@app.command()
def rotate_password(
    empresa_id: Annotated[int, typer.Argument(min=1)],
    patience_s: Annotated[
        float, typer.Option(min=1, help="How long to wait for the processes to change over.")
    ] = 120,
    as_json: Json = False,
) -> None:
    """Give a dealer's database user a new password while everything runs. Safe to repeat.

    Old and new password open until every process uses the new one; then the old one is dropped and
    sessions that it had opened are ended. No one ever sees either password.
    """
    done = run(_rotate(_settings(), empresa_id, patience_s))
    print_facts(
        {"id": empresa_id, "versao": done.versao, "sessions_ended": done.ended}, as_json=as_json
    )


def _settings() -> TenancySettings:
    return TenancySettings()


def _password(user: str) -> SecretStr:
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return SecretStr(given)
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"put the password of {user} into {PASSWORD_VARIABLE}")
    return SecretStr(typer.prompt(f"Password of {user}", hide_input=True, err=True))


async def _rotate(settings: TenancySettings, empresa_id: int, patience_s: float) -> Rotated:
    async with client() as redis:
        rotation = PasswordRotation(settings, Workers(redis), patience_s=patience_s, report=note)
        try:
            return await rotation.run(empresa_id)
        except RedisError as error:
            raise TryAgain("Redis does not answer: nobody knows which processes run") from error


async def _told(work: Coroutine[Any, Any, EmpresaRow]) -> EmpresaRow:
    row = await work
    await tell(row.id, row.versao)
    return row


async def _all(settings: TenancySettings) -> list[EmpresaRow]:
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        return await Empresas(conn).all()


async def _one(settings: TenancySettings, empresa_id: int) -> EmpresaRow:
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        row = await Empresas(conn).get(empresa_id)
    if row is None:
        raise UnknownEmpresa(empresa_id)
    return row


def _facts(row: EmpresaRow) -> dict[str, object]:
    place = row.place
    return {
        "id": row.id,
        "nome": row.nome,
        "endereco": row.endereco,
        "telefone": row.telefone,
        "horario": row.horario,
        "status": row.status,
        **pause_facts(row),
        "bot_ativo": row.bot_ativo,
        "canary": row.canary,
        "versao": row.versao,
        "database": row.db_name,
        "user": None if place is None else place.user,
        "server": None if place is None else f"{place.host}:{place.port}",
    }
