"""Moves our messages up the ladder of delivery as gateways report it. Called by the drain.

A status may come twice, out of order, or before the answer to our own send: it only ever climbs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schema.events import DeliveryStatus, Event
from tenancy.lease import TenantConnection

_STEP = {
    DeliveryStatus.SENT: "enviada",
    DeliveryStatus.DELIVERED: "entregue",
    DeliveryStatus.READ: "lida",
    DeliveryStatus.PLAYED: "lida",
    DeliveryStatus.FAILED: "falhou",
}
# `falhou` only comes over what is not yet delivered; a withdrawn reply that went out is out.
_UNDER = {
    "enviada": ["pendente", "enviando", "cancelada"],
    "entregue": ["pendente", "enviando", "cancelada", "enviada"],
    "lida": ["pendente", "enviando", "cancelada", "enviada", "entregue"],
    "falhou": ["pendente", "enviando", "enviada"],
}
_BY_GATEWAYS_ID = """
    SELECT external_id, id FROM mensagens
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s AND tipo = 'enviada'
"""
_CLIMB = """
    UPDATE mensagens SET status = %(status)s, erro = COALESCE(%(error)s, erro)
     WHERE id = %(id)s AND status IN %(under)s
"""
# The answer to our own send got lost, or is not recorded yet: the status tells the gateway's id.
_CLIMB_BY_OURS = """
    UPDATE mensagens
       SET status = %(status)s, erro = %(error)s, external_id = %(external_id)s, tentar_em = NULL,
           enviada_em = IF(%(status)s = 'falhou', enviada_em,
                           COALESCE(enviada_em, UTC_TIMESTAMP(3)))
     WHERE id = %(id)s AND canal_id = %(channel)s AND tipo = 'enviada' AND external_id IS NULL
       AND status IN %(under)s
"""

Report = tuple[int, Event]
"""canal_id and a status event."""


async def climb(conn: TenantConnection, empresa_id: int, reports: Sequence[Report]) -> None:
    """Applies reports; of several about one message the highest is written."""
    top = _highest(reports)
    rows = await _rows(conn, top.values())
    for (channel, _), (_, event) in top.items():
        status = _STEP[event.status] if event.status is not None else ""
        change = {
            "status": status,
            "error": _error(event) if status == "falhou" else None,
            "under": _UNDER[status],
        }
        row = rows.get((channel, event.message_id))
        if row is not None:
            await conn.execute(_CLIMB, {**change, "id": row})
        elif (ours := _our_row(event, empresa_id)) is not None:
            told = {"id": ours, "channel": channel, "external_id": event.message_id}
            await conn.execute(_CLIMB_BY_OURS, {**change, **told})


def our_ref(empresa_id: int, mensagem_id: int) -> str:
    """What we give along with a send so that a status can name the row without its id."""
    return f"{empresa_id}:{mensagem_id}"


def _highest(reports: Sequence[Report]) -> dict[tuple[int, str], Report]:
    """By channel and message; a gateway that could not send has no id for it, but our reference."""
    top: dict[tuple[int, str], Report] = {}
    for channel, event in reports:
        name = event.message_id or event.our_ref
        if name is None or event.status not in _STEP:
            continue
        before = top.get((channel, name))
        if before is None or _place(before[1]) < _place(event):
            top[channel, name] = (channel, event)
    return top


def _place(event: Event) -> int:
    """Failed over sent, delivered over failed: what reached the phone did not fail."""
    status = None if event.status is None else _STEP.get(event.status)
    return {"enviada": 0, "falhou": 1, "entregue": 2, "lida": 3}.get(status or "", -1)


async def _rows(
    conn: TenantConnection, reports: Iterable[Report]
) -> dict[tuple[int, str | None], int]:
    by_channel: dict[int, list[str]] = {}
    for channel, event in reports:
        if event.message_id is not None:
            by_channel.setdefault(channel, []).append(event.message_id)
    found: dict[tuple[int, str | None], int] = {}
    for channel, ids in by_channel.items():
        for external_id, row in await conn.fetch_all(
            _BY_GATEWAYS_ID, {"channel": channel, "ids": ids}
        ):
            found[channel, external_id] = row
    return found


def _our_row(event: Event, empresa_id: int) -> int | None:
    empresa, _, row = (event.our_ref or "").partition(":")
    return int(row) if empresa == str(empresa_id) and row.isdecimal() and len(row) < 10 else None


def _error(event: Event) -> str:
    code = "" if event.error_code is None else f" (código {event.error_code})"
    return f"{event.error_text or 'o WhatsApp não entregou a mensagem'}{code}"
