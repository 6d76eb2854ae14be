"""A failed turn or reply is taken up again once, and only where the talk has not moved on."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.stock import Stock
from bot.values import Dealer, Decision, Turn
from gateway.adapters import ADAPTERS
from schema.events import EventKind
from tests.dead.acts import forget_rings, letters, outcomes, replay
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, echo, event, open_shop
from tests.worker.test_merge import lead
from tests.worker.test_people import BSUID
from worker.dead.letter import Kind
from worker.dead.replay import Replayer
from worker.dead.results import Outcome, Result
from worker.dead.turn import MOVED_ON
from worker.fence import after_the_drain
from worker.queue.dead_letters import DeadLetters
from worker.queue.keys import Task

LONG_AGO_MS = 1_700_000_000_000


class Fragile:
    """A Lucas with a bug in him, until it is mended."""

    def __init__(self) -> None:
        self.broken = True

    def __call__(self, turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
        if self.broken:
            raise RuntimeError(f"a bug about {turn.messages[0].text}")
        return echo(turn, stock=stock, dealer=dealer, now=now)


async def test_9_a_failed_turn_is_taken_with_what_was_written_since(
    installation: Installation, redis_url: str
) -> None:
    """Two turns that failed are one answer; replayed by two at once and again, it stays one."""
    lucas = Fragile()
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        await shop.handle(event("tem onix?"))
        await shop.handle(event("ou argo?"))
        found = await letters(shop, kind=Kind.TURN)
        lucas.broken = False

        planned = await replay(shop, *found, plan=True)
        results = await replay(shop, *found, *found)
        await shop.drain()
        await shop.deliver()
        again = await replay(shop, *found)
        await shop.drain()
        await shop.deliver()

        assert outcomes(planned) == {Outcome.REPLAYED: 2}
        assert outcomes(results)[Outcome.REPLAYED] == 2, results
        assert outcomes(again)[Outcome.REPLAYED] == 0
        assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix? | ou argo?"]
        assert await letters(shop) == []
        assert await shop.rows("SELECT COUNT(*) FROM mensagens WHERE erro IS NOT NULL") == [(0,)]


async def test_5_a_turn_whose_conversation_has_moved_on_stays(
    installation: Installation, redis_url: str
) -> None:
    """A seller has answered: Lucas does not come after him, and the letter waits for a person."""
    lucas = Fragile()
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        await shop.handle(event("tem onix?"))
        await shop.handle(event("Tenho sim!", kind=EventKind.HUMAN_ECHO, from_me=True))
        lucas.broken = False

        (result,) = await replay(shop, *await letters(shop))
        await shop.drain()

        assert result == Result(Outcome.STAYS, MOVED_ON)
        assert len(await letters(shop)) == 1
        assert await shop.texts("enviada") == ["Tenho sim!"]


async def test_5_a_replay_waits_for_what_the_drain_is_writing(
    installation: Installation, redis_url: str
) -> None:
    """A seller's answer that is being stored at this moment counts: no turn comes after it."""
    lucas = Fragile()
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        await shop.handle(event("tem onix?"))
        found = await letters(shop)
        async with shop.tenancy.pools.transaction(shop.empresa_id) as draining:
            await after_the_drain(draining)
            await draining.execute(
                "INSERT INTO mensagens (conversation_id, customer_id, tipo, autor)"
                " SELECT id, customer_id, 'enviada', 'vendedor' FROM conversations"
            )
            replaying = asyncio.create_task(replay(shop, *found))
            async with asyncio.timeout(10):
                while not [
                    sql for _, sql in await installation.processes() if "_leases" in str(sql)
                ]:
                    assert not replaying.done()

        assert await replaying == [Result(Outcome.STAYS, MOVED_ON)]


async def test_5_a_turn_stays_while_lucas_has_to_keep_quiet(
    installation: Installation, redis_url: str
) -> None:
    """A person has paused him, or the dealer has switched him off: the letter waits."""
    lucas = Fragile()
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        await shop.handle(event("tem onix?"))
        lucas.broken = False
        pause = "UPDATE conversations SET bot_pausado_ate = UTC_TIMESTAMP() + INTERVAL %s HOUR"

        await shop.execute(pause, (1,))
        paused = await replay(shop, *await letters(shop))
        await shop.execute(pause, (-1,))
        await installation.central("UPDATE empresas SET bot_ativo = 0")
        off = await replay(shop, *await letters(shop))
        await installation.central("UPDATE empresas SET bot_ativo = 1")
        on = await replay(shop, *await letters(shop))

        assert [result.outcome for result in (*paused, *off, *on)] == [
            Outcome.STAYS,
            Outcome.STAYS,
            Outcome.REPLAYED,
        ]


