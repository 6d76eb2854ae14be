"""Lucas never talks over a person, whichever gateway a dealer uses; his own sends are no person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from bot.stock import Stock
from bot.values import Bubble, BubbleKind, Dealer, Decision, Turn
from gateway.adapters import ADAPTERS
from schema.events import API_ECHO, Event, EventKind
from schema.replies import Location
from tests.tenancy.installation import Installation
from tests.worker.phones import Line, open_line
from tests.worker.shop import BUYER, Shop, open_shop
from tests.worker.test_choices import asks_for_a_day

OTHER_BUYER = "5541987650002"


@pytest.fixture(params=ADAPTERS)
async def line(request: pytest.FixtureRequest, shop: Shop) -> AsyncIterator[Line]:
    """A channel of each gateway in turn."""
    async with open_line(shop, request.param) as made:
        yield made


async def test_5_a_seller_may_write_first_to_anybody(line: Line) -> None:
    """No conversation yet: it opens silent, and the buyer's answer is the seller's."""
    await line.take(await line.seller_writes(BUYER, "Bom dia, é sobre o Onix"))

    await line.buyer_writes(BUYER, "bom dia")
    await line.shop.deliver()

    assert line.phone.outbox == []
    assert await line.shop.texts("recebida") == ["bom dia"]
    assert await line.shop.texts("enviada") == ["Bom dia, é sobre o Onix"]


async def test_5_our_own_send_coming_back_is_no_person(line: Line) -> None:
    """As the gateway marks it, and as a message of the phone with the id of our own."""
    await line.buyer_writes(BUYER, "tem onix?")
    await line.shop.deliver()
    (sent,) = line.phone.outbox
    own = (await line.seller_writes(BUYER, "x")).model_copy(
        update={"message_id": sent.id, "text": sent.text}
    )

    await line.take(own, _api_echo(own))
    await line.buyer_writes(BUYER, "e argo?")
    await line.shop.deliver()

    assert [sent.text for sent in line.phone.outbox] == ["eco: tem onix?", "eco: e argo?"]
    assert await line.shop.texts("enviada") == ["eco: tem onix?", "eco: e argo?"]


@pytest.mark.parametrize("marked", [True, False])
async def test_5_our_own_send_may_come_back_before_its_answer(line: Line, marked: bool) -> None:
    """The row has no id yet: the same words to the same buyer while they are being sent are ours.
    The reply is settled by it, and sent once."""
    line.phone.lose_answers()
    await line.buyer_writes(BUYER, "tem onix?")
    await line.shop.deliver()
    (sent,) = line.phone.outbox
    own = (await line.seller_writes(BUYER, "x")).model_copy(
        update={"message_id": sent.id, "text": f"{sent.text}\n"}
    )

    await line.take(_api_echo(own) if marked else own)

    ((status, external_id, again_at),) = await line.shop.rows(
        "SELECT status, external_id, tentar_em FROM mensagens WHERE tipo = 'enviada'"
    )
    assert (status, external_id, again_at) == ("enviada", sent.id, None)
    await line.shop.deliver()
    await line.buyer_writes(BUYER, "e argo?")
    await line.shop.deliver()
    assert [sent.text for sent in line.phone.outbox] == ["eco: tem onix?", "eco: e argo?"]


@pytest.mark.parametrize("kind", ADAPTERS)
@pytest.mark.parametrize("bubble", ["options", "place"])
async def test_5_what_went_out_in_other_words_comes_back_as_ours(
    installation: Installation, redis_url: str, kind: str, bubble: str
) -> None:
    """Options that a gateway shows as numbered text, a place that it shows by its name: the echo
    has the words of the phone, not those of the row."""
    async with (
        open_shop(installation, redis_url, decide_turn=OTHER_WORDS[bubble]) as shop,
        open_line(shop, kind) as line,
    ):
        line.phone.lose_answers()
        await line.buyer_writes(BUYER, "oi")
        await shop.deliver()
        (sent,) = line.phone.outbox
        own = (await line.seller_writes(BUYER, "x")).model_copy(
            update={"message_id": sent.id, "text": sent.text}
        )

        await line.take(own)

        rows = await shop.rows(
            "SELECT autor, status, external_id FROM mensagens WHERE tipo = 'enviada'"
        )
        assert rows == [("lucas", "enviada", sent.id)]


async def test_5_words_to_somebody_else_settle_nothing(line: Line) -> None:
    """A seller who happens to write the same to another buyer is a seller."""
    line.phone.lose_answers()
    await line.buyer_writes(BUYER, "tem onix?")
    await line.shop.deliver()

    await line.take(await line.seller_writes("5511980000099", "eco: tem onix?"))

    rows = await line.shop.rows(
        "SELECT autor, status FROM mensagens WHERE tipo = 'enviada' ORDER BY id"
    )
    assert rows == [("lucas", "enviando"), ("vendedor", "enviada")]


async def test_5_each_echo_settles_its_own_buyers_reply(line: Line) -> None:
    """Two buyers got the same words, neither with an answer to the send: one echo, one reply;
    the other is withdrawn by what a seller writes in the same moment."""
    other = "5511980000099"
    line.phone.lose_answers(2)
    for buyer in (BUYER, other):
        await line.buyer_writes(buyer, "oi")
    await line.shop.deliver()
    words = await line.seller_writes(BUYER, "deixa comigo")
    echo = (await line.seller_writes(other, "x")).model_copy(update={"text": "eco: oi"})

    await line.take(words, echo)

    rows = await line.shop.rows(
        "SELECT c.phone, m.status FROM mensagens m JOIN customers c ON c.id = m.customer_id"
        " WHERE m.autor = 'lucas' ORDER BY m.id"
    )
    assert rows == [(BUYER, "cancelada"), (other, "enviada")]


async def test_5_a_seller_shortly_before_the_send_stops_it(line: Line) -> None:
    """What waits to be sent is withdrawn with the seller's first word."""
    await line.buyer_writes(BUYER, "tem onix?")

    await line.take(await line.seller_writes(BUYER, "deixa comigo"))
    await line.shop.deliver()

    assert line.phone.outbox == []
    assert await line.shop.texts("enviada") == ["deixa comigo"]


