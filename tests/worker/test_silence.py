"""Lucas never talks over a person: what a human sign ends, and when he is back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.settings import LucasSettings
from schema.events import Event, EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, lucas, open_shop

WAITING = LucasSettings(quiet_complete_s=30, quiet_fragment_s=30, quiet_greeting_s=30)


async def test_5_he_is_back_when_the_pause_is_over(shop: Shop) -> None:
    """By rule, without anybody's doing: the next message after the pause is answered."""
    await shop.handle(human("Oi, aqui é o João"))
    await shop.execute("UPDATE conversations SET bot_pausado_ate = '2020-01-01'")

    await shop.handle(event("tem onix?"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]


@pytest.mark.parametrize(("why", "answers"), [("human", 1), ("opt_out", 0), ("complaint", 0)])
async def test_5_after_an_opt_out_or_a_complaint_he_does_not_come_back_by_himself(
    installation: Installation, redis_url: str, why: str, answers: int
) -> None:
    """A buyer who asked for a person has had one, and the pause is over; one who wanted no more of
    him, or complained, is a person's until `#lucas`."""
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        await shop.handle(human("Oi, aqui é o João"))
        await shop.execute(
            "UPDATE conversations SET bot_pausado_ate = '2020-01-01',"
            " estado = JSON_OBJECT('quiet', %s)",
            (why,),
        )

        await shop.handle(event("oi, tudo bem?"))
        assert len(shop.phone.outbox) == answers

        await shop.handle(human("#lucas"))
        await shop.handle(event("tem algum carro automático?"))
        assert len(shop.phone.outbox) > answers


async def test_5_the_pause_counts_from_the_last_human_sign(shop: Shop) -> None:
    """A seller who writes again an hour later has the whole time again."""
    await shop.handle(human("Oi, aqui é o João"))
    await shop.execute(
        "UPDATE conversations SET bot_pausado_ate = bot_pausado_ate - INTERVAL 1 HOUR"
    )
    before = await paused_until(shop)

    await shop.handle(human("ainda está aí?"))

    assert await paused_until(shop) - before >= timedelta(hours=1)


async def test_5_a_longer_pause_is_not_shortened(shop: Shop) -> None:
    """What a person has set by hand stands, whatever the rule would make of a further sign."""
    await shop.handle(human("Oi, aqui é o João"))
    await shop.execute("UPDATE conversations SET bot_pausado_ate = '2037-01-01'")

    await shop.handle(human("ainda está aí?"))

    assert (await paused_until(shop)).year == 2037


async def test_5_the_rest_of_a_half_sent_answer_is_withdrawn(shop: Shop) -> None:
    """Two bubbles, one out already: the other is not sent after the seller's words."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    await shop.execute(
        "INSERT INTO mensagens (conversation_id, customer_id, tipo, conteudo, status, autor, turno,"
        " canal_id, endereco, tipo_conteudo) SELECT conversation_id, customer_id, tipo, 'o resto',"
        " status, autor, turno, canal_id, endereco, tipo_conteudo FROM mensagens"
        " WHERE tipo = 'enviada'"
    )
    await shop.execute("UPDATE mensagens SET status = 'enviada' WHERE conteudo LIKE 'eco%%'")

    await shop.handle(human("Oi, aqui é o João"))

    assert shop.phone.outbox == []
    assert await shop.texts("enviada") == ["eco: tem onix?", "Oi, aqui é o João"]


async def test_5_what_the_buyer_asked_before_is_the_sellers(
    installation: Installation, redis_url: str
) -> None:
    """A question that still waits for its quiet window is answered by him who wrote."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        await shop.push(event("tem onix?"))
        await shop.drain()

        await shop.handle(human("tenho sim"))

        assert await waiting_turns(shop) == 0
        assert await shop.texts("enviada") == ["tenho sim"]


async def test_5_switched_off_since_the_message_came(
    installation: Installation, redis_url: str
) -> None:
    """`bot_ativo` is asked at the moment of answering, too, and the buyer waits for a person."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        await shop.push(event("tem onix?"))
        await shop.drain()
        await shop.installation.central(
            "UPDATE empresas SET bot_ativo = 0, versao = versao + 1 WHERE id = %s",
            (shop.empresa_id,),
        )
        await shop.execute("UPDATE conversations SET responder_em = '2020-01-01'")

        await shop.drain()

        assert await shop.texts("enviada") == []
        assert await waiting_turns(shop) == 0


async def test_4_nobody_is_answered_before_his_time(
    installation: Installation, redis_url: str
) -> None:
    """A drain that comes early, for whatever reason, leaves the burst alone."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        await shop.push(event("tem onix?"))
        await shop.drain()

        await shop.drain()

        assert await shop.texts("enviada") == []
        assert await waiting_turns(shop) == 1


async def test_4_a_withdrawn_turn_leaves_no_trace_in_the_funnel(shop: Shop) -> None:
    """`status` is that of before: the turn taken anew starts from the same facts."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    assert await shop.rows("SELECT status FROM conversations") == [("em_andamento",)]
    await shop.installation.central(  # so that no new turn covers what the undone one left
        "UPDATE empresas SET bot_ativo = 0, versao = versao + 1 WHERE id = %s", (shop.empresa_id,)
    )

    await shop.push(event("ou argo"))
    await shop.drain()

    assert await shop.rows("SELECT status FROM conversations") == [("novo",)]


async def test_a_sellers_profile_name_is_not_the_buyers(shop: Shop) -> None:
    """A conversation that the seller opens: the name that comes along is the dealer's own."""
    await shop.handle(human("Bom dia", push_name="Loja do João"))

    assert await shop.rows("SELECT name FROM customers") == [(None,)]


async def paused_until(shop: Shop) -> datetime:
    """Of the only conversation, in UTC."""
    ((until,),) = await shop.rows("SELECT bot_pausado_ate FROM conversations")
    assert isinstance(until, datetime)
    return until


async def waiting_turns(shop: Shop) -> int:
    """Conversations that Lucas will still answer."""
    return len(await shop.rows("SELECT id FROM conversations WHERE responder_em IS NOT NULL"))


def human(text: str, **changes: Any) -> Event:
    """A seller's words, typed on the dealer's own phone."""
    return event(text, kind=EventKind.HUMAN_ECHO, from_me=True, **changes)
