"""Moves our messages up the ladder of delivery as gateways report it. Called by the drain.

A status may come twice, out of order, or before the answer to our own send: it only ever climbs.
"""

from __future__ import annotations

from collections.abc import Sequence

from schema.events import DeliveryStatus, Event
from tenancy.lease import TenantConnection

_LADDER = ("pendente", "enviando", "enviada", "entregue", "lida")
_STEP = {
    DeliveryStatus.SENT: "enviada",
    DeliveryStatus.DELIVERED: "entregue",
    DeliveryStatus.READ: "lida",
    DeliveryStatus.PLAYED: "lida",
}
_FAILED = "falhou"

# `falhou` only comes over what is not yet delivered.
_CLIMB = """
    UPDATE mensagens
       SET status = %(status)s, erro = COALESCE(%(error)s, erro),
           external_id = COALESCE(external_id, %(external_id)s)
     WHERE canal_id = %(channel)s AND tipo = 'enviada'
       AND (external_id = %(external_id)s OR (id = %(row)s AND external_id IS NULL))
       AND status IN %(from)s
"""


async def climb(
    conn: TenantConnection, empresa_id: int, reports: Sequence[tuple[int, Event]]
) -> int:
    """Applies (canal_id, status event) pairs in their order; returns how many changed a row."""
    changed = 0
    for canal_id, event in reports:
        status = _target(event)
        if status is None or event.message_id is None:
            continue
        changed += await conn.execute(
            _CLIMB,
            {
                "status": status,
                "error": _error(event) if status == _FAILED else None,
                "external_id": event.message_id,
                "channel": canal_id,
                "row": _our_row(event, empresa_id),
                "from": _below(status),
            },
        )
    return changed


def our_ref(empresa_id: int, mensagem_id: int) -> str:
    """What we give along with a send so that a status can name the row without its id."""
    return f"{empresa_id}:{mensagem_id}"


def _our_row(event: Event, empresa_id: int) -> int:
    empresa, _, row = (event.our_ref or "").partition(":")
    return int(row) if empresa == str(empresa_id) and row.isdecimal() and len(row) < 10 else 0


def _target(event: Event) -> str | None:
    if event.status is DeliveryStatus.FAILED:
        return _FAILED
    return _STEP.get(event.status) if event.status is not None else None


def _below(status: str) -> list[str]:
    if status == _FAILED:
        return ["pendente", "enviando", "enviada"]
    return list(_LADDER[: _LADDER.index(status)])


def _error(event: Event) -> str:
    code = "" if event.error_code is None else f" (código {event.error_code})"
    return f"{event.error_text or 'o WhatsApp não entregou a mensagem'}{code}"
