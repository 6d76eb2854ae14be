"""What keeps a reply from going out twice, too late or never: claims, records, repetitions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.stock import Stock
from bot.values import Bubble, BubbleKind, Dealer, Decision, Fact, Turn
from schema.errors import SendRefused
from schema.replies import Sent
from tenancy.lease import TenantConnection
from tests.tenancy.installation import Installation
from tests.worker.shop import AT_ONCE, BUYER, Shop, event, open_shop
from tests.worker.test_invariants_out import offer_all
from worker.deliver.anew import take_anew
from worker.deliver.outbox import OpenReply, Outbox
from worker.fence import raise_fence
from worker.queue.keys import Task, TaskKeys
from worker.queue.lease import LeaseLost

EPOCH = 2**50


async def test_4_what_was_withdrawn_after_it_was_read_is_not_sent(shop: Shop) -> None:
    """The claim asks for the status that was read: a withdrawal in between wins."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        outbox, reply = await one_pending(conn)
        await conn.execute("UPDATE mensagens SET status = 'cancelada' WHERE status = 'pendente'")

        assert not await outbox.claim(reply, until=datetime.now(UTC))

    assert await statuses(shop) == ["cancelada"]


async def test_6_a_worker_that_slept_past_its_lease_claims_nothing(shop: Shop) -> None:
    """A newer lease has raised the fence: the reply is left to it."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        outbox, reply = await one_pending(conn)
        await raise_fence(conn, Task.DELIVER, EPOCH + 1)

        assert not await outbox.claim(reply, until=datetime.now(UTC))

    assert await statuses(shop) == ["pendente"]


async def test_6_a_worker_that_slept_past_its_lease_takes_no_turn_anew(shop: Shop) -> None:
    """Whoever has the newer lease may be sending it: a new answer would be a second one."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        _, reply = await one_pending(conn)
        await raise_fence(conn, Task.DELIVER, EPOCH + 1)
    await shop.execute("UPDATE mensagens SET status = 'enviando' WHERE status = 'pendente'")

    now = datetime.now(UTC)
    async with shop.tenancy.pools.transaction(shop.empresa_id) as conn:
        with pytest.raises(LeaseLost):
            await take_anew(conn, reply.conversation_id, [reply.id], epoch=EPOCH, due_at=now)

    assert await statuses(shop) == ["enviando"]


async def test_6_a_drain_behind_the_fence_stores_nothing(shop: Shop) -> None:
    """The inbox keeps the event for the worker that has the newer lease."""
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        await raise_fence(conn, Task.DRAIN, 2**62)
    await shop.push(event("tem onix?"))

    await shop.drain()

    assert await shop.waiting() == 1
    assert await shop.texts("recebida") == []
    assert await shop.dead() == []


async def test_6_the_record_does_not_climb_down(shop: Shop) -> None:
    """A status report may be quicker than the answer to our own send."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        outbox, reply = await one_pending(conn)
        await conn.execute("UPDATE mensagens SET status = 'entregue' WHERE tipo = 'enviada'")

        await outbox.record(reply, Sent(message_id="wamid.X"))

    assert await shop.rows("SELECT status, external_id FROM mensagens WHERE tipo = 'enviada'") == [
        ("entregue", "wamid.X")
    ]


async def test_6_a_record_is_repeated_when_the_database_is_in_the_way(shop: Shop) -> None:
    """The row is all that keeps a sent reply from going out again."""
    await refuse_once(shop, "UPDATE", "NEW.status = 'enviada'")

    await shop.handle(event("tem onix?"))
    await shop.deliver()

    assert len(shop.phone.outbox) == 1
    assert await statuses(shop) == ["enviada"]


async def test_6_a_worker_that_is_told_to_stop_records_what_it_has_sent(shop: Shop) -> None:
    """The job is cancelled while the database is slow to record: the record is waited for."""
    database = f"empresa_{shop.empresa_id}_db"
    await shop.installation.sql(
        "CREATE TRIGGER hold BEFORE UPDATE ON mensagens FOR EACH ROW IF NEW.status = 'enviada' THEN"
        f" DO GET_LOCK('{database}:at_it', 0); DO GET_LOCK('{database}', 20); END IF",
        database=database,
    )
    await shop.push(event("tem onix?"))
    await shop.drain()
    async with (
        asyncio.timeout(30),
        shop.installation.server.connect(database) as connection,
        connection.cursor() as cursor,
    ):
        await cursor.execute("SELECT GET_LOCK(%s, 0)", (database,))
        delivery = asyncio.create_task(shop.deliver())
        recording = False
        while not recording:
            await cursor.execute("SELECT IS_USED_LOCK(%s)", (f"{database}:at_it",))
            recording = (await cursor.fetchone())[0] is not None
        delivery.cancel()
        _, going_on = await asyncio.wait({delivery}, timeout=0.5)
        assert going_on
        await cursor.execute("DO RELEASE_LOCK(%s)", (database,))
        with pytest.raises(asyncio.CancelledError):
            await delivery

    assert await statuses(shop) == ["enviada"]


async def test_1_a_worker_that_is_told_to_stop_hands_its_dealer_over(shop: Shop) -> None:
    """Its job is cancelled in the middle of a send: no lease is left, and a job is queued."""
    shop.phone.answer_delay_s = 3600
    await shop.push(event("tem onix?"))
    await shop.drain()
    await shop.redis.delete("arq:queue:deliver")
    delivery = asyncio.create_task(shop.deliver())
    await shop.phone.wait_for(1)

    delivery.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivery

    assert not await shop.redis.exists(TaskKeys(shop.empresa_id, Task.DELIVER).lease)
    assert len(await shop.queued(Task.DELIVER)) == 1


async def test_6_an_unknown_result_is_given_up_in_the_end(shop: Shop) -> None:
    """Sent again, three times at most; then a person finds a dead letter."""
    shop.phone.lose_answers(3)
    await shop.push(event("tem onix?"))
    await shop.drain()
    for _ in range(5):
        await shop.deliver()
        await shop.waits_are_over()

    assert 2 <= len(shop.phone.outbox) <= 3
    assert await statuses(shop) == ["falhou"]
    assert [letter["kind"] for letter in await shop.dead()] == ["reply"]


async def test_6_a_channel_that_is_refused_keeps_its_replies(shop: Shop) -> None:
    """An expired token is mended by a person: until then nothing is dropped."""
    shop.phone.fail_next(code=190)
    await shop.handle(event("tem onix?"))
    assert await statuses(shop) == ["pendente"]
    assert await shop.dead() == []

    await shop.waits_are_over()
    await shop.deliver()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]


async def test_9_a_row_that_is_no_message_does_not_block(shop: Shop) -> None:
    """A reply without a text: `falhou` with the reason, and what comes after it goes out."""
    await shop.push(event("um"))
    await shop.drain()
    await shop.execute("UPDATE mensagens SET conteudo = NULL WHERE tipo = 'enviada'")
    await shop.deliver()

    await shop.handle(event("dois"))

    assert await statuses(shop) == ["falhou", "enviada"]
    assert [letter["kind"] for letter in await shop.dead()] == ["reply"]
    assert [sent.text for sent in shop.phone.outbox] == ["eco: dois"]


async def test_9_a_bug_of_an_adapter_does_not_repeat_for_ever(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as an unknown result: a few tries, then a dead letter; others are served."""

    async def broken(*_: object, **__: object) -> Sent:
        raise RuntimeError("a bug")

    monkeypatch.setattr("gateway.cloud_api.adapter.send", broken)
    await shop.push(event("tem onix?"))
    await shop.drain()
    for _ in range(3):
        await shop.deliver()
        await shop.waits_are_over()

    assert await statuses(shop) == ["falhou"]
    assert len(await shop.dead()) == 1


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


