"""Reads what a dealer's appointments need to be reminded of. Called by `worker.remind.writer`.

`data_agendada` is the dealer's local time; all other times are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.agenda.reminders import AHEAD, Due, ReminderKind, reminders
from bot.profile import Profile
from bot.stock import Listing, Stock
from bot.values import Appointment, Car, VisitKind
from tenancy.lease import TenantConnection
from worker.clock import stored

# A time that is long past or far off has no reminder now.
_AHEAD = """
    SELECT a.id, a.customer_id, a.tipo, a.data_agendada, a.status = 'confirmado',
           COALESCE(a.marcado_em, a.created_at), c.id, c.brand, c.model, c.year, c.year_model,
           COALESCE(c.status, 'available'),
           (SELECT GROUP_CONCAT(l.tipo) FROM lucas_lembretes l
             WHERE l.agendamento_id = a.id AND l.data_agendada = a.data_agendada)
      FROM agendamentos a LEFT JOIN cars c ON c.id = a.car_id
     WHERE a.status IN ('pendente', 'confirmado')
       AND a.data_agendada > %(now)s AND a.data_agendada <= %(until)s
     ORDER BY a.data_agendada, a.id
"""
_FIRST_AFTER = """
    SELECT MIN(data_agendada) FROM agendamentos
     WHERE status IN ('pendente', 'confirmado') AND data_agendada > %(until)s
"""
# A buyer's conversation is the newest that nobody closed; who waits for a car that he bought may
# have closed ones only.
_TALKS = """
    SELECT customer_id, COALESCE(MAX(CASE WHEN status <> 'fechado' THEN id END), MAX(id)),
           MAX(sem_avisos)
      FROM conversations WHERE customer_id IN %(customers)s GROUP BY customer_id
"""
_IN_MID_TALK = """
    SELECT EXISTS (SELECT 1 FROM mensagens FORCE INDEX (idx_turno)
                    WHERE conversation_id = %(id)s AND status IN ('pendente', 'enviando'))
"""
_TO_SEND = """
    SELECT EXISTS (SELECT 1 FROM mensagens m JOIN lucas_lembretes l ON l.mensagem_id = m.id
                    WHERE m.status = 'pendente')
"""
_MARK = """
    INSERT INTO lucas_lembretes (agendamento_id, tipo, data_agendada, mensagem_id, resultado, ate,
                           criado_em)
    VALUES (%(visit)s, %(kind)s, %(at)s, %(reply)s, %(result)s, %(until)s, %(now)s)
"""

_LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)
"""An existing installation's row may not say when it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An active appointment ahead, with its car and what was done about it."""

    appointment: Appointment
    customer_id: int
    confirmed: bool
    agreed: datetime
    """When its present time was agreed on."""
    car: Car | None
    done: frozenset[str]
    """The kinds of reminders (`lucas_lembretes.tipo`) that are settled for this time."""

    @property
    def id(self) -> int:
        """Of the row of `agendamentos`."""
        if self.appointment.id is None:
            raise ValueError("a visit that is read has an id")
        return self.appointment.id

    @property
    def listing(self) -> Listing | None:
        """The car as Lucas names it, whatever its status."""
        return None if self.car is None else Stock.build([self.car]).known(self.car.id)

    def open(self, profile: Profile) -> list[Due]:
        """The reminders that nothing has been done about yet, past ones too."""
        least = timedelta(hours=profile.lembrete_minimo_h)
        all_of_them = reminders(
            self.appointment.at,
            number=self.id,
            agreed=self.agreed,
            evening_h=profile.lembrete_vespera_h,
            least=least,
        )
        return [due for due in all_of_them if due.kind not in self.done]


@dataclass(frozen=True, slots=True)
class Talk:
    """Where a buyer is written to."""

    conversation_id: int
    no_notices: bool


async def ahead(
    conn: TenantConnection, *, zone: ZoneInfo, now: datetime
) -> tuple[list[Visit], datetime | None]:
    """The visits near enough to be reminded of, and when the next ones come near."""
    local = now.astimezone(zone).replace(tzinfo=None)
    until = local + AHEAD
    rows = await conn.fetch_all(_AHEAD, {"now": local, "until": until})
    ((later,),) = await conn.fetch_all(_FIRST_AFTER, {"until": until})
    near = None if later is None else later.replace(tzinfo=zone) - AHEAD
    return [_visit(row, zone) for row in rows], near


async def talks(conn: TenantConnection, customers: Sequence[int]) -> dict[int, Talk]:
    """The conversation of each of these buyers, by his id; who has none is not there."""
    if not customers:
        return {}
    rows = await conn.fetch_all(_TALKS, {"customers": sorted(set(customers))})
    return {customer: Talk(talk, bool(quiet)) for customer, talk, quiet in rows}


async def is_in_mid_talk(conn: TenantConnection, conversation_id: int) -> bool:
    """Whether replies of this conversation are still to go out."""
    row = await conn.fetch_one(_IN_MID_TALK, {"id": conversation_id})
    return row is not None and bool(row[0])


async def to_send(conn: TenantConnection) -> bool:
    """Whether a reminder has not left yet: its ring may have got lost with a worker."""
    row = await conn.fetch_one(_TO_SEND)
    return row is not None and bool(row[0])


async def mark(
    conn: TenantConnection,
    visit: Visit,
    kind: ReminderKind,
    *,
    reply: int | None,
    result: str,
    until: datetime,
    now: datetime,
) -> None:
    """Settles a reminder of this visit at this time. Raises DuplicateKey when it was settled."""
    at = visit.appointment.at.replace(tzinfo=None)
    told = {"visit": visit.id, "kind": kind.value, "at": at, "reply": reply}
    await conn.execute(
        _MARK, {**told, "result": result, "until": until.astimezone(UTC), "now": now}
    )


def _visit(row: Sequence[Any], zone: ZoneInfo) -> Visit:
    number, customer, kind, at, confirmed, agreed = row[:6]
    car, done = row[6:12], row[12]
    return Visit(
        appointment=Appointment(
            id=number, kind=VisitKind(kind), at=at.replace(tzinfo=zone), car_id=car[0]
        ),
        customer_id=customer,
        confirmed=bool(confirmed),
        agreed=stored(agreed) or _LONG_AGO,
        car=None if car[0] is None else _car(car),
        done=frozenset((done or "").split(",")),
    )


def _car(row: Sequence[Any]) -> Car:
    """What names a car and says whether it is there; a reminder states nothing else."""
    number, brand, model, year, model_year, status = row
    return Car(
        id=number,
        marca=brand or "",
        modelo=model or "",
        ano=year,
        ano_modelo=model_year,
        preco=Decimal(0),
        km=None,
        cor=None,
        combustivel=None,
        cambio=None,
        descricao=None,
        status=status,
    )
