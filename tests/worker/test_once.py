"""Stored once, and nothing taken for a repetition that is none; whose event it is."""

from __future__ import annotations

import structlog

from schema.channels import Channel
from schema.events import EventKind
from tenancy.channels import add_channel
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event, open_shop


async def test_2_a_repetition_is_no_failure(shop: Shop) -> None:
    """Within a batch and in a later one: it changes nothing, so no person is called."""
    message = event("tem onix?")

    await shop.handle(message, message)
    await shop.handle(message)

    assert await shop.dead() == []
    assert await shop.texts("recebida") == ["tem onix?"]


async def test_2_messages_without_an_id_are_all_stored(shop: Shop) -> None:
    """A gateway that gives no ids: two messages are two, not one and its repetition."""
    await shop.handle(event("um", message_id=None), event("dois", message_id=None))

    assert await shop.texts("recebida") == ["um", "dois"]


async def test_2_an_id_counts_within_its_channel(shop: Shop) -> None:
    """Two numbers of one dealer may give two messages the same id."""
    await second_channel(shop, "cloud_api", "loja-1-b")

    await shop.handle(
        event("um", message_id="wamid.SAME"),
        event("dois", message_id="wamid.SAME", channel="loja-1-b"),
    )

    assert await shop.texts("recebida") == ["um", "dois"]
    assert await shop.dead() == []


async def test_an_id_of_a_buyer_counts_within_its_gateway(shop: Shop) -> None:
    """Two gateways may call two buyers by the same id: their talks must not become one."""
    await second_channel(shop, "evolution", "loja um")
    lead = {"phone": None, "user_id": "77", "reply_to": "77"}

    await shop.push(
        event("um", **lead), event("dois", **lead, gateway="evolution", channel="loja um")
    )
    await shop.drain()

    assert len(await shop.rows("SELECT id FROM customers")) == 2
    assert len(await shop.rows("SELECT id FROM conversations")) == 2


async def test_8_an_event_of_another_dealers_channel_is_a_dead_letter(
    installation: Installation, redis_url: str
) -> None:
    """Whoever put it on the wrong inbox: it is stored in neither database."""
    async with (
        open_shop(installation, redis_url, 1) as one,
        open_shop(installation, redis_url, 2) as two,
    ):
        await one.push(event("é para dois", channel="loja-2"))

        await one.drain()

        assert await one.texts("recebida") == []
        assert await two.texts("recebida") == []
        (letter,) = await one.dead()
        assert "loja-2" in letter["error"]


async def test_8_a_status_with_another_dealers_reference_moves_nothing(shop: Shop) -> None:
    """References are `empresa:row`, and rows of two dealers have the same numbers."""
    shop.phone.lose_answers()
    await shop.handle(event("tem onix?"))
    ((row,),) = await shop.rows("SELECT id FROM mensagens WHERE tipo = 'enviada'")

    await shop.handle(
        event(
            None,
            kind="status",
            status="read",
            message_id="wamid.OTHER",
            our_ref=f"{shop.empresa_id + 1}:{row}",
        )
    )

    assert await shop.rows("SELECT status, external_id FROM mensagens WHERE tipo = 'enviada'") == [
        ("enviando", None)
    ]


async def test_11_a_message_that_could_not_be_delivered_says_why(shop: Shop) -> None:
    """`falhou` by a status of the gateway, with its code and words in the row."""
    await shop.handle(event("oi"))
    (sent,) = shop.phone.outbox

    await shop.handle(
        event(
            None,
            kind="status",
            status="failed",
            message_id=sent.id,
            error_code=131026,
            error_text="undeliverable",
        )
    )

    ((status, error),) = await shop.rows(
        "SELECT status, erro FROM mensagens WHERE tipo = 'enviada'"
    )
    assert status == "falhou"
    assert "131026" in error
    assert "undeliverable" in error


async def test_a_failure_comes_too_late_for_what_was_delivered(shop: Shop) -> None:
    """The buyer's phone has it: a `failed` of another device of his changes nothing."""
    await shop.handle(event("oi"))
    (sent,) = shop.phone.outbox
    for status in ("delivered", "failed"):
        await shop.handle(event(None, kind="status", status=status, message_id=sent.id))

    assert await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada'") == [("entregue",)]


async def test_11_silence_during_a_pause_names_who_asked_for_it(shop: Shop) -> None:
    """The buyer's row says whose pause it was and until when."""
    await shop.handle(event("Oi, aqui é o João", kind=EventKind.HUMAN_ECHO, from_me=True))
    await shop.handle(event("oi João"))

    (decision,) = await shop.decisions()
    ((until,),) = await shop.rows("SELECT bot_pausado_ate FROM conversations")
    assert decision["why"] == f"pausado por vendedor até {until:%d/%m/%Y %H:%M} UTC"


async def test_11_an_event_that_is_ignored_leaves_its_reason(shop: Shop) -> None:
    """One log line with the message's id and why; no text, no number."""
    with structlog.testing.capture_logs() as lines:
        await shop.push(event("👍", kind=EventKind.IGNORED, message_id="wamid.R", reason="why"))
        await shop.drain()

    (line,) = [line for line in lines if line["event"] == "event ignored"]
    assert line["message_id"] == "wamid.R"
    assert line["why"] == "why"
    assert BUYER not in str(lines)


async def second_channel(shop: Shop, gateway: str, identifier: str) -> Channel:
    """A further number of this dealer."""
    async with shop.tenancy.central.transaction() as conn:
        return await add_channel(
            conn,
            shop.tenancy.keyring,
            empresa_id=shop.empresa_id,
            gateway=gateway,
            identifier=identifier,
            credentials=shop.phone.credentials(),
        )
