"""What always holds on the way in: nothing lost, stored once, in order, a burst is one turn."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from bot.settings import LucasSettings
from schema.events import Event, EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from worker.clock import to_ms


async def test_1_an_event_leaves_redis_only_after_the_commit(shop: Shop) -> None:
    """Nothing accepted is lost: while the database refuses it, the inbox keeps the event."""
    await shop.installation.sql(
        f"RENAME TABLE empresa_{shop.empresa_id}_db.mensagens TO empresa_{shop.empresa_id}_db.away"
    )
    await shop.push(event("fica na fila"))

    await shop.drain()

    assert await shop.waiting() == 1
    assert await shop.dead() == []
    await shop.installation.sql(
        f"RENAME TABLE empresa_{shop.empresa_id}_db.away TO empresa_{shop.empresa_id}_db.mensagens"
    )
    await shop.next_job_may_run()
    await shop.drain()
    assert await shop.waiting() == 0
    assert await shop.texts("recebida") == ["fica na fila"]


async def test_2_a_message_is_stored_and_answered_once(shop: Shop) -> None:
    """However often it is delivered: in one batch, in a later one, and after it was answered."""
    message = event("tem onix?")

    await shop.handle(message, message)
    await shop.handle(message)
    await shop.handle(message, message, message)

    assert await shop.texts("recebida") == ["tem onix?"]
    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
    assert len(await shop.rows("SELECT id FROM customers")) == 1
    assert len(await shop.rows("SELECT id FROM conversations")) == 1


async def test_2_ids_that_differ_in_case_are_two_messages(shop: Shop) -> None:
    """Gateways' ids are case sensitive: two messages must not become one."""
    await shop.handle(event("um", message_id="wamid.ABC"), event("dois", message_id="wamid.abc"))

    assert await shop.texts("recebida") == ["um", "dois"]


async def test_3_messages_are_stored_in_the_order_in_which_they_came(
    installation: Installation, redis_url: str
) -> None:
    """Also over several batches, and whatever times the gateway gives them."""
    async with open_shop(installation, redis_url, batch=3) as shop:
        texts = [str(number) for number in range(10)]
        await shop.push(*(event(text, timestamp=1795400000 - int(text)) for text in texts))

        await shop.drain()

        assert await shop.texts("recebida") == texts


async def test_4_a_burst_is_one_turn(installation: Installation, redis_url: str) -> None:
    """Within the quiet window everything is one turn, and it is due after the last message."""
    waiting = LucasSettings(quiet_complete_s=1.5, quiet_fragment_s=4, quiet_greeting_s=2.5)
    async with open_shop(installation, redis_url, lucas=waiting) as shop:
        await shop.push(event("oi"))
        await shop.drain()
        await shop.push(event("queria saber"))
        await shop.drain()
        await shop.push(event("tem onix 2020?"))
        await shop.drain()

        assert await shop.texts("enviada") == []
        ((first, due),) = await shop.rows(
            "SELECT sem_resposta_desde, responder_em FROM conversations"
        )
        ((last,),) = await shop.rows("SELECT MAX(recebida_em) FROM mensagens")
        assert (due - last).total_seconds() == 1.5
        assert first < last
        ((_, at_ms),) = await shop.queued()
        assert at_ms == pytest.approx(to_ms(due.replace(tzinfo=UTC)), abs=2)

        await time_passes(shop)
        await shop.drain()
        assert await shop.texts("enviada") == ["eco: oi | queria saber | tem onix 2020?"]


async def test_4_no_buyer_waits_longer_than_the_limit(
    installation: Installation, redis_url: str
) -> None:
    """Whoever goes on writing fragments is answered after the limit all the same."""
    waiting = LucasSettings(quiet_fragment_s=60, quiet_greeting_s=30, quiet_limit_s=15)
    async with open_shop(installation, redis_url, lucas=waiting) as shop:
        for text in ("eu", "queria", "saber"):
            await shop.push(event(text))
            await shop.drain()

        ((first, due),) = await shop.rows(
            "SELECT sem_resposta_desde, responder_em FROM conversations"
        )

        assert (due - first).total_seconds() == 15


async def test_4_an_unsent_reply_is_withdrawn_when_the_buyer_writes_again(shop: Shop) -> None:
    """The turn is taken anew with all that he wrote; what was withdrawn is never sent."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    await shop.push(event("ou argo"))
    await shop.drain()

    await shop.deliver()

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix? | ou argo"]
    rows = await shop.rows(
        "SELECT conteudo, status FROM mensagens WHERE tipo = 'enviada' ORDER BY id"
    )
    assert rows[0] == ("eco: tem onix?", "cancelada")
    assert rows[1][0] == "eco: tem onix? | ou argo"
    ((state,),) = await shop.rows("SELECT JSON_VALUE(estado, '$.turns') FROM conversations")
    assert state == "1"  # the state of the withdrawn turn is forgotten with it


async def test_4_a_sent_reply_stays_and_the_next_turn_follows(shop: Shop) -> None:
    """Once the gateway has it, a reply is said; what comes after is a new turn."""
    await shop.handle(event("tem onix?"))
    await shop.handle(event("e argo?"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?", "eco: e argo?"]


async def test_5_lucas_is_silent_once_a_seller_has_written(shop: Shop) -> None:
    """A human echo withdraws what is not yet sent, and nothing is answered after it."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    await shop.push(_echo("Oi, aqui é o João"))
    await shop.push(event("oi João"))
    await shop.drain()
    await shop.deliver()

    assert shop.phone.outbox == []
    assert await shop.texts("enviada") == ["Oi, aqui é o João"]
    assert (await shop.decisions())[-1]["rule"] == "silent"


