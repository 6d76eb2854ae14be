"""What keeps a reply from going out twice, too late or never: claims, records, repetitions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from schema.errors import SendRefused
from schema.replies import Sent
from tests.tenancy.installation import Installation
from tests.worker.outbox import EPOCH, one_pending, refuse_once, statuses
from tests.worker.shop import BUYER, Shop, event, open_shop
from worker.deliver.anew import take_anew
from worker.fence import raise_fence
from worker.queue.keys import Task, TaskKeys
from worker.queue.lease import LeaseLost


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
