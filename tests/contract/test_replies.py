"""The way out: replies on a stream until they are reported, once each and in order."""

from __future__ import annotations

import json
import socket
import time

import pytest
from redis.asyncio import Redis

from gateway.redis_stream.send import HandOver, mark_of
from schema.channels import Channel
from schema.errors import AwaitReport, SendRefused, SendUnknown
from schema.replies import Reply
from tests.contract.conftest import CHANNEL, GROUP, STREAM, Settled
from tests.worker.shop import BUYER
from worker.queue.keys import Task

_CHANNEL = Channel(id=1, empresa_id=42, gateway="redis", identifier=CHANNEL, webhook_token="w")
_REPLY = Reply(to=BUYER, text="oi", our_ref="42:7")


async def _answered(settled: Settled) -> None:
    await settled.gateway.start()
    await settled.gateway.buyer_writes("tem onix?", "A1")
    await settled.shop.drain()
    await settled.shop.deliver()


async def _next_round(settled: Settled) -> None:
    """What the report wakes: the drain stores it and rings for the delivery."""
    await settled.shop.drain()
    assert await settled.shop.queued(Task.DELIVER) != []
    await settled.shop.deliver()


async def test_3_a_reply_follows_only_when_the_one_before_it_is_reported(settled: Settled) -> None:
    """In order whatever the gateway's consumers do: there is one open reply per conversation."""
    await _answered(settled)

    (first,) = await settled.gateway.take()
    assert json.loads(first["reply"]) == {
        "to": BUYER, "kind": "text", "text": "um: tem onix?", "options": [], "our_ref": first["ref"]
    }  # fmt: skip
    assert int(first["expires"]) > time.time() * 1000
    await settled.look_again()
    assert await settled.gateway.take() == []
    assert await settled.statuses() == ["enviando", "pendente"]

    await settled.gateway.report(first["ref"], "sent", message_id="N1")
    await _next_round(settled)

    (second,) = await settled.gateway.take()
    assert json.loads(second["reply"])["text"] == "dois: tem onix?"
    assert await settled.statuses() == ["enviada", "enviando"]
    rows = await settled.shop.rows(
        "SELECT external_id, erro, tentar_em, enviada_em IS NULL FROM mensagens"
        " WHERE status = 'enviada' AND autor = 'lucas'"
    )
    assert rows == [("N1", None, None, 0)]


async def test_6_however_often_it_is_looked_at_a_reply_has_one_entry(settled: Settled) -> None:
    """A worker that died after the hand-over, a look after the time limit: no second entry."""
    await _answered(settled)
    for _ in range(3):
        await settled.look_again()

    assert len(await settled.gateway.standing()) == 1
    await settled.gateway.take()
    for _ in range(3):
        await settled.look_again()

    assert len(await settled.gateway.standing()) == 1
    assert (await settled.statuses())[0] == "enviando"


async def test_6_what_is_reported_and_not_yet_stored_is_not_sent_again(settled: Settled) -> None:
    """The report is on the inbox, the drain has not come to it: the reply is left alone."""
    await _answered(settled)
    (taken,) = await settled.gateway.take()
    await settled.gateway.report(taken["ref"], "sent", message_id="N1")

    await settled.look_again()

    assert await settled.gateway.standing() == []
    await settled.shop.drain()
    assert (await settled.statuses())[0] == "enviada"


async def test_a_report_takes_the_reply_off_the_stream(settled: Settled) -> None:
    """One call acknowledges and reports: nothing stays pending in the group."""
    await _answered(settled)
    (taken,) = await settled.gateway.take()

    await settled.gateway.report(taken["ref"], "sent", message_id="N1")

    assert await settled.gateway.redis.xlen(STREAM) == 0
    assert (await settled.gateway.redis.xpending(STREAM, GROUP))["pending"] == 0


async def test_a_refused_reply_fails_with_code_and_words_and_the_next_one_goes(
    settled: Settled,
) -> None:
    """A gateway that could not send has no message id; the reference is enough."""
    await _answered(settled)
    (taken,) = await settled.gateway.take()

    await settled.gateway.report(
        taken["ref"], "failed", error_code=470, error_text="número sem WhatsApp"
    )
    await _next_round(settled)

    assert await settled.statuses() == ["falhou", "enviando"]
    ((error,),) = await settled.shop.rows("SELECT erro FROM mensagens WHERE status = 'falhou'")
    assert error == "O WhatsApp não entregou a mensagem. (código 470: número sem WhatsApp)"


async def test_later_steps_are_told_by_the_gateways_id_alone(settled: Settled) -> None:
    """`delivered` and `read` need no reference once `sent` has brought the id."""
    await _answered(settled)
    (taken,) = await settled.gateway.take()
    await settled.gateway.report(taken["ref"], "sent", message_id="N1")
    await settled.shop.drain()

    await settled.gateway.push(
        {"kind": "status", "gateway": "redis", "channel": CHANNEL, "message_id": "N1",
         "status": "read"}
    )  # fmt: skip
    await settled.shop.drain()

    assert (await settled.statuses())[0] == "lida"


