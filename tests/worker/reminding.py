"""Appointments and a clock for the tests of reminders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.worker.shop import BUYER, Shop, event
from worker.queue.keys import Task
from worker.remind.writer import Reminded

ZONE = ZoneInfo("America/Sao_Paulo")
VISIT = datetime(2037, 1, 8, 15, tzinfo=ZONE)
"""A Thursday afternoon; a TIMESTAMP column ends in 2038."""
EVENING = VISIT.replace(day=7, hour=19, minute=45)
"""All reminders of the evening before are due by then."""
TWO_HOURS = VISIT - timedelta(hours=2)

_BOOK = """
    INSERT INTO agendamentos (customer_id, car_id, tipo, data_agendada, status, marcado_em)
    SELECT MAX(id), %(car)s, %(kind)s, %(at)s, %(status)s, %(made)s FROM customers
"""
_WRITTEN = """
    SELECT m.conteudo FROM mensagens m JOIN lucas_lembretes l ON l.mensagem_id = m.id
     WHERE m.status <> 'cancelada' GROUP BY m.id ORDER BY m.id
"""


async def book(
    shop: Shop,
    at: datetime = VISIT,
    *,
    kind: str = "visita",
    car: int | None = None,
    status: str = "pendente",
    made: str = "2026-01-01",
    buyer: str = BUYER,
) -> int:
    """A buyer who has talked and comes at `at` (dealer's local time); the id of it."""
    await shop.handle(event("oi", phone=buyer))
    local = at.replace(tzinfo=None)
    told = {"car": car, "kind": kind, "at": local, "status": status, "made": made}
    await shop.execute(_BOOK, told)
    ((number,),) = await shop.rows("SELECT MAX(id) FROM agendamentos")
    return int(number)


async def add_car(shop: Shop, number: int = 7, status: str = "available") -> int:
    """An Argo."""
    await shop.execute(
        "INSERT INTO cars (id, brand, model, price, status) VALUES (%s, 'Fiat', 'Argo', 1, %s)",
        (number, status),
    )
    return number


async def remind(shop: Shop, now: datetime) -> Reminded:
    """The transaction of the job at this time, under a lease of its own."""
    lease = await shop.desk().take(Task.REMIND, shop.empresa_id, job_id="by-the-test")
    assert lease is not None
    done = await shop.jobs.reminder.writer.run(lease, now=now)
    await lease.leave(next_at_ms=None)
    return done


def noon_zone() -> ZoneInfo:
    """A zone in which it is between 12 and 13 now: for what goes by the real clock."""
    behind = (datetime.now(UTC).hour - 12) % 24
    return ZoneInfo(f"Etc/GMT+{behind}" if behind <= 12 else f"Etc/GMT-{24 - behind}")


async def send(shop: Shop) -> None:
    """Delivers what is there, as if it had been written at Redis's time and not at the test's."""
    await shop.execute("UPDATE mensagens SET gravada_em = UTC_TIMESTAMP(3)")
    await shop.deliver()


async def written(shop: Shop) -> list[str]:
    """What reminders say that were not withdrawn."""
    return [text for (text,) in await shop.rows(_WRITTEN)]


async def results(shop: Shop) -> list[tuple[Any, ...]]:
    """What was settled, and how."""
    return await shop.rows("SELECT tipo, resultado FROM lucas_lembretes ORDER BY id")
