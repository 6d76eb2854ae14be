"""Channels that stop, slow down or hang: one alarm, no doomed sends, and back by themselves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event, open_shop
from tests.worker.test_window import set_limits
from worker.deliver.gate import stopped
from worker.queue.keys import Task

BUYERS = [f"{int(BUYER) + number}" for number in range(12)]


async def test_bad_credentials_are_one_alarm_and_not_one_per_reply(shop: Shop) -> None:
    """Twelve replies: one send at a time finds out, the others are not even claimed."""
    shop.phone.fail_next(100, code=190)
    await shop.push(*(event("oi", phone=buyer) for buyer in BUYERS))
    await shop.drain()
    with capture_logs() as lines:
        await shop.deliver()
        await shop.deliver()

    alarms = [line for line in lines if line["log_level"] == "critical"]
    assert [line["event"] for line in alarms] == ["channel stopped"]
    ((claimed,),) = await shop.rows("SELECT SUM(tentativas > 0) FROM mensagens")
    assert claimed <= shop.settings.worker.sends_per_empresa
    assert await pending(shop) == len(BUYERS)
    assert await stopped(shop.redis) == 1


async def test_renewed_credentials_bring_a_channel_back(shop: Shop) -> None:
    """Without waiting for a probe: everything that waited goes out, nothing twice."""
    shop.phone.fail_next(4, code=190)
    await shop.push(*(event("oi", phone=buyer) for buyer in BUYERS))
    await shop.drain()
    await shop.deliver()
    assert shop.phone.outbox == []
    left = 4 - await tries(shop)
    shop.phone.forget_faults()
    assert left >= 0

    await set_limits(shop, {"per_second": 70})  # any change of the channel's row counts
    await shop.deliver()

    assert sorted(sent.to for sent in shop.phone.outbox) == BUYERS
    assert await stopped(shop.redis) == 0


async def test_a_probe_brings_a_channel_back(shop: Shop) -> None:
    """The gateway accepts the token again: one send finds out, then all others follow."""
    shop.phone.fail_next(code=190)
    await shop.handle(event("oi"))
    await shop.waits_are_over()
    await shop.push(*(event("oi", phone=buyer) for buyer in BUYERS[1:]))
    await shop.drain()

    await shop.deliver()
    await shop.deliver()

    assert {sent.to for sent in shop.phone.outbox} == set(BUYERS)


async def test_a_stopped_channel_is_looked_at_again(shop: Shop) -> None:
    """The job comes back in half a minute at the latest: a person may have mended it."""
    shop.phone.fail_next(code=190)
    await shop.handle(event("oi"))
    seconds, _ = await shop.redis.time()

    ((_, due_ms),) = await shop.queued(Task.DELIVER)

    assert due_ms / 1000 <= seconds + 31


async def test_a_switched_off_channel_keeps_its_replies(shop: Shop) -> None:
    """Nothing is asked of its gateway; switched on, they go out."""
    await shop.push(event("oi"))
    await shop.drain()
    await switch(shop, on=False)
    await shop.deliver()
    assert shop.phone.outbox == []
    await switch(shop, on=True)
    await shop.deliver()

    assert len(shop.phone.outbox) == 1


async def test_a_busy_number_slows_down_without_using_up_its_replies(shop: Shop) -> None:
    """130429: the channel pauses; nothing is claimed meanwhile, and all goes out afterwards."""
    shop.phone.fail_next(code=130429)
    await shop.push(*(event("oi", phone=buyer) for buyer in BUYERS))
    await shop.drain()
    await shop.deliver()
    sent_at_first = len(shop.phone.outbox)
    assert sent_at_first < len(BUYERS)
    await shop.deliver()
    assert len(shop.phone.outbox) == sent_at_first

    await shop.waits_are_over()
    await shop.deliver()
    await shop.waits_are_over()
    await shop.deliver()

    assert sorted(sent.to for sent in shop.phone.outbox) == BUYERS


async def test_a_long_conversation_does_not_use_up_a_paced_number(
    installation: Installation, redis_url: str
) -> None:
    """Five bubbles for one buyer, one for another: the other is second, not sixth."""

    async with open_shop(installation, redis_url) as shop:
        await set_limits(shop, {"gap_s": [2, 2]})
        await shop.push(event("a"), event("b", phone=BUYERS[1]))
        await shop.drain()
        await shop.execute(
            "INSERT INTO mensagens (conversation_id, customer_id, tipo, conteudo, autor, status,"
            " canal_id, tipo_conteudo, endereco, turno, gravada_em)"
            " SELECT m.conversation_id, m.customer_id, 'enviada', CONCAT('mais ', n.n), 'lucas',"
            " 'pendente', m.canal_id, 'text', m.endereco, m.turno, m.gravada_em"
            " FROM mensagens m JOIN (SELECT 1 n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) n"
            " WHERE m.conteudo = 'eco: a'"
        )
        for _ in range(3):
            await shop.deliver()
            await shop.execute("UPDATE mensagens SET tentar_em = NULL")
            await next_slot(shop)

        assert {sent.text for sent in shop.phone.outbox[:2]} == {"eco: a", "eco: b"}
        assert [sent.text for sent in shop.phone.outbox[2:]] == ["mais 1"]


async def test_a_reply_that_waits_for_its_pace_takes_no_place(
    installation: Installation, redis_url: str
) -> None:
    """It puts itself off: the job ends at once and is queued for then."""
    async with open_shop(installation, redis_url) as shop:
        await set_limits(shop, {"gap_s": [60, 60]})
        await shop.push(event("a"), event("b", phone=BUYERS[1]))
        await shop.drain()

        async with asyncio.timeout(5):
            await shop.deliver()

        assert len(shop.phone.outbox) == 1
        ((_, due_ms),) = await shop.queued(Task.DELIVER)
        seconds, _ = await shop.redis.time()
        assert 50 < due_ms / 1000 - seconds <= 61


async def test_the_gateways_wish_to_wait_is_kept(shop: Shop) -> None:
    """Retry-After is a floor for the backoff, not a hint."""
    shop.phone.fail_next(code=131000, status=500, retry_after_s=90)
    await shop.handle(event("oi"))

    ((wait_s,),) = await shop.rows(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), tentar_em) FROM mensagens"
        " WHERE tipo = 'enviada'"
    )
    assert 85 <= wait_s <= 90 * 1.2


async def test_a_gateway_that_hangs_is_left_alone(
    installation: Installation, redis_url: str
) -> None:
    """After the first time-outs the job ends, long before its slice, and so does the next one."""
    async with asyncio.timeout(20), open_shop(installation, redis_url, slice_s=60) as shop:
        shop.phone.lose_answers(4)
        await shop.push(*(event("oi", phone=buyer) for buyer in BUYERS))
        await shop.drain()
        await shop.deliver()
        reached = len(shop.phone.outbox)

        await shop.deliver()

        assert len(shop.phone.outbox) == reached <= 4
        assert await pending(shop) == len(BUYERS) - reached


@pytest.mark.parametrize("limits", [{"per_second": "many"}, {"unknown": 1}])
async def test_limits_that_cannot_be_hold_up_the_channel_alone(
    shop: Shop, limits: dict[str, object]
) -> None:
    """A slip in `canais.limites` is said, and nothing is lost."""
    await set_limits(shop, limits)
    with capture_logs() as lines:
        await shop.handle(event("oi"))

    assert "channel not usable" in [line["event"] for line in lines]
    assert await pending(shop) == 1


async def pending(shop: Shop) -> int:
    """Replies that have not begun to go out."""
    ((count,),) = await shop.rows("SELECT COUNT(*) FROM mensagens WHERE status = 'pendente'")
    return int(count)


async def tries(shop: Shop) -> int:
    """Claims of all replies."""
    ((count,),) = await shop.rows("SELECT SUM(tentativas) FROM mensagens WHERE tipo = 'enviada'")
    return int(count)


async def switch(shop: Shop, *, on: bool) -> None:
    """In the registry, as a person does."""
    await shop.installation.central(
        "UPDATE canais SET ativo = %s WHERE id = %s", (on, shop.channel.id)
    )
    shop.tenancy.registry.forget(shop.empresa_id)


async def next_slot(shop: Shop) -> None:
    """Moves a paced channel's time on by one interval, as the clock would."""
    key = f"helix:{{{shop.empresa_id}}}:canal:{shop.channel.id}"
    redis: Any = shop.redis  # typed as if a synchronous client might have been given
    for name in await redis.keys(f"{key}*"):
        for field in ("pace:tat", "pace:tail", "pace:slot"):
            at = await redis.hget(name, field)
            if at is not None:
                await redis.hset(name, field, float(at) - 2000)