async def test_a_turn_that_is_a_day_late_is_given_to_a_person(
    installation: Installation, redis_url: str
) -> None:
    """It is not answered; it is listed as late, and goes on being so however often replayed."""
    lucas = Fragile()
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        await shop.handle(event("tem onix?"))
        await shop.execute("UPDATE mensagens SET recebida_em = recebida_em - INTERVAL 25 HOUR")
        lucas.broken = False

        (result,) = await replay(shop, *await letters(shop))
        (late,) = await letters(shop, kind=Kind.LATE)
        (again,) = await replay(shop, late)
        await shop.drain()

        assert (result.outcome, again.outcome) == (Outcome.LATE, Outcome.LATE)
        assert await letters(shop) == [late]
        assert late.conversation_id is not None
        assert await shop.texts("enviada") == []


async def test_what_a_drain_finds_too_late_is_listed(shop: Shop) -> None:
    """`keep_late` is all that a drain has to call."""
    await DeadLetters(shop.redis).keep_late(shop.empresa_id, 7, since_ms=LONG_AGO_MS)

    (late,) = await letters(shop, kind=Kind.LATE, empresa_id=shop.empresa_id)

    assert (late.conversation_id, late.cause) == (7, "more than 24 h late")


async def test_9_a_reply_that_was_refused_is_sent_again(shop: Shop) -> None:
    """Once, however many replay it; what it states is looked at when it is sent."""
    shop.phone.fail_next(code=131026)
    await shop.handle(event("tem onix?"))
    (letter,) = await letters(shop)
    assert (letter.kind, letter.cause) == (Kind.REPLY, "SendRefused 131026")
    await forget_rings(shop)

    results = await replay(shop, *[letter] * 4)
    assert len(await shop.queued(Task.DELIVER)) == 1
    await shop.deliver()

    assert outcomes(results)[Outcome.REPLAYED] == 1
    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
    assert await letters(shop) == []


async def test_9_a_replayed_reply_begins_anew(shop: Shop) -> None:
    """Its result was unknown twice; replayed, a busy gateway makes it wait like any other."""
    shop.phone.lose_answers(2)
    await shop.handle(event("tem onix?"))
    for _ in range(2):
        await shop.waits_are_over()
        await shop.deliver()
    (letter,) = await letters(shop)
    assert letter.cause == "result unknown, twice"
    before = len(shop.phone.outbox)

    await replay(shop, letter)
    shop.phone.fail_next(code=130429)
    await shop.deliver()
    await shop.waits_are_over()
    await shop.deliver()

    assert len(shop.phone.outbox) == before + 1
    assert await letters(shop) == []


async def test_9_a_failed_turn_is_found_after_a_merge(
    installation: Installation, redis_url: str
) -> None:
    """Its conversation became part of another, its number changed: the buyer still waits."""
    lucas = Fragile()
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        lucas.broken = False
        await shop.handle(event("um"))
        lucas.broken = True
        await shop.handle(lead("tem onix?"))
        (letter,) = await letters(shop)
        await shop.push(event(None, kind=EventKind.TYPING, user_id=BSUID))
        await shop.drain()
        assert len(await shop.rows("SELECT id FROM conversations")) == 1
        lucas.broken = False

        (result,) = await replay(shop, letter)
        await shop.drain()
        await shop.deliver()

        assert result.outcome is Outcome.REPLAYED, result
        assert shop.phone.outbox[-1].text == "eco: tem onix?"
        assert await letters(shop) == []


async def test_3_a_reply_is_not_sent_after_the_talk_has_moved_on(shop: Shop) -> None:
    """The buyer wrote again and has his answer: an old one must not come after it."""
    shop.phone.fail_next(code=131026)
    await shop.handle(event("tem onix?"))
    await shop.handle(event("e argo?"))

    (result,) = await replay(shop, *await letters(shop))
    await shop.deliver()

    assert (result.outcome, len(await letters(shop))) == (Outcome.STAYS, 1)
    assert [sent.text for sent in shop.phone.outbox] == ["eco: e argo?"]


async def test_7_a_dealer_without_a_database_keeps_his_letters_and_stops_no_other(
    installation: Installation, redis_url: str
) -> None:
    """His turn stays, with the reason; the one behind it is replayed."""
    lucas = Fragile()
    async with (
        open_shop(installation, redis_url, 1, decide_turn=lucas) as one,
        open_shop(installation, redis_url, 2, decide_turn=lucas) as two,
    ):
        await one.handle(event("tem onix?"))
        await two.handle(event("tem onix?", channel="loja-2"))
        await installation.central(
            "UPDATE empresas SET db_name = 'nowhere', versao = versao + 1 WHERE id = %s",
            (one.empresa_id,),
        )
        async with installation.tenancy() as tenancy:
            replayer = Replayer(one.redis, tenancy, ADAPTERS)

            results = [await replayer.replay(letter) for letter in await letters(one)]

        assert [result.outcome for result in results] == [Outcome.STAYS, Outcome.REPLAYED]
        assert [letter.empresa_id for letter in await letters(one)] == [one.empresa_id]
