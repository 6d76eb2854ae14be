"""What changes before a reminder leaves: it is withdrawn, or written anew as it is then."""

from __future__ import annotations

from datetime import datetime

import pytest

from schema.events import EventKind
from tests.tenancy.installation import Installation
from tests.worker.reminding import (
    EVENING,
    TWO_HOURS,
    ZONE,
    add_car,
    book,
    remind,
    results,
    send,
    written,
)
from tests.worker.shop import Shop, event, open_shop
from tests.worker.test_agenda import booker
from worker.queue.keys import Task


@pytest.mark.parametrize("change", ["MOVE 2037-01-12T10:00", "CANCEL 2037-01-08T15:00"])
async def test_a_change_in_the_talk_withdraws_what_has_not_left(
    installation: Installation, redis_url: str, change: str
) -> None:
    """Moved: the new time has reminders of its own. Cancelled: there are none."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await book(shop)
        await remind(shop, EVENING)
        await shop.push(event(change))
        await shop.drain()

        assert await written(shop) == []
        await send(shop)
        await remind(shop, datetime(2037, 1, 11, 19, 45, tzinfo=ZONE))
        assert len(await written(shop)) == (1 if change.startswith("MOVE") else 0)
        await send(shop)
        assert not any("08/01" in (sent.text or "") for sent in shop.phone.outbox[2:])


async def test_a_withdrawn_move_gets_its_reminder_back(
    installation: Installation, redis_url: str
) -> None:
    """The buyer wrote again before the new time was confirmed: the old one holds, and is told."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await book(shop)
        await remind(shop, EVENING)
        await shop.push(event("MOVE 2037-01-12T10:00"))
        await shop.drain()
        await shop.push(event("?"))
        await shop.drain()
        await send(shop)
        await remind(shop, EVENING)

        (text,) = await written(shop)
        assert "08/01" in text
        made = await shop.rows("SELECT CAST(marcado_em AS CHAR) FROM agendamentos")
        assert made == [("2026-01-01 00:00:00.000",)]


@pytest.mark.parametrize(
    "change",
    [
        "data_agendada = '2037-01-12 10:00'",
        "status = 'cancelado'",
        "status = 'realizado'",
    ],
)
async def test_a_change_by_a_person_stops_what_has_not_left(shop: Shop, change: str) -> None:
    """In the table, without a word to anybody: the delivery looks."""
    await book(shop)
    await remind(shop, EVENING)
    await shop.execute(f"UPDATE agendamentos SET {change}")  # noqa: S608 - our own cases

    await send(shop)

    assert len(shop.phone.outbox) == 1
    assert await written(shop) == []
    assert len(await shop.queued(Task.REMIND)) == 1


async def test_a_reminder_that_was_held_up_too_long_is_not_sent(shop: Shop) -> None:
    """ "Hoje, às 15h" at four o'clock would be a joke."""
    await book(shop)
    await remind(shop, TWO_HOURS)
    await shop.execute("UPDATE lucas_lembretes SET ate = UTC_TIMESTAMP(3)")

    await send(shop)

    assert len(shop.phone.outbox) == 1
    assert await written(shop) == []


@pytest.mark.parametrize(("status", "word"), [("sold", "vendido"), ("reserved", "reservado")])
async def test_a_car_that_is_gone_is_told_and_a_person_called(
    shop: Shop, status: str, word: str
) -> None:
    """Once, in place of both reminders; the seller finds who comes and when."""
    await add_car(shop)
    await book(shop, car=7, kind="test_drive")
    await shop.execute("UPDATE cars SET status = %s", (status,))
    await remind(shop, EVENING)
    await remind(shop, TWO_HOURS)
    await send(shop)

    (text,) = await written(shop)
    assert word in text
    assert shop.phone.outbox[-1].text == text
    ((attention,),) = await shop.rows("SELECT atencao FROM conversations")
    assert "Fiat Argo" in attention
    assert "08/01 às 15h" in attention


async def test_a_car_that_goes_before_the_reminder_leaves_is_told_too(shop: Shop) -> None:
    """The claim compares the car: the reminder is written anew as it is now."""
    await add_car(shop)
    await book(shop, car=7)
    await remind(shop, EVENING)
    await shop.execute("UPDATE cars SET status = 'sold'")

    await send(shop)
    assert len(shop.phone.outbox) == 1
    await remind(shop, EVENING)
    await send(shop)

    assert "vendido" in (shop.phone.outbox[-1].text or "")
    assert len(shop.phone.outbox) == 2


async def test_who_fetches_his_own_car_is_reminded(shop: Shop) -> None:
    """Sold to him: that is why he comes. A delivery that nobody confirmed is not promised."""
    await add_car(shop, status="sold")
    await book(shop, car=7, kind="entrega")
    await remind(shop, EVENING)
    await send(shop)

    assert "sua retirada do Fiat Argo" in (shop.phone.outbox[-1].text or "")
    assert "O vendedor confirma" in (shop.phone.outbox[-1].text or "")
    assert await shop.rows("SELECT atencao FROM conversations") == [(None,)]


async def test_an_opt_out_withdraws_what_has_not_left(
    installation: Installation, redis_url: str
) -> None:
    """The buyer's word comes before the gateway's turn."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await book(shop)
        await remind(shop, EVENING)
        await shop.push(event("NOTICES"))
        await shop.drain()
        await send(shop)
        await remind(shop, EVENING)

        assert await written(shop) == []
        assert await results(shop) == [("vespera", "sem_avisos")]


async def test_a_sellers_word_withdraws_what_has_not_left(shop: Shop) -> None:
    """Lucas never talks over a person, not even to remind."""
    await book(shop)
    await remind(shop, EVENING)
    await shop.push(event("eu falo com ele", kind=EventKind.HUMAN_ECHO, from_me=True))
    await shop.drain()
    await send(shop)
    await remind(shop, EVENING)

    assert len(shop.phone.outbox) == 1
    assert await written(shop) == []