async def test_conversations_are_sent_side_by_side(
    installation: Installation, redis_url: str
) -> None:
    """A slow gateway does not make every buyer wait for all others."""
    async with open_shop(installation, redis_url, sends_per_empresa=3) as shop:
        buyers = [f"{int(BUYER) + number}" for number in range(5)]
        await shop.push(*(event("oi", phone=buyer) for buyer in buyers))
        await shop.drain()
        shop.phone.answer_delay_s = 3600
        delivery = asyncio.create_task(shop.deliver())

        await shop.phone.wait_for(3)

        assert len(await shop.rows("SELECT id FROM mensagens WHERE status = 'enviando'")) == 3
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery


async def test_1_a_deadlock_is_repeated_at_once(shop: Shop) -> None:
    """The whole transaction once more: the buyer does not wait for a later job."""
    await refuse_once(shop, "INSERT", "NEW.tipo = 'recebida'")
    await shop.push(event("tem onix?"))

    await shop.drain()

    assert await shop.waiting() == 0
    assert await shop.texts("recebida") == ["tem onix?"]


async def one_pending(conn: TenantConnection) -> tuple[Outbox, OpenReply]:
    """An outbox under the lease EPOCH, and the one reply that it has read."""
    await raise_fence(conn, Task.DELIVER, EPOCH)
    outbox = Outbox(conn, EPOCH)
    (reply,), _ = await outbox.look(now=datetime.now(UTC), most=10)
    return outbox, reply


async def refuse_once(shop: Shop, verb: str, condition: str) -> None:
    """The first such row is refused as a deadlock's victim; a sequence survives the rollback."""
    database = f"empresa_{shop.empresa_id}_db"
    await shop.installation.sql("CREATE SEQUENCE refusals", database=database)
    await shop.installation.sql(
        f"CREATE TRIGGER refuse BEFORE {verb} ON mensagens FOR EACH ROW"
        f" IF {condition} THEN IF NEXTVAL(refusals) = 1 THEN"
        " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF; END IF",
        database=database,
    )


async def statuses(shop: Shop) -> list[str]:
    """Of all replies, in order."""
    rows = await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada' ORDER BY id")
    return [status for (status,) in rows]


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


@pytest.mark.parametrize("became", ["cancelada", "entregue"])
async def test_9_what_was_settled_meanwhile_is_no_dead_letter(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, became: str
) -> None:
    """A seller's echo or a status came during the send: nobody has to look at its refusal."""

    async def refuse(*_: object, **__: object) -> Sent:
        await shop.execute("UPDATE mensagens SET status = %s WHERE tipo = 'enviada'", (became,))
        raise SendRefused("no such number", code=131026)

    monkeypatch.setattr("gateway.cloud_api.adapter.send", refuse)
    await shop.handle(event("tem onix?"))

    assert await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada'") == [(became,)]
    assert await shop.dead() == []
