"""A buyer who floods is slowed alone: all is stored, few turns are taken, nobody else waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.tenancy.installation import Installation
from tests.worker.shop import AT_ONCE, Shop, event, open_shop
from worker.drain.conversations import Conversation
from worker.drain.pace import in_pace

PACED = AT_ONCE.model_copy(update={"turns_per_min": 3})
FLOODING, QUIET = "5511980000001", "5511980000002"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


async def turns(shop: Shop, phone: str) -> int:
    """Decisions for a buyer, withdrawn ones too: each has cost as much."""
    ((count,),) = await shop.rows(
        "SELECT COUNT(m.decisao) FROM mensagens m JOIN customers c ON c.id = m.customer_id"
        " WHERE c.phone = %s AND m.tipo = 'enviada'",
        (phone,),
    )
    return int(count)


async def test_hundreds_of_messages_cost_a_few_turns(
    installation: Installation, redis_url: str
) -> None:
    """One message after the other, each drained at once: stored in order, three turns, the rest
    waits for its time and is then one answer."""
    async with open_shop(installation, redis_url, lucas=PACED) as shop:
        for number in range(200):
            await shop.push(event(str(number), phone=FLOODING))
            if number % 5 == 0:
                await shop.drain()
        await shop.drain()

        assert await shop.texts("recebida") == [str(number) for number in range(200)]
        assert await turns(shop, FLOODING) == 3
        ((due, since),) = await shop.rows(
            "SELECT responder_em, sem_resposta_desde FROM conversations"
        )
        assert timedelta(0) < due - since < timedelta(seconds=21)
        await shop.execute("UPDATE conversations SET ritmo_em = NULL, responder_em = '2020-01-01'")
        await shop.drain()
        assert await turns(shop, FLOODING) == 4
        assert (await shop.texts("enviada"))[-1].endswith("198 | 199")


async def test_7_the_other_buyers_of_the_dealer_do_not_wait(
    installation: Installation, redis_url: str
) -> None:
    """He writes in the middle of the flood: answered by the drain that stores him."""
    async with open_shop(installation, redis_url, lucas=PACED) as shop:
        for number in range(20):
            await shop.handle(event(str(number), phone=FLOODING))
        await shop.handle(event("tem onix?", phone=QUIET), event("20", phone=FLOODING))

        assert "eco: tem onix?" in [sent.text for sent in shop.phone.outbox]
        assert await turns(shop, QUIET) == 1


def test_the_pace_is_so_many_at_once_and_then_even() -> None:
    """Three a minute: three at once, then one every 20 s, three again after a quiet minute."""
    talk = _talk()
    taken = [
        bool(in_pace([talk], per_min=3, now=NOW + timedelta(seconds=s)))
        for s in (0, 0, 0, 0, 19, 20, 21, 40, 100, 100, 100, 100)
    ]

    assert taken == [True, True, True, False, False, True, False, True, True, True, True, False]


def test_who_waits_is_due_when_his_time_has_come() -> None:
    """Not a moment later, and no turn is counted for waiting."""
    talk = _talk()
    for _ in range(3):
        in_pace([talk], per_min=3, now=NOW)
    reached = talk.ritmo_em

    assert in_pace([talk], per_min=3, now=NOW) == []

    assert talk.responder_em == NOW + timedelta(seconds=20)
    assert talk.ritmo_em == reached
    assert in_pace([talk], per_min=3, now=talk.responder_em) == [talk]


def test_0_is_no_limit() -> None:
    """As it was."""
    talk = _talk()
    assert all(in_pace([talk], per_min=0, now=NOW) for _ in range(100))


def _talk() -> Conversation:
    return Conversation(
        id=1, customer_id=1, customer_name=None, status="novo", estado=None, turno=0,
        turno_anterior=None, sem_resposta_desde=NOW, responder_em=NOW, canal_id=1, endereco=None,
        bot_pausado_ate=None, bot_pausado_por=None, last_message=None, last_interaction=None,
    )  # fmt: skip