async def test_5_a_seller_a_moment_before_the_send_stops_it_too(line: Line) -> None:
    """His words stand on the inbox and no drain has seen them: the reply waits for that, and is
    withdrawn. Words to another buyer stop nothing."""
    await line.buyer_writes(BUYER, "tem onix?")
    await line.buyer_writes(OTHER_BUYER, "tem hb20?")
    echo = await line.seller_writes(BUYER, "deixa comigo")
    await line.shop.push(echo)

    await line.shop.deliver()
    assert [sent.text for sent in line.phone.outbox] == ["eco: tem hb20?"]

    await line.shop.drain()
    await line.shop.waits_are_over()
    await line.shop.deliver()
    assert [sent.text for sent in line.phone.outbox] == ["eco: tem hb20?"]
    assert "cancelada" in {
        status
        for (status,) in await line.shop.rows("SELECT status FROM mensagens WHERE autor = 'lucas'")
    }


@pytest.mark.parametrize("kind", ADAPTERS)
async def test_5_what_is_at_the_gateway_already_is_followed_by_nothing(
    installation: Installation, redis_url: str, kind: str
) -> None:
    """Two bubbles, one of them being sent when the seller writes: the other stays here."""
    async with (
        open_shop(installation, redis_url, decide_turn=two_bubbles) as shop,
        open_line(shop, kind) as line,
    ):
        await line.buyer_writes(BUYER, "tem onix?")
        line.phone.answer_delay_s = 3
        delivery = asyncio.create_task(shop.deliver())
        await line.phone.wait_for(1)

        await line.take(await line.seller_writes(BUYER, "deixa comigo"))
        assert not delivery.done()
        await delivery

        assert [sent.text for sent in line.phone.outbox] == ["um"]
        rows = await shop.rows(
            "SELECT conteudo, status FROM mensagens WHERE tipo = 'enviada' ORDER BY id"
        )
        assert rows[0] in [("um", "enviada"), ("um", "entregue")]
        assert rows[1] == ("dois", "cancelada")


async def test_5_hash_lucas_brings_him_back_at_once(line: Line) -> None:
    """What the buyer wrote since the seller's last word is answered, and all that follows."""
    await line.buyer_writes(BUYER, "tem onix?")
    await line.take(await line.seller_writes(BUYER, "tenho, quer ver?"))
    await line.buyer_writes(BUYER, "quero")
    await line.buyer_writes(BUYER, "e tem argo?")
    await line.shop.deliver()
    assert line.phone.outbox == []

    await line.take(await line.seller_writes(BUYER, " #Lucas "))
    await line.shop.deliver()
    await line.buyer_writes(BUYER, "e kwid?")
    await line.shop.deliver()

    assert [sent.text for sent in line.phone.outbox] == ["eco: quero | e tem argo?", "eco: e kwid?"]


