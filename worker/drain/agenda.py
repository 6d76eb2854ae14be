"""Reads and writes `agendamentos` for the turns of a drain. Called by `worker.drain.turns`.

`data_agendada` is the dealer's local time, as existing installations have it. A buyer has one
active appointment at most: a new time goes into the stored row. A withdrawn turn takes its change
back, unless a person has changed the row since. With a change go the reminders of the time before
that have not left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import structlog

from bot.values import AgendaAction, AgendaChange, Appointment, VisitKind
from tenancy.lease import TenantConnection
from worker.drain import reminders
from worker.drain.conversations import Conversation

log = structlog.get_logger()

_ACTIVE = """
    SELECT customer_id, id, tipo, data_agendada, car_id, status = 'confirmado'
      FROM agendamentos
     WHERE customer_id IN %(customers)s AND status IN ('pendente', 'confirmado')
       AND data_agendada >= %(since)s
     ORDER BY data_agendada DESC, id DESC
"""
_TAKEN = """
    SELECT data_agendada FROM agendamentos
     WHERE status IN ('pendente', 'confirmado') AND data_agendada >= %(since)s
     GROUP BY data_agendada HAVING COUNT(*) >= %(most)s
"""
# A car may have been deleted since the stock was read: then the visit is stored without one.
_BOOK = """
    INSERT INTO agendamentos (customer_id, car_id, tipo, data_agendada, status, observacoes,
                              marcado_em)
    VALUES (%(customer)s, (SELECT id FROM cars WHERE id = %(car)s), %(kind)s, %(at)s, 'pendente',
            'Marcado por Lucas no WhatsApp', %(now)s)
"""
_MOVE = """
    UPDATE agendamentos
       SET car_id = (SELECT id FROM cars WHERE id = %(car)s), tipo = %(kind)s,
           data_agendada = %(at)s, status = 'pendente', marcado_em = %(now)s
     WHERE id = %(id)s AND status IN ('pendente', 'confirmado')
"""
_CANCEL = """
    UPDATE agendamentos SET status = 'cancelado'
     WHERE id = %(id)s AND status IN ('pendente', 'confirmado')
"""
# Only what he was told of: a person may have moved it in the same moment.
_CONFIRM = """
    UPDATE agendamentos SET status = 'confirmado'
     WHERE id = %(id)s AND status = 'pendente' AND data_agendada = %(at)s
"""
_BEFORE = """
    SELECT car_id, tipo, data_agendada, status, marcado_em
      FROM agendamentos WHERE id = %(id)s FOR UPDATE
"""
# Only what the turn wrote is taken back: what a person has made of it since stands.
_UNBOOK = """
    DELETE FROM agendamentos
     WHERE id = %(id)s AND status = %(left_status)s AND data_agendada = %(left_at)s
"""
_PUT_BACK = """
    UPDATE agendamentos
       SET car_id = (SELECT id FROM cars WHERE id = %(car)s), tipo = %(kind)s,
           data_agendada = %(at)s, status = %(status)s, marcado_em = %(agreed)s
     WHERE id = %(id)s AND status = %(left_status)s AND data_agendada = %(left_at)s
"""
_MISSED_FOR = timedelta(hours=12)
"""A buyer who missed his appointment may still move it; later it is the seller's to close."""


async def appointments(
    conn: TenantConnection, due: Iterable[Conversation], *, zone: ZoneInfo, now: datetime
) -> dict[int, Appointment]:
    """The active appointment of each buyer, by customer id; of several the soonest."""
    customers = sorted({talk.customer_id for talk in due if not talk.buyer_is_new})
    if not customers:
        return {}
    since = _local(now, zone) - _MISSED_FOR
    rows = await conn.fetch_all(_ACTIVE, {"customers": customers, "since": since})
    return {
        customer: Appointment(
            id=number,
            kind=VisitKind(kind),
            at=at.replace(tzinfo=zone),
            car_id=car,
            confirmed=bool(confirmed),
        )
        for customer, number, kind, at, car, confirmed in rows
    }


async def taken(
    conn: TenantConnection, *, most: int, zone: ZoneInfo, now: datetime
) -> frozenset[datetime]:
    """Times that `most` buyers or more have; none where there is no limit (0)."""
    if not most:
        return frozenset()
    rows = await conn.fetch_all(_TAKEN, {"since": _local(now, zone), "most": most})
    return frozenset(at.replace(tzinfo=zone) for (at,) in rows)


async def commit(
    conn: TenantConnection, conversation: Conversation, change: AgendaChange, *, now: datetime
) -> None:
    """Writes a turn's change, and how to take it back into `conversation.turno_anterior`."""
    stored = change.appointment.id
    before = None if stored is None else await conn.fetch_one(_BEFORE, {"id": stored})
    values = {**_values(conversation, change.appointment), "now": now}
    if stored is not None and change.action is not AgendaAction.CONFIRM:
        await reminders.withdraw(conn, stored)
    if change.action is AgendaAction.CONFIRM:
        await conn.execute(_CONFIRM, values)
    elif change.action is AgendaAction.CANCEL:
        await conn.execute(_CANCEL, {"id": stored})
    elif stored is None or not await conn.execute(_MOVE, values):
        # nothing to move: a person closed or cancelled it in the same moment
        await conn.execute(_BOOK, values)
        stored, before = conn.last_id, None
    log.info("agenda changed", empresa_id=conn.empresa_id, conversation_id=conversation.id,
             agendamento_id=stored, action=change.action.value)  # fmt: skip
    if conversation.turno_anterior is not None and stored is not None:
        left = await conn.fetch_one(_BEFORE, {"id": stored})
        undo = {
            "id": stored,
            "antes": None if before is None else _as_json(before),
            "depois": None if left is None else _as_json(left),
        }
        memory = orjson.loads(conversation.turno_anterior)
        conversation.turno_anterior = orjson.dumps({**memory, "agenda": undo}).decode()


async def take_back(conn: TenantConnection, conversation: Conversation) -> bool:
    """Undoes the agenda change of a withdrawn turn; call before its memory is undone.

    False when it had changed nothing.
    """
    undo = orjson.loads(conversation.turno_anterior or "{}").get("agenda")
    before, left = (None, None) if undo is None else (undo["antes"], undo.get("depois"))
    if undo is None or left is None:
        return False
    row = {"id": undo["id"], "left_status": left["status"], "left_at": left["at"]}
    if before is None:
        await conn.execute(_UNBOOK, row)
    else:
        await conn.execute(_PUT_BACK, {"agreed": None, **before, **row})
    return True


def _values(conversation: Conversation, wanted: Appointment) -> dict[str, object]:
    return {
        "id": wanted.id,
        "customer": conversation.customer_id,
        "car": wanted.car_id,
        "kind": wanted.kind.value,
        "at": wanted.at.replace(tzinfo=None),
    }


def _as_json(row: Sequence[Any]) -> dict[str, object]:
    car, kind, at, status, agreed = row
    return {
        "car": car,
        "kind": kind,
        "at": at.isoformat(sep=" "),
        "status": status,
        "agreed": None if agreed is None else agreed.isoformat(sep=" "),
    }


def _local(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone).replace(tzinfo=None)