async def test_5_a_seller_may_write_first(shop: Shop) -> None:
    """Also to a number that has never written: the conversation opens silent."""
    await shop.handle(_echo("Bom dia, é sobre o Onix"))
    await shop.handle(event("bom dia"))

    assert shop.phone.outbox == []
    assert await shop.texts("recebida") == ["bom dia"]


async def test_9_an_event_that_cannot_be_stored_does_not_block(shop: Shop) -> None:
    """It becomes a dead letter, whole, with its error; the others of its batch are answered."""
    await shop.installation.sql(
        f"ALTER TABLE empresa_{shop.empresa_id}_db.mensagens"
        " ADD CONSTRAINT veneno CHECK (conteudo <> 'veneno')"
    )
    bad = event("veneno", phone="5511980000002")

    await shop.handle(event("antes"), bad, event("depois", phone="5511980000003"))

    assert await shop.texts("recebida") == ["antes", "depois"]
    (letter,) = await shop.dead()
    assert Event.model_validate_json(letter["event"]) == bad
    assert letter["error"]
    assert await shop.waiting() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": "loja-de-outro"},
        {"gateway": "evolution"},
        {"phone": None, "reply_to": None},
    ],
)
async def test_8_what_is_not_of_this_dealer_is_a_dead_letter(
    shop: Shop, changes: dict[str, Any]
) -> None:
    """A channel that is not this empresa's, or no buyer: kept with the reason, nothing stored."""
    await shop.handle(event("??", **changes))

    assert await shop.texts("recebida") == []
    (letter,) = await shop.dead()
    assert letter["error"]


async def test_9_an_entry_that_is_no_event_is_a_dead_letter(shop: Shop) -> None:
    """Whoever writes to Redis: what is no event is kept, what comes after it is handled."""
    key = f"helix:{{{shop.empresa_id}}}:inbox"
    await shop.redis.xadd(key, {"event": b"{broken"})
    await shop.redis.xadd(key, {"unknown": b"field"})

    await shop.handle(event("depois"))

    assert len(await shop.dead()) == 2
    assert await shop.texts("recebida") == ["depois"]


async def test_11_an_answer_is_explained(shop: Shop) -> None:
    """Each turn stores its rule, what it answered and how long it took."""
    await shop.handle(event("um"), event("dois"))

    (decision,) = await shop.decisions()
    assert decision["rule"] == "echo"
    assert decision["messages"] == 2
    assert decision["decided_us"] >= 0
    assert decision["waited_ms"] >= 0


async def test_11_silence_is_explained(shop: Shop) -> None:
    """`bot_ativo=0`: stored, not answered, and the row says why."""
    await shop.installation.central(
        "UPDATE empresas SET bot_ativo = 0 WHERE id = %s", (shop.empresa_id,)
    )

    await shop.handle(event("tem alguém?"))

    assert await shop.texts("recebida") == ["tem alguém?"]
    assert await shop.texts("enviada") == []
    assert await shop.decisions() == [{"rule": "silent", "why": "bot_ativo=0"}]


async def test_a_buyer_without_a_phone_is_one_customer(shop: Shop) -> None:
    """A user name instead of a number: known by the gateway's own id, answered at its address."""
    lead: dict[str, Any] = {"phone": None, "user_id": "BR.77", "reply_to": "BR.77"}
    await shop.handle(event("oi", **lead))
    await shop.handle(event("tem onix?", **lead))

    assert len(await shop.rows("SELECT id FROM customers")) == 1
    assert await shop.texts("recebida") == ["oi", "tem onix?"]
    assert [sent.to for sent in shop.phone.outbox] == ["BR.77", "BR.77"]


async def test_a_longer_text_than_the_column_is_cut_with_a_mark(shop: Shop) -> None:
    """A "crash message" of a megabyte is a message like any other."""
    await shop.handle(event("ç" * 1_000_000))

    (text,) = await shop.texts("recebida")
    assert len(text.encode()) <= 65_535
    assert text.endswith("[…]")


async def time_passes(shop: Shop) -> None:
    """The quiet window is over: what the clock would do, without waiting for it."""
    await shop.execute("UPDATE conversations SET responder_em = '2020-01-01'")


def _echo(text: str) -> Event:
    return event(text, kind=EventKind.HUMAN_ECHO, from_me=True)
