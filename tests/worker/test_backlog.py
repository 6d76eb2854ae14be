"""What waited somewhere: answered once when it is all here, or left to a person when too old."""

from __future__ import annotations

import time

from bot.settings import LucasSettings
from schema.events import EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from tests.worker.test_silence import human
from worker.queue.inbox import as_json
from worker.queue.keys import inbox

HOUR = 3600
WAITS = LucasSettings(quiet_complete_s=20, quiet_fragment_s=20, quiet_greeting_s=20)


def ago(hours: float) -> int:
    """Unix seconds of then."""
    return int(time.time() - hours * HOUR)


async def test_a_backlog_is_answered_once(installation: Installation, redis_url: str) -> None:
    """Twenty messages of two buyers in batches of three: one answer each, when all are stored."""
    async with open_shop(installation, redis_url, batch=3) as shop:
        other = "5511980000002"
        await shop.push(
            *(event(str(n), timestamp=ago(2), **({"phone": other} if n % 2 else {}))
              for n in range(20))
        )  # fmt: skip

        await shop.drain()
        await shop.deliver()

        assert sorted(sent.text or "" for sent in shop.phone.outbox) == [
            "eco: " + " | ".join(str(n) for n in range(0, 20, 2)),
            "eco: " + " | ".join(str(n) for n in range(1, 20, 2)),
        ]
        assert await shop.rows("SELECT COUNT(*) FROM mensagens WHERE status = 'cancelada'") == [
            (0,)
        ]


async def test_days_of_the_past_are_a_persons(shop: Shop) -> None:
    """Older than a day: stored, not answered, and the conversation is marked for people."""
    await shop.handle(event("quero o onix", timestamp=ago(30)))

    assert shop.phone.outbox == []
    assert await shop.texts("recebida") == ["quero o onix"]
    ((why, since),) = await shop.rows("SELECT atencao, atencao_em FROM conversations")
    assert "mais de 24 horas" in why
    assert since is not None
    (decision,) = await shop.decisions()
    assert decision["rule"] == "silent"


async def test_the_mark_goes_with_a_persons_word(shop: Shop) -> None:
    """Whoever of the shop writes has seen to it."""
    await shop.handle(event("quero o onix", timestamp=ago(30)))

    await shop.handle(human("desculpe a demora"))

    assert await shop.rows("SELECT atencao FROM conversations") == [(None,)]


async def test_what_is_asked_today_is_answered_beside_it(shop: Shop) -> None:
    """An old message that comes late takes nothing from the turn that is due."""
    await shop.push(event("tem argo?"), event("velha", timestamp=ago(30)))
    await shop.drain()
    await shop.push(event("outra velha", timestamp=ago(31)))

    await shop.handle()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem argo?"]
    assert await shop.rows("SELECT last_message FROM conversations") == [("eco: tem argo?",)]


async def test_a_seller_who_answered_then_has_answered(shop: Shop) -> None:
    """Question and human answer are both of two hours ago: nothing is left for Lucas, and the
    pause counts from then."""
    await shop.handle(event("tem argo?", timestamp=ago(6)), human("tenho", timestamp=ago(5)))
    assert shop.phone.outbox == []

    await shop.handle(event("e onix?"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: e onix?"]


async def test_the_gateways_history_is_no_news(shop: Shop) -> None:
    """What a phone synchronises is of no kind that is stored."""
    await shop.handle(event("antiga", kind=EventKind.IGNORED, reason="field: history"))

    assert await shop.texts("recebida") == []
    assert shop.phone.outbox == []


async def test_what_waited_on_our_own_side_is_as_late(shop: Shop) -> None:
    """It came in time and was read a day later, after a pause or an outage: stored, for a person
    to see to, and listed."""
    then = int((time.time() - 30 * HOUR) * 1000)
    told = as_json(event("quero o onix", timestamp=ago(30)))
    await shop.redis.xadd(inbox(shop.empresa_id), {"event": told, "at": then})

    await shop.handle()

    assert shop.phone.outbox == []
    assert await shop.texts("recebida") == ["quero o onix"]
    assert [letter["kind"] for letter in await shop.dead()] == ["late"]
    assert await shop.rows("SELECT atencao IS NULL FROM conversations") == [(0,)]


async def test_a_turn_that_became_due_a_day_ago_is_a_persons(
    installation: Installation, redis_url: str
) -> None:
    """Stored before a pause, due in it: nobody is answered a day later, one letter, and what the
    buyer writes next is answered alone."""
    async with open_shop(installation, redis_url, lucas=WAITS) as shop:
        await shop.handle(event("quero o onix"))
        await shop.execute(
            "UPDATE conversations SET responder_em = UTC_TIMESTAMP() - INTERVAL 25 HOUR,"
            " sem_resposta_desde = UTC_TIMESTAMP() - INTERVAL 26 HOUR"
        )

        await shop.handle()
        await shop.handle()

        assert shop.phone.outbox == []
        ((why,),) = await shop.rows("SELECT atencao FROM conversations")
        assert "24 horas" in why
        assert [letter["kind"] for letter in await shop.dead()] == ["late"]
        (decision,) = await shop.decisions()
        assert decision["rule"] == "silent"
        await shop.handle(event("alguém?"))
        await shop.execute(
            "UPDATE conversations SET responder_em = UTC_TIMESTAMP() - INTERVAL 1 MINUTE"
        )
        await shop.handle()
        assert [sent.text for sent in shop.phone.outbox] == ["eco: alguém?"]


async def test_an_outage_is_answered_once_too(installation: Installation, redis_url: str) -> None:
    """Messages that waited on the inbox for longer than ten minutes are a backlog as well."""
    async with open_shop(installation, redis_url, batch=3) as shop:
        for n in range(10):
            told = as_json(event(str(n), timestamp=ago(2)))
            await shop.redis.xadd(inbox(shop.empresa_id), {"event": told, "at": ago(2) * 1000})

        await shop.handle()

        assert [sent.text for sent in shop.phone.outbox] == [
            "eco: " + " | ".join(str(n) for n in range(10))
        ]
