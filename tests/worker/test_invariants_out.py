"""What always holds on the way out: sent once, in order, true when it is sent, alone when sick."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal

from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Fact, Turn
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event, open_shop
from worker.queue.keys import Task

OTHER_BUYER = "5531999990001"


async def test_6_a_reply_is_sent_once(shop: Shop) -> None:
    """However often its delivery is run, also by several workers at once."""
    await shop.push(event("tem onix?"))
    await shop.drain()

    await asyncio.gather(*(shop.deliver() for _ in range(5)))
    await shop.deliver()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
    ((status, external_id),) = await replies(shop)
    assert (status, external_id) == ("enviada", shop.phone.outbox[0].id)


async def test_6_a_reply_that_was_being_sent_in_a_crash_is_sent(shop: Shop) -> None:
    """A crash between the step `enviando` and the record: sent again at worst, never dropped."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    await shop.execute("UPDATE mensagens SET status = 'enviando' WHERE tipo = 'enviada'")

    await shop.deliver()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
    assert (await replies(shop))[0][0] == "enviada"


async def test_6_a_busy_gateway_gets_the_reply_later(shop: Shop) -> None:
    """What is broken around us uses up nothing: the reply waits, then goes out once."""
    shop.phone.fail_next(code=131056)
    await shop.handle(event("tem onix?"))
    assert (await replies(shop))[0][0] == "pendente"
    assert shop.phone.outbox == []

    await shop.waits_are_over()
    await shop.deliver()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]


async def test_6_a_lost_answer_is_not_repeated_blindly(shop: Shop) -> None:
    """The message may be out: a status that names our reference settles it."""
    shop.phone.lose_answers()
    await shop.handle(event("tem onix?"))
    (sent,) = shop.phone.outbox
    assert (await replies(shop))[0][0] == "enviando"

    await shop.deliver()
    assert len(shop.phone.outbox) == 1
    await shop.handle(
        event(None, kind="status", status="delivered", message_id=sent.id, our_ref=sent.our_ref)
    )

    assert await replies(shop) == [("entregue", sent.id)]


async def test_9_a_refused_reply_does_not_block_the_conversation(shop: Shop) -> None:
    """`falhou` with the reason, a dead letter, and the next reply goes out."""
    shop.phone.fail_next(code=131026)
    await shop.handle(event("um"))
    await shop.handle(event("dois"))

    assert [status for status, _ in await replies(shop)] == ["falhou", "enviada"]
    (letter,) = await shop.dead()
    assert letter["kind"] == "reply"
    assert "131026" in letter["error"]


async def test_3_replies_are_sent_in_order_and_one_buyer_does_not_hold_up_another(
    installation: Installation, redis_url: str
) -> None:
    """While the first bubble waits, those behind it in its conversation wait too, others do not."""
    async with open_shop(installation, redis_url, decide_turn=three_bubbles) as shop:
        shop.phone.fail_next(code=131056)
        await shop.handle(event("a"))
        assert shop.phone.outbox == []
        await shop.handle(event("b", phone=OTHER_BUYER))
        assert [sent.text for sent in shop.phone.outbox] == ["b 1", "b 2", "b 3"]

        await shop.waits_are_over()
        await shop.deliver()

        of_first = [sent.text for sent in shop.phone.outbox if sent.to == BUYER]
        assert of_first == ["a 1", "a 2", "a 3"]


async def test_10_a_reply_whose_car_was_sold_is_taken_anew(
    installation: Installation, redis_url: str
) -> None:
    """What it states is compared with the cars at the moment of sending."""
    async with open_shop(installation, redis_url, decide_turn=offer_all) as shop:
        await shop.execute(
            "INSERT INTO cars (id, brand, model, price) VALUES (1, 'Fiat', 'Argo', 60000),"
            " (2, 'Fiat', 'Mobi', 50000)"
        )
        await shop.push(event("o que tem?"))
        await shop.drain()
        await shop.execute("UPDATE cars SET status = 'sold' WHERE id = 1")

        await shop.deliver()
        assert shop.phone.outbox == []
        await shop.drain()
        await shop.deliver()

        assert [sent.text for sent in shop.phone.outbox] == ["Mobi 50000.00"]