async def test_a_reply_that_is_put_back_by_a_person_goes_out_once_more(settled: Settled) -> None:
    """A replay deletes the mark of the first time; without that the report would stop it."""
    await _answered(settled)
    (taken,) = await settled.gateway.take()
    await settled.gateway.report(taken["ref"], "failed", error_code=1)
    await settled.shop.drain()
    empresa, row = taken["ref"].split(":")

    await settled.shop.redis.delete(mark_of(int(empresa), int(row)))
    await settled.shop.execute("UPDATE mensagens SET status = 'pendente' WHERE id = %s", (row,))
    await settled.look_again()

    (again,) = await settled.gateway.take()
    assert (again["ref"], again["attempt"]) == (taken["ref"], "1")


async def test_6_a_dead_consumers_reply_is_claimed_by_another(settled: Settled) -> None:
    """XAUTOCLAIM as the page shows it: still one entry, one report, one row."""
    await _answered(settled)
    (taken,) = await settled.gateway.take("dies")

    _, claimed, _ = await settled.gateway.redis.xautoclaim(STREAM, GROUP, "b", min_idle_time=0)
    ((_, fields),) = claimed
    assert fields[b"ref"].decode() == taken["ref"]
    await settled.gateway.report(taken["ref"], "sent", message_id="N1")
    await settled.shop.drain()

    assert (await settled.statuses())[0] == "enviada"
    assert await settled.gateway.redis.xlen(STREAM) == 0


async def test_8_another_dealers_gateway_cannot_report_on_a_reply(settled: Settled) -> None:
    """The reference must be of the empresa whose inbox is pushed to."""
    await _answered(settled)
    (taken,) = await settled.gateway.take()
    other = settled.gateway.__class__(settled.gateway.redis, settled.gateway.empresa + 1)

    await other.report(taken["ref"], "sent", message_id="N1")

    assert len(await settled.gateway.standing()) == 1


async def test_10_an_entry_that_nobody_takes_is_renewed_and_never_old(redis: Redis) -> None:
    """Each look puts it there anew, so what a late gateway finds was true a moment ago."""
    hand_over = HandOver(redis, renewal_s=-1)
    seen = set()
    for _ in range(3):
        with pytest.raises(AwaitReport, match="waiting"):
            await hand_over.send(_CHANNEL, _REPLY)
        ((stream_id, fields),) = await redis.xrange(STREAM)
        seen.add(stream_id)

    assert len(seen) == 3
    assert fields[b"attempt"] == b"1"
    made_ms = int(stream_id.partition(b"-")[0])
    assert (
        45_000 - 100 <= int(fields[b"expires"]) - made_ms <= 45_000
    )  # the id is made a moment later


async def test_9_a_reply_that_is_taken_and_never_reported_is_given_up_in_the_end(
    redis: Redis,
) -> None:
    """Handed out twice, then a dead letter: the conversation is not held for ever."""
    hand_over = HandOver(redis, life_s=0, grace_s=-1)
    with pytest.raises(AwaitReport, match="waiting"):
        await hand_over.send(_CHANNEL, _REPLY)
    await redis.xreadgroup(GROUP, "a", {STREAM: ">"})
    with pytest.raises(AwaitReport, match="waiting"):
        await hand_over.send(_CHANNEL, _REPLY)
    ((_, entries),) = await redis.xreadgroup(GROUP, "a", {STREAM: ">"})
    assert entries[0][1][b"attempt"] == b"2"

    with pytest.raises(SendUnknown):
        await hand_over.send(_CHANNEL, _REPLY)

    assert await redis.xlen(STREAM) == 0
    assert (await redis.xpending(STREAM, GROUP))["pending"] == 0


async def test_an_acknowledged_entry_without_a_report_counts_as_taken(redis: Redis) -> None:
    """XACK alone says nothing about the message: it is not handed out again at once."""
    hand_over = HandOver(redis, renewal_s=-1)
    with pytest.raises(AwaitReport):
        await hand_over.send(_CHANNEL, _REPLY)
    ((_, entries),) = await redis.xreadgroup(GROUP, "a", {STREAM: ">"})
    await redis.xack(STREAM, GROUP, entries[0][0])

    with pytest.raises(AwaitReport, match="taken"):
        await hand_over.send(_CHANNEL, _REPLY)


async def test_a_redis_that_is_away_leaves_the_reply_open() -> None:
    """It may stand on the stream by now, so it is neither failed nor put back."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refused
        async with Redis(host="127.0.0.1", port=closed.getsockname()[1]) as away:
            with pytest.raises(AwaitReport):
                await HandOver(away).send(_CHANNEL, _REPLY)


@pytest.mark.parametrize("ref", [None, "43:7", "42", "42:x"])
async def test_a_reply_that_cannot_be_reported_on_is_refused(redis: Redis, ref: str | None) -> None:
    """Without the reference its row would stay open for ever."""
    with pytest.raises(SendRefused):
        await HandOver(redis).send(_CHANNEL, _REPLY.model_copy(update={"our_ref": ref}))
