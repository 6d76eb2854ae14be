"""Moves our messages up the ladder of delivery as gateways report it. Called by the drain.

A status may come twice, out of order, or before the answer to our own send: it only ever climbs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from schema.events import DeliveryStatus, Event, EventKind
from tenancy.lease import TenantConnection
from worker.clock import to_ms
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
# One statement, one moment: a message that is being sent has its id, or is seen to be on its way.
_BY_GATEWAYS_ID = """
    SELECT external_id, id FROM mensagens
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s AND tipo = 'enviada'
     UNION ALL
   (SELECT NULL, id FROM mensagens
     WHERE status = 'enviando' AND canal_id = %(channel)s AND external_id IS NULL LIMIT 1)
"""
_CLIMB = """
    UPDATE mensagens SET status = %(status)s, erro = %(error)s, tentar_em = NULL,
                         detalhes = JSON_MERGE_PATCH(%(steps)s, COALESCE(detalhes, '{}'))
     WHERE id = %(id)s AND status IN %(under)s
"""
# A step that is told after a higher one, or once more: its first time stands.
_NOTE = """
    UPDATE mensagens SET detalhes = JSON_MERGE_PATCH(%(steps)s, COALESCE(detalhes, '{}'))
     WHERE id = %(id)s
"""
# The answer to our own send got lost, or is not recorded yet: the status tells the gateway's id.
_CLIMB_BY_OURS = """
    UPDATE mensagens
       SET status = %(status)s, erro = %(error)s, external_id = %(external_id)s, tentar_em = NULL,
           detalhes = JSON_MERGE_PATCH(%(steps)s, COALESCE(detalhes, '{}')),
           enviada_em = IF(%(status)s = 'falhou', enviada_em,
                           COALESCE(enviada_em, UTC_TIMESTAMP(3)))
     WHERE id = %(id)s AND canal_id = %(channel)s AND tipo = 'enviada' AND external_id IS NULL
       AND status IN %(under)s
"""
_KEEP = """
    INSERT INTO _early_changes (canal_id, external_id, evento, chegou_em)
    VALUES (%s, %s, %s, UTC_TIMESTAMP(3))
"""
# What is about a seller's own message waits for nothing.
_FORGET = """
    DELETE FROM _early_changes WHERE chegou_em < UTC_TIMESTAMP(3) - INTERVAL 7 DAY LIMIT 1000
"""
_EARLY = """
    SELECT e.id, e.canal_id, e.evento FROM _early_changes e
      JOIN mensagens m ON m.canal_id = e.canal_id AND m.external_id = e.external_id
     WHERE m.tipo = 'enviada'
"""
_DONE = "DELETE FROM _early_changes WHERE id IN %(ids)s"

Report = tuple[int, Event]
"""canal_id and a status event."""


async def climb(
    conn: TenantConnection, empresa_id: int, reports: Sequence[Report], *, now: datetime
) -> list[int]:
    """Applies reports; of several about one message the highest is written, and all their times.

    A report that is quicker than the answer to the send, and does not name our row, is kept until
    the next reports come. Returns the ids of the rows that have failed by them.
    """
    if not reports:
        return []
    reports = [*await _kept(conn), *reports]
    top, times = _highest(reports), _times(reports, now)
    rows, on_their_way = await _rows(conn, top)
    early, failed = [], []
    for (channel, name), event in top.items():
        status = _STEP[event.status] if event.status is not None else ""
        change = {
            "status": status,
            "error": in_words(event.error_code, event.error_text) if status == "falhou" else None,
            "under": _UNDER[status],
            "steps": orjson.dumps({"passos": times[channel, name]}).decode(),
        }
        row = rows.get((channel, name))
        if row is not None:
            climbed = await conn.execute(_CLIMB, {**change, "id": row})
            failed += [row] if climbed and status == "falhou" else []
            if not climbed and times[channel, name].keys() != {"enviada"}:
                await conn.execute(_NOTE, {"id": row, "steps": change["steps"]})
        elif (ours := _our_row(event, empresa_id)) is not None:
            told = {"id": ours, "channel": channel, "external_id": event.message_id}
            climbed = await conn.execute(_CLIMB_BY_OURS, {**change, **told})
            failed += [ours] if climbed and status == "falhou" else []
        elif channel in on_their_way and event.message_id is not None:
            early.append((channel, event.message_id, event.model_dump_json(exclude_defaults=True)))
    if early:
        await conn.execute(_FORGET)
        await conn.execute_many(_KEEP, early)
    return failed


def our_ref(empresa_id: int, mensagem_id: int) -> str:
    """What we give along with a send so that a status can name the row without its id."""
    return f"{empresa_id}:{mensagem_id}"


def _highest(reports: Sequence[Report]) -> dict[tuple[int, str], Event]:
    """By channel and message; a gateway that could not send has no id for it, but our reference."""
    top: dict[tuple[int, str], Event] = {}
    for channel, event in reports:
        name = event.message_id or event.our_ref
        if name is None or event.status not in _STEP:
            continue
        before = top.get((channel, name))
        if before is None or _place(before) < _place(event):
            top[channel, name] = event
    return top


def _times(reports: Sequence[Report], now: datetime) -> dict[tuple[int, str], dict[str, int]]:
    """When each step was reached: by the gateway's clock where it tells, else as it came."""
    times: dict[tuple[int, str], dict[str, int]] = {}
    for channel, event in reports:
        name = event.message_id or event.our_ref
        if name is None or event.status not in _STEP:
            continue
        at_ms = to_ms(now) if event.timestamp is None else event.timestamp * 1000
        steps = times.setdefault((channel, name), {})
        steps[_STEP[event.status]] = min(at_ms, steps.get(_STEP[event.status], at_ms))
    return times


def _place(event: Event) -> int:
    step = None if event.status is None else _STEP.get(event.status)
    return -1 if step is None else _LADDER.index(step)


async def _kept(conn: TenantConnection) -> list[Report]:
    """Reports that were too early and whose messages are known by now."""
    rows = await conn.fetch_all(_EARLY)
    found = [(id_, channel, Event.model_validate_json(told)) for id_, channel, told in rows]
    reports = [early for early in found if early[2].kind is EventKind.STATUS]
    if reports:
        await conn.execute(_DONE, {"ids": [id_ for id_, _, _ in reports]})
    return [(channel, event) for _, channel, event in reports]


async def _rows(
    conn: TenantConnection, top: dict[tuple[int, str], Event]
) -> tuple[dict[tuple[int, str], int], set[int]]:
    """The rows that are meant, and the channels on which a send has no id yet."""
    by_channel: dict[int, list[str]] = {}
    for (channel, _), event in top.items():
        if event.message_id is not None:
            by_channel.setdefault(channel, []).append(event.message_id)
    found: dict[tuple[int, str], int] = {}
    on_their_way: set[int] = set()
    for channel, ids in by_channel.items():
        for external_id, row in await conn.fetch_all(
            _BY_GATEWAYS_ID, {"channel": channel, "ids": ids}
        ):
            if external_id is None:
                on_their_way.add(channel)
            else:
                found[channel, external_id] = row
    return found, on_their_way


def _our_row(event: Event, empresa_id: int) -> int | None:
    empresa, _, row = (event.our_ref or "").partition(":")
    return int(row) if empresa == str(empresa_id) and row.isdecimal() and len(row) < 10 else None
