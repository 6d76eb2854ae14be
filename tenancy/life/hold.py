"""Holds a dealer's work while his database is changed. Used by move, restore and deletion.

Held is paused: his events go on being accepted and wait on the inbox, nothing of them is lost.
Whom a person paused stays paused afterwards.
"""

from __future__ import annotations

import asyncio

from schema.errors import TryAgain
from tenancy.life.ledger import Facts, Operation
from tenancy.life.tools import Tools

_HOLD = """
    UPDATE empresas
       SET status = 'pausado', pausa_motivo = %(reason)s, pausada_em = UTC_TIMESTAMP(3),
           versao = versao + 1
     WHERE id = %(id)s AND status = 'ativo'
"""
_RELEASE = """
    UPDATE empresas
       SET status = 'ativo', pausa_motivo = NULL, pausada_em = NULL, versao = versao + 1
     WHERE id = %(id)s AND status = 'pausado' AND pausa_motivo = %(reason)s
"""
_MARK = "UPDATE operacoes_empresa SET segura = %(held)s WHERE id = %(id)s"
_TELL_EVERY_S = 2.0
_LOOK_EVERY_S = 0.05


class Held(Facts):
    """The dealer is paused; `versao` is that of his row by then."""

    versao: int


class Quiet(Facts):
    """No process works for the dealer."""


async def hold(tools: Tools, operation: Operation) -> Held:
    """Pauses a dealer who is served, so that only this operation resumes him."""
    await tools.central.execute(_MARK, {"id": operation.id, "held": 1})
    await tools.central.execute(_HOLD, _values(operation))
    row = await tools.row(operation.empresa_id)
    tools.report("held: what comes waits on the inbox")
    return Held(versao=row.versao)


async def release(tools: Tools, operation: Operation) -> int:
    """Resumes whom `hold` paused, and tells all processes. Returns the row's version."""
    await tools.central.execute(_RELEASE, _values(operation))
    await tools.central.execute(_MARK, {"id": operation.id, "held": 0})
    row = await tools.row(operation.empresa_id)
    await tools.processes.announce(operation.empresa_id, row.versao)
    tools.report(f"status: {row.status}")
    return row.versao


async def wait_until_quiet(tools: Tools, empresa_id: int, versao: int) -> Quiet:
    """Until every process has heard of the version and nothing is being done. Raises TryAgain."""
    loop = asyncio.get_running_loop()
    until, tell_at = loop.time() + tools.patience_s, loop.time()
    while True:
        if loop.time() >= tell_at:
            await tools.processes.announce(empresa_id, versao)
            tell_at = loop.time() + _TELL_EVERY_S
        missing = await tools.processes.missing(empresa_id, versao)
        # In this order: who has heard of it begins nothing new.
        busy = [] if missing else await tools.processes.busy(empresa_id)
        if not missing and not busy:
            tools.report("no process works for it")
            return Quiet()
        if loop.time() >= until:
            raise TryAgain(f"still at work for empresa {empresa_id}: {', '.join(missing or busy)}")
        await asyncio.sleep(_LOOK_EVERY_S)


def _values(operation: Operation) -> dict[str, object]:
    return {
        "id": operation.empresa_id,
        "reason": f"{operation.kind} under way (operation {operation.id})",
    }