async def test_10_a_reply_whose_price_moved_is_taken_anew(
    installation: Installation, redis_url: str
) -> None:
    """Also when only the price is another."""
    async with open_shop(installation, redis_url, decide_turn=offer_all) as shop:
        await shop.execute(
            "INSERT INTO cars (id, brand, model, price) VALUES (1, 'Fiat', 'Argo', 60000)"
        )
        await shop.push(event("o que tem?"))
        await shop.drain()
        await shop.execute("UPDATE cars SET price = 59000")

        await shop.deliver()
        await shop.drain()
        await shop.deliver()

        assert [sent.text for sent in shop.phone.outbox] == ["Argo 59000.00"]


async def test_7_a_sick_dealer_is_alone_with_it(installation: Installation, redis_url: str) -> None:
    """His events wait in his inbox and are answered when his database is back; others go on."""
    async with (
        open_shop(installation, redis_url, 1) as sick,
        open_shop(installation, redis_url, 2) as well,
    ):
        port = sick.installation.settings.db_port
        await break_database(sick, port=1)
        await sick.push(event("alguém aí?"))
        await well.push(event("tem onix?", channel="loja-2"))

        await asyncio.gather(sick.drain(), well.drain())
        await well.deliver()

        assert [sent.text for sent in well.phone.outbox] == ["eco: tem onix?"]
        assert await sick.waiting() == 1
        assert await sick.dead() == []
        assert await sick.queued(Task.DRAIN)

        await break_database(sick, port=port)
        await sick.next_job_may_run()
        await sick.drain()
        await sick.deliver()
        assert [sent.text for sent in sick.phone.outbox] == ["eco: alguém aí?"]


async def test_8_the_same_buyer_at_two_dealers_is_two_customers(
    installation: Installation, redis_url: str
) -> None:
    """Each dealer's rows and answers are his alone, also with equal ids and numbers."""
    async with (
        open_shop(installation, redis_url, 1) as one,
        open_shop(installation, redis_url, 2) as two,
    ):
        await asyncio.gather(
            one.handle(event("um", message_id="wamid.SAME")),
            two.handle(event("dois", message_id="wamid.SAME", channel="loja-2")),
        )

        assert await one.texts("recebida") == ["um"]
        assert await two.texts("recebida") == ["dois"]
        assert [sent.text for sent in one.phone.outbox] == ["eco: um"]
        assert [sent.text for sent in two.phone.outbox] == ["eco: dois"]


async def test_a_status_only_climbs(shop: Shop) -> None:
    """`lida` stays, whatever comes late; `falhou` keeps the reason in words."""
    await shop.handle(event("oi"))
    (sent,) = shop.phone.outbox
    for status in ("read", "delivered", "sent", "failed"):
        await shop.handle(event(None, kind="status", status=status, message_id=sent.id))

    assert await replies(shop) == [("lida", sent.id)]


async def replies(shop: Shop) -> list[tuple[str, str | None]]:
    """Status and gateway's id of each reply, in order."""
    rows = await shop.rows(
        "SELECT status, external_id FROM mensagens WHERE tipo = 'enviada' ORDER BY id"
    )
    return [(status, external_id) for status, external_id in rows]


async def break_database(shop: Shop, *, port: int) -> None:
    """The registry names this port; nothing listens at port 1."""
    await shop.installation.central(
        "UPDATE empresas SET db_port = %s, versao = versao + 1 WHERE id = %s",
        (port, shop.empresa_id),
    )
    await shop.tenancy.pools.close(shop.empresa_id)
    shop.tenancy.registry.forget(shop.empresa_id)


def three_bubbles(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """One answer of three bubbles."""
    del stock, dealer, now
    told = turn.messages[-1].text
    return Decision(
        bubbles=tuple(Bubble(text=f"{told} {number}") for number in (1, 2, 3)),
        state={},
        status="em_andamento",
        rule="three",
    )


def offer_all(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """One bubble per car for sale, with what it states."""
    del turn, dealer, now
    cars = [item.car for item in stock.offered]
    return Decision(
        bubbles=tuple(
            Bubble(
                text=f"{car.modelo} {Decimal(car.preco)}",
                facts=(Fact(car_id=car.id, preco=car.preco),),
            )
            for car in cars
        ),
        state={},
        status="em_andamento",
        rule="offer",
    )
