"""`helix empresa pause` and `resume`: stops and starts all work for one dealer."""

from __future__ import annotations

from typing import Annotated

import typer
from redis.exceptions import RedisError

from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.faults import CentralFaults
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from worker.cli.output import Json, note, print_facts, run
from worker.cli.tell import client, tell
from worker.queue.keys import inbox

EmpresaId = Annotated[int, typer.Argument(min=1)]


def pause(
    empresa_id: EmpresaId,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks at it.")],
    as_json: Json = False,
) -> None:
    """Stop all work for a dealer: what comes is kept, nothing is answered, sent or reminded of.

    Safe to repeat; the newest reason stands. What is being sent at this moment is brought to its
    end.
    """
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    print_facts(run(_change(empresa_id, reason.strip()[:500])), as_json=as_json)


def resume(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """Work for a paused dealer again: what waited is stored and answered now. Safe to repeat."""
    print_facts(run(_change(empresa_id, None)), as_json=as_json)


async def _change(empresa_id: int, reason: str | None) -> dict[str, object]:
    """`reason`: None to resume."""
    settings = TenancySettings()
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        empresas = Empresas(conn)
        if reason is None:
            row = await empresas.resume(empresa_id)
        else:
            row = await empresas.pause(empresa_id, reason)
    await tell(row.id, row.versao)
    return {
        "id": row.id,
        "nome": row.nome,
        "status": row.status,
        **pause_facts(row),
        "events_on_the_inbox": await _waiting(empresa_id),
    }


def pause_facts(row: EmpresaRow) -> dict[str, object]:
    """Since when and why it is paused."""
    return {"paused_since_utc": row.paused_at, "pause_reason": row.pause_reason}


async def _waiting(empresa_id: int) -> int | None:
    try:
        async with client() as redis:
            return int(await redis.xlen(inbox(empresa_id)))
    except RedisError as error:
        note(f"what waits in Redis is not known: {type(error).__name__}")
        return None