async def test_5_hash_lucas_with_nothing_to_answer_says_nothing(line: Line) -> None:
    """The seller had the last word: Lucas waits for the buyer."""
    await line.buyer_writes(BUYER, "tem onix?")
    await line.take(await line.seller_writes(BUYER, "tenho, quer ver?"))

    await line.take(await line.seller_writes(BUYER, "#lucas"))
    await line.shop.deliver()

    assert line.phone.outbox == []


async def test_5_a_seller_after_hash_lucas_has_it_again(line: Line) -> None:
    """The last human sign counts, also within one batch."""
    call = await line.seller_writes(BUYER, "#lucas")
    words = await line.seller_writes(BUYER, "espera, eu vejo")

    await line.take(call, words)
    await line.buyer_writes(BUYER, "tem onix?")
    await line.shop.deliver()

    assert line.phone.outbox == []


@pytest.mark.parametrize(
    "changes",
    [
        {"text": None, "media_id_or_url": "https://x.example/foto", "mime_type": "image/jpeg"},
        {"text": "legenda", "media_id_or_url": "https://x.example/foto", "mime_type": "image/jpeg"},
        {"text": None, "media_id_or_url": None},
    ],
)
async def test_5_a_persons_photo_is_a_human_sign(line: Line, changes: dict[str, Any]) -> None:
    """With words, without, and whatever cannot be read of it."""
    await line.buyer_writes(BUYER, "tem onix?")
    photo = (await line.seller_writes(BUYER, "x")).model_copy(update=changes)

    await line.take(photo)
    await line.buyer_writes(BUYER, "que lindo")
    await line.shop.deliver()

    assert line.phone.outbox == []


@pytest.mark.parametrize("kind", [EventKind.EDITED, EventKind.REVOKED])
async def test_5_who_changes_a_message_of_the_shop_is_a_person(line: Line, kind: EventKind) -> None:
    """An edit or a deletion on the phone, also of what Lucas said; also when nothing but the
    message's id is told."""
    await line.buyer_writes(BUYER, "tem onix?")
    await line.shop.deliver()
    (sent,) = line.phone.outbox
    text = "tenho dois" if kind is EventKind.EDITED else None
    known = await line.seller_writes(BUYER, "x")
    change = Event(
        kind=kind, message_id=sent.id, text=text, channel=known.channel, gateway=known.gateway
    )

    await line.take(change)
    await line.buyer_writes(BUYER, "e argo?")
    await line.shop.deliver()

    assert len(line.phone.outbox) == 1


async def test_5_a_sign_that_comes_twice_counts_once(line: Line) -> None:
    """A second device repeats it later: neither a second row, nor a longer pause."""
    words = await line.seller_writes(BUYER, "deixa comigo")
    await line.take(words)
    before = await _paused_until(line.shop)
    await line.shop.execute("UPDATE conversations SET bot_pausado_ate = '2020-01-01'")

    await line.take(words, words)

    assert before.year > 2020
    assert (await _paused_until(line.shop)).year == 2020
    assert await line.shop.texts("enviada") == ["deixa comigo"]


def two_bubbles(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """A Lucas who says two things."""
    del stock, dealer, now
    bubbles = (Bubble(text="um"), Bubble(text="dois"))
    return Decision(bubbles=bubbles, state=turn.state, status="em_andamento", rule="two")


def _api_echo(event: Event) -> Event:
    """The same as a gateway reports what went out through its API."""
    return event.model_copy(update={"kind": EventKind.IGNORED, "reason": API_ECHO})


async def _paused_until(shop: Shop) -> datetime:
    ((until,),) = await shop.rows("SELECT bot_pausado_ate FROM conversations")
    assert isinstance(until, datetime)
    return until


def a_place(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """A Lucas who shows where the shop is."""
    del turn, stock, dealer, now
    where = Location(latitude=-23.5, longitude=-46.6, name="Loja 1", address="Rua A, 10")
    shown = Bubble(kind=BubbleKind.LOCATION, text=None, location=where)
    return Decision(bubbles=(shown,), state={}, status="em_andamento", rule="place")


OTHER_WORDS = {"options": asks_for_a_day, "place": a_place}
"""Lucases whose replies gateways put into words of their own."""
