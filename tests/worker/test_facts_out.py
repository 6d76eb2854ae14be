"""A reply states what is so when it leaves: one whose car has moved is not sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.stock import Stock
from bot.values import Bubble, BubbleKind, Dealer, Decision, Fact, Turn
from tests.tenancy.installation import Installation
from tests.worker.outbox import one_pending, statuses
from tests.worker.shop import AT_ONCE, event, open_shop
from tests.worker.test_invariants_out import offer_all
from worker.queue.keys import Task


def show_all(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """One photo per car for sale, with all that a reply can state."""
    del turn, dealer, now
    cars = [item.car for item in stock.offered]
    return Decision(
        bubbles=tuple(
            Bubble(
                kind=BubbleKind.IMAGE,
                text=car.modelo,
                media_url=car.fotos[0],
                facts=(Fact(car_id=car.id, preco=car.preco, ano=car.ano, km=car.km),),
            )
            for car in cars
        ),
        state={},
        status="em_andamento",
        rule="show",
    )


async def test_10_a_reply_whose_car_is_gone_is_not_sent(
    installation: Installation, redis_url: str
) -> None:
    """A deleted row is as good as sold."""
    async with open_shop(installation, redis_url, decide_turn=offer_all) as shop:
        await shop.execute("INSERT INTO cars (id, brand, model, price) VALUES (1, 'X', 'Argo', 1)")
        await shop.push(event("o que tem?"))
        await shop.drain()
        await shop.execute("DELETE FROM cars")

        await shop.deliver()

        assert shop.phone.outbox == []
        assert await statuses(shop) == ["cancelada"]


@pytest.mark.parametrize(
    "moves",
    [
        "UPDATE cars SET year = 2020",
        "UPDATE cars SET mileage = 41000",
        "UPDATE cars SET price = 2",
        "UPDATE cars SET status = 'sold'",
        "DELETE FROM car_images",
        "DELETE FROM cars",
    ],
)
async def test_10_what_moves_between_reading_and_sending_stops_the_send(
    installation: Installation, redis_url: str, moves: str
) -> None:
    """The claim compares once more: a car may be sold while others are being sent."""
    async with open_shop(installation, redis_url, decide_turn=show_all) as shop:
        await shop.execute(
            "INSERT INTO cars (id, brand, model, year, price, mileage)"
            " VALUES (1, 'X', 'Argo', 2019, 1, 40000)"
        )
        await shop.execute("INSERT INTO car_images (car_id, url) VALUES (1, 'https://x/1.jpg')")
        await shop.push(event("o que tem?"))
        await shop.drain()
        async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
            outbox, reply = await one_pending(conn)
            assert await outbox.moved_facts([reply]) == set()
            await conn.execute(moves)

            assert not await outbox.claim(reply, until=datetime.now(UTC))

            assert await outbox.moved_facts([reply]) == {reply.id}
            await conn.execute("UPDATE _leases SET epoca = 0")
        await shop.deliver()
        assert shop.phone.outbox == []
        assert await statuses(shop) == ["cancelada"]


async def test_10_what_is_still_so_is_claimed(installation: Installation, redis_url: str) -> None:
    """Photo, price, year and mileage as they were; a repainted car is the same car."""
    async with open_shop(installation, redis_url, decide_turn=show_all) as shop:
        await shop.execute(
            "INSERT INTO cars (id, brand, model, year, price, mileage)"
            " VALUES (1, 'X', 'Argo', 2019, 1, 40000)"
        )
        await shop.execute("INSERT INTO car_images (car_id, url) VALUES (1, 'https://x/1.jpg')")
        await shop.push(event("o que tem?"))
        await shop.drain()
        await shop.execute("UPDATE cars SET color = 'azul'")
        await shop.deliver()

        assert [sent.media for sent in shop.phone.outbox] == ["https://x/1.jpg"]


async def test_10_of_a_half_sent_answer_only_what_is_stale_is_withdrawn(
    installation: Installation, redis_url: str
) -> None:
    """What the buyer has read cannot be taken back, so the turn is not taken anew."""
    async with open_shop(installation, redis_url, decide_turn=offer_all) as shop:
        await shop.execute(
            "INSERT INTO cars (id, brand, model, price) VALUES (1, 'X', 'Argo', 1),"
            " (2, 'X', 'Mobi', 1)"
        )
        await shop.push(event("o que tem?"))
        await shop.drain()
        await shop.execute(
            "UPDATE mensagens SET status = 'enviada' WHERE tipo = 'enviada' ORDER BY id LIMIT 1"
        )
        ((second_car,),) = await shop.rows(
            "SELECT JSON_VALUE(fatos, '$[0].car_id') FROM mensagens WHERE status = 'pendente'"
        )
        await shop.execute("UPDATE cars SET status = 'sold' WHERE id = %s", (second_car,))

        await shop.deliver()
        await shop.drain()
        await shop.deliver()

        assert shop.phone.outbox == []
        assert await statuses(shop) == ["enviada", "cancelada"]


async def test_10_a_turn_is_taken_anew_when_no_shelf_has_the_old_stock(
    installation: Installation, redis_url: str
) -> None:
    """Any worker may take it, from a stock that it read up to `stock_ttl_s` ago."""
    lucas = AT_ONCE.model_copy(update={"stock_ttl_s": 60})
    async with open_shop(installation, redis_url, lucas=lucas, decide_turn=offer_all) as shop:
        await shop.execute("INSERT INTO cars (id, brand, model, price) VALUES (1, 'X', 'Argo', 1)")
        await shop.push(event("o que tem?"))
        await shop.drain()
        await shop.execute("UPDATE cars SET status = 'sold'")
        await shop.redis.delete("arq:queue")
        seconds, _ = await shop.redis.time()

        await shop.deliver()

        ((due,),) = await shop.rows("SELECT responder_em FROM conversations")
        assert due.replace(tzinfo=UTC).timestamp() >= seconds + 60
        assert len(await shop.queued(Task.DRAIN)) == 1  # who asks the database for that time
