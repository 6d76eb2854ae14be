"""`helix empresa move`, `set-host`, `kept`, `drop-kept` and `abandon`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

import typer

from schema.errors import NotConfigured
from tenancy.empresas import Empresas
from tenancy.life import move as move_of
from tenancy.life import switch
from tenancy.life.abandon import abandon as abandon_of
from worker.cli.empresa_life import Confirm, EmpresaId, Patience, Plan, at_hand, confirmed
from worker.cli.output import Json, print_facts, print_rows, run
from worker.cli.tell import tell

Host = Annotated[str, typer.Option(help="The server.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Its port.")]


def move(
    empresa_id: EmpresaId,
    db_host: Host,
    db_port: Port = 3306,
    plan: Plan = False,
    patience_s: Patience = 60,
    as_json: Json = False,
) -> None:
    """Move a dealer's database to another server. Safe to repeat after an error or a kill.

    His events are accepted all the while and wait; the copy is compared before he is switched to
    it. The old database is kept, closed, until `drop-kept`.
    """

    async def work() -> dict[str, object]:
        async with at_hand(patience_s) as tools:
            if plan:
                found = await move_of.plan(tools, empresa_id, db_host, db_port)
                return found.model_dump(mode="json")
            done = await move_of.move(tools, empresa_id, db_host, db_port)
            return done.model_dump(mode="json")

    print_facts(run(work()), as_json=as_json)


def set_host(
    empresa_id: EmpresaId, db_host: Host, db_port: Port = 3306, as_json: Json = False
) -> None:
    """Say that a dealer's database server has another address. Safe to repeat.

    Nothing is copied: `move` does that. The address is taken only when the dealer's own user gets
    to the dealer's own database there.
    """

    async def work() -> dict[str, object]:
        async with at_hand() as tools:
            row, place = await tools.row(empresa_id), await tools.place(empresa_id)
            await switch.prove(tools, empresa_id, replace(place, host=db_host, port=db_port))
            row = await Empresas(tools.central).set_host(row, db_host, db_port)
        await tell(row.id, row.versao)
        server = f"{db_host}:{db_port}"
        return {"id": row.id, "status": row.status, "server": server, "versao": row.versao}

    print_facts(run(work()), as_json=as_json)


def kept(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """List the databases that moves and restores of a dealer left."""

    async def work() -> list[dict[str, object]]:
        async with at_hand() as tools:
            return [asdict(one) for one in await switch.kept(tools.central, empresa_id)]

    print_rows(run(work()), title=f"Kept of empresa {empresa_id}", as_json=as_json)


def drop_kept(
    empresa_id: EmpresaId,
    plan: Plan = False,
    confirm: Confirm = None,
    as_json: Json = False,
) -> None:
    """Drop the databases that moves and restores of a dealer left. Safe to repeat."""

    async def work() -> dict[str, object]:
        async with at_hand() as tools, tools.ledger.alone(empresa_id):
            left = await switch.kept(tools.central, empresa_id)
            names = [f"{one.database} on {one.host}:{one.port}" for one in left]
            if plan:
                return {"would_drop": names}
            await confirmed(tools, empresa_id, confirm)
            if await tools.ledger.open_one(empresa_id) is not None:
                raise NotConfigured(empresa_id, "something was begun on it: bring it to its end")
            current = await tools.place(empresa_id)
            await switch.drop_kept(tools, empresa_id, left, current=current)
            return {"dropped": names}

    print_facts(run(work()), as_json=as_json)


def abandon(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """Take back a backup, restore, move or deletion that was killed; he goes on where he was.

    Refused once there is no way back: then repeating its command brings it to its end.
    """

    async def work() -> dict[str, object]:
        async with at_hand() as tools:
            taken = await abandon_of(tools, empresa_id)
            row = await tools.row(empresa_id)
            return {"id": empresa_id, "taken_back": taken.kind.value, "status": row.status}

    print_facts(run(work()), as_json=as_json)
