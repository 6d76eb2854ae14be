"""What is written on a phone arrives here as it was written, and what we send arrives there."""

from __future__ import annotations

import json

import pytest

from schema.errors import ChannelRefused
from schema.events import DeliveryStatus, EventKind
from schema.replies import Reply, ReplyKind
from tests.gateway.line import BUYER, Line, channel_of


async def test_what_a_buyer_writes_arrives_signed_and_whole(line: Line) -> None:
    """Accents, slashes and emoji, with the true signature, and the id that was told."""
    text = "Preço do Onix? https://exemplo.test/á 🚗"
    message_id = await line.phone.buyer_writes(
        BUYER, text, name="Ana", quoted_id="q1", at=1795400000.9
    )
    (event,) = line.events()
    assert (event.kind, event.text, event.message_id) == (EventKind.TEXT, text, message_id)
    assert (event.phone, event.push_name, event.quoted_id) == ("5531999990001", "Ana", "q1")
    assert (event.channel, event.gateway) == (line.phone.channel, line.phone.kind)
    assert (event.timestamp, event.from_me) == (1795400000, False)


@pytest.mark.parametrize("text", ["", " ", "\n", "a" * 65_000, "'; DROP TABLE x; --", "\\u0000"])
async def test_any_text_comes_through_unchanged(line: Line, text: str) -> None:
    """Neither trimmed nor cut: what the column can hold is not the parser's business."""
    await line.phone.buyer_writes(BUYER, text)
    (event,) = line.events()
    assert (event.kind, event.text) == (EventKind.TEXT, text)


async def test_an_answer_goes_to_the_address_as_received(line: Line) -> None:
    """The key gets its ninth digit, the address keeps what WhatsApp said, and is taken back."""
    await line.phone.buyer_writes(BUYER, "oi")
    (event,) = line.events()
    assert event.phone == "5531999990001"
    assert event.reply_to is not None
    assert event.reply_to.partition("@")[0] == BUYER

    sent = await line.send(Reply(to=event.reply_to, text="Olá!"))

    (arrived,) = await line.phone.wait_for(1)
    assert (arrived.to, arrived.text, arrived.id) == (event.reply_to, "Olá!", sent.message_id)


async def test_a_duplicate_is_the_same_message_twice(line: Line) -> None:
    """At least once is what gateways promise."""
    message_id = await line.phone.buyer_writes(BUYER, "oi", message_id="fixed", duplicate=True)
    assert [event.message_id for event in line.events()] == [message_id, "fixed"]


async def test_an_ad_click_and_a_seller(line: Line) -> None:
    """The two things that a dealer's phone does beside."""
    await line.phone.buyer_writes(BUYER, "", from_ad=True)
    await line.phone.seller_writes(BUYER, "já te ligo")
    ad, echo = line.events()
    assert (ad.kind, echo.kind) == (EventKind.REFERRAL_TEXT, EventKind.HUMAN_ECHO)
    assert (ad.text, ad.from_me) == ("", False)
    assert (echo.phone, echo.text, echo.from_me) == ("5531999990001", "já te ligo", True)
    assert echo.reply_to == ad.reply_to


async def test_a_reply_reaches_the_phone_and_its_statuses_come_back(line: Line) -> None:
    """Sent with the canonical number, delivered to the address that the buyer wrote from."""
    await line.phone.buyer_writes(BUYER, "oi")
    photo = Reply(
        to="5531999990001",
        kind=ReplyKind.IMAGE,
        media_url="https://fotos.test/1.jpg",
        text="O Onix",
        our_ref="7:1",
    )
    sent = await line.send(photo)
    (arrived,) = await line.phone.wait_for(1)
    assert (arrived.kind, arrived.media, arrived.text) == ("image", photo.media_url, "O Onix")
    assert arrived.id == sent.message_id
    assert sent.address is not None
    assert sent.address.startswith(BUYER)

    await line.phone.wait_for_pushes(3)
    events = line.events()
    statuses = [event for event in events if event.kind is EventKind.STATUS]
    assert {event.message_id for event in statuses} == {sent.message_id}
    assert statuses[-1].status in {DeliveryStatus.SENT, DeliveryStatus.DELIVERED}
    for event in statuses:
        assert event.from_me is True
        assert event.our_ref in {None, "7:1"}
    # our own send, if it comes back at all, must not look like a person's
    assert EventKind.HUMAN_ECHO not in {event.kind for event in events}


async def test_a_quoted_message_is_named_as_it_came(line: Line) -> None:
    """The id of the buyer's message goes back to his gateway."""
    message_id = await line.phone.buyer_writes(BUYER, "esse ainda tem?")
    await line.send(Reply(to=BUYER, text="Tem!", quoted_id=message_id))
    (arrived,) = await line.phone.wait_for(1)
    assert arrived.quoted_id == message_id


async def test_our_own_mistakes_are_refused(line: Line) -> None:
    """A wrong token, a channel of nobody: nothing reaches the phone."""
    keys = set(line.phone.needs) - set(line.phone.proofs)
    wrong = channel_of(line.phone, **dict.fromkeys(keys, "other"))
    for channel in (wrong, channel_of(line.phone, identifier="nobody")):
        with pytest.raises(ChannelRefused):
            await line.send(Reply(to=BUYER, text="oi"), channel)
    assert line.phone.outbox == []


async def test_what_we_refuse_for_now_comes_again(line: Line) -> None:
    """503, then 500, then taken: three attempts with the same body."""
    line.hook.answers += [503, 500]
    await line.phone.buyer_writes(BUYER, "oi")
    pushes = await line.phone.wait_for_pushes(3)
    assert [(push.attempt, push.status) for push in pushes] == [(1, 503), (2, 500), (3, 200)]
    assert len({json.dumps(push.body) for push in pushes}) == 1


async def test_waiting_for_what_never_comes_ends(line: Line) -> None:
    """Every wait has a limit."""
    with pytest.raises(TimeoutError):
        await line.phone.wait_for(1, timeout_s=0.01)
