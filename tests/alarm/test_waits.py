"""No buyer waits unseen, and a healthy dealer's database is not asked."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Turn
from schema.events import EventKind
from tests.alarm.watching import look
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event, open_shop
from worker.alarm.values import Finding, Kind
from worker.drain.turns import Decide
from worker.queue.keys import WAIT_FOR_LUCAS, WAIT_FOR_PERSON, Task, TaskKeys
from worker.queue.scripts import load


def kinds(found: list[Finding]) -> list[str]:
    """Of all that was found."""
    return [one.kind.value for one in found]


def asks_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a question to the dealer's database fails the test."""

    def never(*_: object) -> None:
        pytest.fail("a healthy dealer's database was asked")

    monkeypatch.setattr(shop.tenancy.pools, "connection", never)


async def test_an_answered_buyer_waits_for_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And Redis alone knows it: a thousand healthy dealers cost no question."""
    await shop.handle(event("oi"))
    assert await shop.redis.zscore(WAIT_FOR_LUCAS, str(shop.empresa_id)) is None
    asks_nobody(shop, monkeypatch)

    assert await look(shop, minutes=30) == []


async def test_a_reply_that_does_not_leave_is_a_buyer_who_waits(shop: Shop) -> None:
    """Lucas has decided; the gateway takes nothing. Since when is the time of the message."""
    await shop.push(event("oi"))
    await shop.drain()

    assert await look(shop, minutes=2) == []
    (found,) = await look(shop, minutes=4)

    assert found.kind is Kind.BUYER_WAITS
    assert found.empresa_id == shop.empresa_id
    assert 235 <= int(found.facts["waited_s"]) <= 300
    await shop.deliver()
    assert await look(shop, minutes=5) == []


async def test_nobody_is_hidden_by_a_crash_or_a_drain_beside_the_question(shop: Shop) -> None:
    """The mark is set before anything is stored, and only an idle dealer's is taken away."""
    await shop.push(event("oi"))
    lease = await shop.desk().take(Task.DRAIN, shop.empresa_id, job_id="dies")
    assert lease is not None  # and is never heard of again

    assert await look(shop, minutes=1) == []
    (found,) = await look(shop, minutes=4)

    assert found.kind is Kind.BUYER_WAITS
    assert await shop.redis.zscore(WAIT_FOR_LUCAS, str(shop.empresa_id)) is not None


async def test_an_inbox_that_no_worker_comes_to_is_seen(shop: Shop) -> None:
    """No lease was ever taken: the ring alone says since when."""
    await shop.push(event("oi"))

    assert kinds(await look(shop, minutes=4)) == ["buyer_waits"]


async def test_a_dealer_whose_database_is_away_has_waiting_buyers(
    shop: Shop, installation: Installation
) -> None:
    """The database cannot be asked; the inbox says since when."""
    await installation.central(
        "UPDATE empresas SET db_port = 1, versao = versao + 1 WHERE id = %s", (shop.empresa_id,)
    )
    shop.tenancy.registry.forget(shop.empresa_id)
    await shop.push(event("oi"))
    await shop.drain()

    found = await look(shop, minutes=4)

    assert kinds(found) == ["buyer_waits"]
    assert int(found[0].facts["waited_s"]) >= 235


async def test_who_writes_to_a_seller_waits_for_a_person_until_he_writes(shop: Shop) -> None:
    """Lucas keeps quiet; the seller's next word ends it."""
    await shop.handle(event("oi, aqui é o Paulo", kind=EventKind.HUMAN_ECHO, from_me=True))
    await shop.handle(event("e o preço?"))

    assert await look(shop, minutes=50) == []
    (found,) = await look(shop, minutes=61)
    assert found.kind is Kind.PERSON_WAITS
    assert found.facts["buyers"] == 1

    await shop.handle(event("faço 50 mil", kind=EventKind.HUMAN_ECHO, from_me=True))
    assert await look(shop, minutes=70) == []
    assert await shop.redis.zscore(WAIT_FOR_PERSON, str(shop.empresa_id)) is None


def calling(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """A Lucas who hands over whatever he is told."""
    return Decision(
        bubbles=(Bubble(text="Vou chamar um vendedor."),),
        state={},
        status="em_andamento",
        rule="human",
        handoff="human",
    )


def failing(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """A Lucas with a bug."""
    raise RuntimeError("bug")


@pytest.mark.parametrize("decide", [calling, failing])
async def test_who_was_handed_over_waits_for_a_person(
    installation: Installation, redis_url: str, decide: Decide
) -> None:
    """Lucas called somebody, or failed: an answer of his own does not count as one."""
    async with open_shop(installation, redis_url, decide_turn=decide) as shop:
        await shop.handle(event("quero falar com alguém"))

        assert await look(shop, minutes=50) == []
        assert kinds(await look(shop, minutes=61)) == ["person_waits"]

        await shop.execute("UPDATE conversations SET status = 'fechado'")
        assert await look(shop, minutes=70) == []


async def test_a_closed_store_keeps_nobody_waiting(shop: Shop, installation: Installation) -> None:
    """The limit counts opening time: an hour of it takes this store two days."""
    await installation.central(
        "UPDATE empresas SET horario = %s WHERE id = %s",
        ("seg a dom 0h-0h30", shop.empresa_id),
    )
    await shop.handle(event("oi, aqui é o Paulo", kind=EventKind.HUMAN_ECHO, from_me=True))
    await shop.handle(event("e o preço?"))

    assert await look(shop, minutes=61) == []
    assert kinds(await look(shop, minutes=3 * 24 * 60)) == ["person_waits"]


async def test_a_dealer_without_lucas_raises_no_alarm(
    shop: Shop, installation: Installation
) -> None:
    """He answers by himself, and knows it."""
    await installation.central("UPDATE empresas SET bot_ativo = 0")
    shop.tenancy.registry.forget(shop.empresa_id)
    await shop.handle(event("oi"))

    assert await look(shop, minutes=120) == []


async def test_a_message_during_the_question_is_not_forgotten(shop: Shop) -> None:
    """A drain that ends between question and note leaves its mark in place."""
    keys = TaskKeys(shop.empresa_id, Task.DRAIN)
    await shop.redis.zadd(WAIT_FOR_PERSON, {str(shop.empresa_id): 1})
    await shop.handle(event("oi", phone=BUYER))
    before = b"1"  # an epoch of before that drain

    await load(shop.redis, "settle_wait")(
        keys=[WAIT_FOR_PERSON, keys.epoch], args=[shop.empresa_id, before, "", 5]
    )
    assert await shop.redis.zscore(WAIT_FOR_PERSON, str(shop.empresa_id)) == 5

    epoch = await shop.redis.get(keys.epoch)
    await load(shop.redis, "settle_wait")(
        keys=[WAIT_FOR_PERSON, keys.epoch], args=[shop.empresa_id, epoch, "", 5]
    )
    assert await shop.redis.zscore(WAIT_FOR_PERSON, str(shop.empresa_id)) is None
