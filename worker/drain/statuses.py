"""Moves our messages up the ladder of delivery as gateways report it. Called by the drain.

A status may come twice, out of order, or before the answer to our own send: it only ever climbs.
"""

from __future__ import annotations

from collections.abc import Sequence

from schema.events import DeliveryStatus, Event
from tenancy.lease import TenantConnection
from worker.drain.failures import in_words

_STEP = {
    DeliveryStatus.SENT: "enviada",
    DeliveryStatus.DELIVERED: "entregue",
    DeliveryStatus.READ: "lida",
    DeliveryStatus.PLAYED: "lida",
    DeliveryStatus.FAILED: "falhou",
}
_LADDER = ("cancelada", "pendente", "enviando", "enviada", "falhou", "entregue", "lida")
"""Each over all before it: in whatever order reports come, the end is the same. What reached the
phone did not fail, and a withdrawn reply that went out is out."""
_UNDER = {step: list(_LADDER[:place]) for place, step in enumerate(_LADDER)}
_BY_GATEWAYS_ID = """
    SELECT external_id, id FROM mensagens
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s AND tipo = 'enviada'
"""
_CLIMB = """
    UPDATE mensagens SET status = %(status)s, erro = %(error)s, tentar_em = NULL
     WHERE id = %(id)s AND status IN %(under)s
"""
# The answer to our own send got lost, or is not recorded yet: the status tells the gateway's id.
_CLIMB_BY_OURS = """
    UPDATE mensagens
       SET status = %(status)s, erro = %(error)s, tentar_em = NULL, external_id = %(external_id)s
     WHERE id = %(id)s AND canal_id = %(channel)s AND tipo = 'enviada' AND external_id IS NULL
       AND status IN %(under)s
"""

Report = tuple[int, Event]
"""canal_id and a status event."""


async def climb(conn: TenantConnection, empresa_id: int, reports: Sequence[Report]) -> None:
    """Applies reports; of several about one message the highest is written."""
    top = _highest(reports)
    rows = await _rows(conn, top)
    for (channel, external_id), event in top.items():
        status = _STEP[event.status] if event.status is not None else ""
        change = {
            "status": status,
            "error": in_words(event.error_code, event.error_text) if status == "falhou" else None,
            "under": _UNDER[status],
        }
        row = rows.get((channel, external_id))
        if row is not None:
            await conn.execute(_CLIMB, {**change, "id": row})
        elif (ours := _our_row(event, empresa_id)) is not None:
            told = {"id": ours, "channel": channel, "external_id": external_id}
            await conn.execute(_CLIMB_BY_OURS, {**change, **told})


def our_ref(empresa_id: int, mensagem_id: int) -> str:
    """What we give along with a send so that a status can name the row without its id."""
    return f"{empresa_id}:{mensagem_id}"


def _highest(reports: Sequence[Report]) -> dict[tuple[int, str], Event]:
    top: dict[tuple[int, str], Event] = {}
    for channel, event in reports:
        if event.message_id is None or event.status not in _STEP:
            continue
        before = top.get((channel, event.message_id))
        if before is None or _place(before) < _place(event):
            top[channel, event.message_id] = event
    return top


def _place(event: Event) -> int:
    step = None if event.status is None else _STEP.get(event.status)
    return -1 if step is None else _LADDER.index(step)


async def _rows(
    conn: TenantConnection, top: dict[tuple[int, str], Event]
) -> dict[tuple[int, str], int]:
    by_channel: dict[int, list[str]] = {}
    for channel, external_id in top:
        by_channel.setdefault(channel, []).append(external_id)
    found: dict[tuple[int, str], int] = {}
    for channel, ids in by_channel.items():
        for external_id, row in await conn.fetch_all(
            _BY_GATEWAYS_ID, {"channel": channel, "ids": ids}
        ):
            found[channel, external_id] = row
    return found


def _our_row(event: Event, empresa_id: int) -> int | None:
    empresa, _, row = (event.our_ref or "").partition(":")
    return int(row) if empresa == str(empresa_id) and row.isdecimal() and len(row) < 10 else None
