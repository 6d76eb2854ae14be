"""A send whose answer got lost: settled by a sign of it, else decided by rule, never blindly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.cloud_api.adapter import CloudApi
from gateway.standin.values import Outgoing
from tests.worker.shop import BUYER, Shop, event
from worker.queue.keys import inbox


async def test_it_waits_for_a_sign(shop: Shop) -> None:
    """The documented window; the conversation's next reply waits with it."""
    shop.phone.lose_answers()
    await shop.handle(event("um"))
    await shop.push(event("dois"))
    await shop.drain()
    await shop.deliver()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: um"]
    ((at,),) = await shop.rows("SELECT tentar_em FROM mensagens WHERE status = 'enviando'")
    wait_s = (at.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
    window_s = shop.settings.worker.unknown_wait_s
    assert window_s - 5 < wait_s <= window_s


async def test_without_a_sign_it_goes_out_once_more(shop: Shop) -> None:
    """The gateway tells of what it took; nothing told, so it was not taken."""
    shop.phone.lose_answers()
    await shop.handle(event("tem onix?"))
    await shop.waits_are_over()
    await shop.deliver()
    await shop.deliver()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"] * 2
    assert await states(shop) == [("enviada", 2)]


async def test_a_sign_that_waits_in_the_inbox_counts(shop: Shop) -> None:
    """A slow drain is no missing sign: first what has come is read."""
    shop.phone.lose_answers()
    await shop.handle(event("tem onix?"))
    (sent,) = shop.phone.outbox
    await a_sign_has_waited(shop, sent)
    await shop.waits_are_over()

    await shop.deliver()
    assert len(shop.phone.outbox) == 1
    await shop.drain()
    await shop.waits_are_over()
    await shop.deliver()

    assert len(shop.phone.outbox) == 1
    assert await states(shop) == [("entregue", 1)]


async def test_a_sign_that_waits_in_the_inbox_counts_after_a_crash_too(shop: Shop) -> None:
    """A database that was away kept both from being written: that it was sent, and its sign."""
    await shop.handle(event("tem onix?"))
    (sent,) = shop.phone.outbox
    await shop.execute(
        "UPDATE mensagens SET status = 'enviando', external_id = NULL, enviada_em = NULL"
        " WHERE tipo = 'enviada'"
    )
    await a_sign_has_waited(shop, sent)

    await shop.deliver()
    await shop.drain()
    await shop.waits_are_over()
    await shop.deliver()

    assert len(shop.phone.outbox) == 1
    assert await states(shop) == [("entregue", 1)]


async def test_unknown_twice_is_for_a_person(shop: Shop) -> None:
    """The second time waits for its sign as well; then nobody knows, and it is not sent again."""
    shop.phone.lose_answers(2)
    await shop.handle(event("tem onix?"))
    await shop.waits_are_over()
    await shop.deliver()
    assert await states(shop) == [("enviando", 2)]
    assert await shop.dead() == []

    await shop.waits_are_over()
    await shop.deliver()

    assert len(shop.phone.outbox) == 2
    assert [status for status, _ in await states(shop)] == ["falhou"]
    assert [letter["kind"] for letter in await shop.dead()] == ["reply"]


async def test_where_nothing_can_tell_a_person_is_shown_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway without echoes and references: a repetition would be blind."""
    monkeypatch.setattr(CloudApi, "traits", replace(CloudApi.traits, tells=False))
    shop.phone.lose_answers()
    await shop.handle(event("um"))
    await shop.handle(event("dois"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: um", "eco: dois"]
    assert [status for status, _ in await states(shop)] == ["falhou", "enviada"]
    assert len(await shop.dead()) == 1


async def test_what_may_be_out_stays_so_when_the_next_try_fails(shop: Shop) -> None:
    """Unknown, then refused for now: still not to be withdrawn as if the buyer had nothing."""
    shop.phone.lose_answers()
    await shop.handle(event("um"))
    shop.phone.fail_next(code=131000, status=500)
    await shop.waits_are_over()
    await shop.deliver()
    assert await states(shop) == [("enviando", 1)]

    await shop.push(event("dois", phone=BUYER))
    await shop.drain()

    assert (await states(shop))[0] == ("enviando", 1)


async def test_a_reply_that_ends_every_worker_is_given_up(shop: Shop) -> None:
    """A crash is followed by another try, but not for ever."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    await shop.execute(
        "UPDATE mensagens SET status = 'enviando', incertas = 5 WHERE tipo = 'enviada'"
    )

    await shop.deliver()

    assert shop.phone.outbox == []
    assert len(await shop.dead()) == 1


async def a_sign_has_waited(shop: Shop, sent: Outgoing) -> None:
    """The gateway's report about a message of ours stands on the inbox since a second ago."""
    await shop.push(
        event(None, kind="status", status="delivered", message_id=sent.id, our_ref=sent.our_ref)
    )
    ((_, fields),) = await shop.redis.xrange(inbox(shop.empresa_id))
    await shop.redis.delete(inbox(shop.empresa_id))
    await shop.redis.xadd(inbox(shop.empresa_id), {**fields, b"at": int(fields[b"at"]) - 1000})


async def states(shop: Shop) -> list[tuple[str, int]]:
    """Status of each reply, and how many sends of it nobody knows about or did until it was out."""
    rows = await shop.rows(
        "SELECT status, incertas FROM mensagens WHERE tipo = 'enviada' ORDER BY id"
    )
    return [(status, count) for status, count in rows]
