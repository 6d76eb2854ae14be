"""What else than plain words comes in: leads, ads, preferences, typing, edits, deletions."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import orjson
import pytest

from bot.settings import LucasSettings
from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Turn
from schema.events import Ad, Event, EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event, lucas, open_shop
from tests.worker.test_invariants_in import time_passes
from worker.drain.changes import Change, Text

WAITING = LucasSettings(quiet_complete_s=2, quiet_fragment_s=2, quiet_greeting_s=2)
AD = Ad(source_id="1202", headline="Onix 2020 LT", body="Chame", ctwa_clid="ARA")


def change(message: Event, kind: EventKind, text: str | None = None, **changes: Any) -> Event:
    """An edit or a deletion that tells no more than the message's id."""
    return event(text, kind=kind, message_id=message.message_id, phone=None, **changes)


async def test_a_portals_lead_is_answered(shop: Shop) -> None:
    """Somebody who never wrote: customer, conversation, his words, and a reply to his number."""
    await shop.handle(
        event("Tenho interesse no Onix", kind=EventKind.LEAD, push_name="Ana", reply_to=None,
              message_id=None, source="Webmotors", car_ref="77")
    )  # fmt: skip

    assert await shop.rows("SELECT phone, name FROM customers") == [(BUYER, "Ana")]
    assert [(sent.to, sent.text) for sent in shop.phone.outbox] == [
        (BUYER, "eco: Tenho interesse no Onix")
    ]
    ((origin,),) = await shop.rows("SELECT origem FROM mensagens WHERE tipo = 'recebida'")
    assert orjson.loads(origin) == {"source": "Webmotors", "car_ref": "77"}


async def test_a_lead_is_the_same_buyer_however_his_number_is_written(shop: Shop) -> None:
    """Portals know no rule of the ninth digit; the answer goes where he was reached before."""
    await shop.handle(event("oi", phone="5531999990001", reply_to="553199990001"))

    await shop.handle(event("de novo", kind=EventKind.LEAD, phone="553199990001", reply_to=None))

    assert await shop.rows("SELECT phone FROM customers") == [("5531999990001",)]
    assert [sent.to for sent in shop.phone.outbox] == ["553199990001"] * 2


async def test_the_address_that_the_gateway_names_is_learned(shop: Shop) -> None:
    """Only WhatsApp knows where a number without or with the ninth digit is found."""
    shop.phone.remember("553199990001")
    lead = event("oi", kind=EventKind.LEAD, phone="5531999990001", reply_to=None)

    await shop.handle(lead)
    assert await shop.rows("SELECT endereco FROM conversations") == [("553199990001",)]
    await shop.handle(event("de novo", kind=EventKind.LEAD, phone="5531999990001", reply_to=None))

    assert [sent.to for sent in shop.phone.outbox] == ["5531999990001", "553199990001"]


async def test_a_lead_brings_its_car(installation: Installation, redis_url: str) -> None:
    """A portal that has the dealer's stock names the car by its id; any other name says nothing."""
    seen: list[int | None] = []

    def note(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
        del stock, dealer, now
        seen.extend(message.quoted_car_id for message in turn.messages)
        return Decision(bubbles=(), state={}, status="novo", rule="note")

    async with open_shop(installation, redis_url, decide_turn=note) as shop:
        await shop.execute("INSERT INTO cars (id, brand, model, price) VALUES (7, 'X', 'Y', 1)")
        for ref in ("7", "8", "onix-7", "9" * 30):
            await shop.handle(event("oi", kind=EventKind.LEAD, car_ref=ref))

    assert seen == [7, None, None, None]


async def test_a_click_on_an_ad_is_greeted(installation: Installation, redis_url: str) -> None:
    """No words at all, only the ad: kept with the message, and Lucas says hello."""
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        await shop.handle(event(None, kind=EventKind.REFERRAL_TEXT, ad=AD))

        ((origin,),) = await shop.rows("SELECT origem FROM mensagens WHERE tipo = 'recebida'")
        assert orjson.loads(origin) == {
            "source_id": "1202", "headline": "Onix 2020 LT", "body": "Chame", "ctwa_clid": "ARA",
        }  # fmt: skip
        (decision,) = await shop.decisions()
        assert decision["rule"] == "greeting"
        assert "Lucas" in (shop.phone.outbox[0].text or "")


async def test_lucas_is_told_of_the_ad(installation: Installation, redis_url: str) -> None:
    """At once, and when the turn is read from the database later."""
    seen: list[str | None] = []

    def note(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
        del stock, dealer, now
        origins = [message.origin for message in turn.messages]
        seen.extend(origin.headline if origin else None for origin in origins)
        return Decision(bubbles=(Bubble(text="oi"),), state={}, status="novo", rule="note")

    async with open_shop(installation, redis_url, decide_turn=note) as shop:
        await shop.push(event("oi", kind=EventKind.REFERRAL_TEXT, ad=AD))
        await shop.drain()
        await shop.push(event("tudo bem?"))
        await shop.drain()

    assert seen == ["Onix 2020 LT", "Onix 2020 LT", None]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_newest_preference_counts(shop: Shop, order: tuple[int, ...]) -> None:
    """Off, on, off again, in whatever order it is told; no conversation is opened by it."""
    now = int(time.time())
    told = [
        event(None, kind=EventKind.PREFERENCE, wants_marketing=wants, timestamp=now + place)
        for place, wants in enumerate((False, True, False))
    ]

    await shop.push(*(told[place] for place in order))
    await shop.drain()

    assert await shop.rows("SELECT phone, aceita_marketing FROM customers") == [(BUYER, 0)]
    assert await shop.rows("SELECT id FROM conversations") == []


async def test_4_lucas_waits_while_the_buyer_is_typing(
    installation: Installation, redis_url: str
) -> None:
    """Eight seconds from the last sign of it, fifteen from the first message at most."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        await shop.push(event("oi"))
        await shop.drain()
        since, due = await _times(shop)
        assert due - since == timedelta(seconds=2)
        typing = event(None, kind=EventKind.TYPING, message_id=None)

        await shop.push(typing)
        await shop.drain()

        since, due = await _times(shop)
        assert timedelta(seconds=8) <= due - since < timedelta(seconds=15)
        await shop.execute(
            "UPDATE conversations SET sem_resposta_desde = sem_resposta_desde - INTERVAL 10 SECOND,"
            " responder_em = responder_em - INTERVAL 10 SECOND"
        )
        await shop.push(typing)
        await shop.drain()
        since, due = await _times(shop)
        assert due - since == timedelta(seconds=15)
        assert await shop.texts("recebida") == ["oi"]


async def test_4_the_message_that_was_typed_ends_the_waiting(
    installation: Installation, redis_url: str
) -> None:
    """Typing and the message in one batch: the window is that of the message."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        await shop.push(event(None, kind=EventKind.TYPING, message_id=None))
        await shop.push(event("tem onix?"))
        await shop.drain()

        since, due = await _times(shop)
        assert due - since == timedelta(seconds=2)


async def test_a_stranger_who_types_is_nobody_yet(shop: Shop) -> None:
    """No customer, no conversation: he has said nothing."""
    await shop.push(event(None, kind=EventKind.TYPING, message_id=None))
    await shop.drain()

    assert await shop.rows("SELECT id FROM customers") == []
    assert await shop.dead() == []


async def test_a_reaction_is_kept_and_not_answered(shop: Shop) -> None:
    """It also withdraws nothing of what is about to be sent."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    await shop.handle(event("👍", kind=EventKind.REACTION, quoted_id="wamid.X"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
    rows = await shop.rows("SELECT conteudo, citada FROM mensagens WHERE tipo_conteudo='reaction'")
    assert rows == [("👍", "wamid.X")]


async def test_what_was_deleted_is_not_answered(installation: Installation, redis_url: str) -> None:
    """Of two questions the one that stands; the dealer still sees the other, marked."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        wrong = event("tem gol?")
        await shop.push(wrong, event("tem onix?"))
        await shop.drain()
        await shop.push(change(wrong, EventKind.REVOKED))
        await shop.drain()
        await time_passes(shop)
        await shop.handle()

        assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
        rows = await shop.rows(
            "SELECT conteudo, apagada_em IS NOT NULL FROM mensagens WHERE tipo = 'recebida'"
            " ORDER BY id"
        )
        assert rows == [("tem gol?", 1), ("tem onix?", 0)]


@pytest.mark.parametrize("batches", ["one", "two", "reversed"])
async def test_nothing_left_to_answer_is_no_turn(
    installation: Installation, redis_url: str, batches: str
) -> None:
    """Deleted in time, in the same breath, or even told before the message itself."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        wrong = event("tem gol?")
        both = [wrong, change(wrong, EventKind.REVOKED)]
        if batches == "reversed":
            both.reverse()
        for one in both:
            await shop.push(one)
            if batches != "one":
                await shop.drain()
        await shop.drain()

        assert await shop.rows("SELECT responder_em FROM conversations") == [(None,)]
        assert await shop.rows("SELECT COUNT(*) FROM _early_changes") == [(0,)]
        await shop.push(event("tem onix?"))
        await shop.drain()
        await time_passes(shop)
        await shop.handle()
        assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]


async def test_4_an_answer_to_what_was_deleted_is_withdrawn(shop: Shop) -> None:
    """It has not left yet: it never will."""
    wrong = event("tem gol?")
    await shop.push(wrong)
    await shop.drain()

    await shop.handle(change(wrong, EventKind.REVOKED))

    assert shop.phone.outbox == []
    assert await shop.rows("SELECT responder_em FROM conversations") == [(None,)]


async def test_4_an_edited_question_is_answered_as_it_stands(shop: Shop) -> None:
    """The answer to the old words is withdrawn; both texts are kept."""
    first = event("tem gol?")
    await shop.push(first)
    await shop.drain()

    await shop.handle(change(first, EventKind.EDITED, "tem onix?"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
    ((text, versions),) = await shop.rows(
        "SELECT conteudo, versoes FROM mensagens WHERE tipo = 'recebida'"
    )
    assert text == "tem onix?"
    assert [version["texto"] for version in orjson.loads(versions)] == ["tem gol?"]


async def test_an_edit_of_what_was_answered_changes_the_row_alone(shop: Shop) -> None:
    """What the buyer has read is said."""
    first = event("tem gol?")
    await shop.handle(first)

    await shop.handle(change(first, EventKind.EDITED, "tem onix?"))

    assert len(shop.phone.outbox) == 1
    assert await shop.texts("recebida") == ["tem onix?"]


def test_edits_end_with_the_newest_in_any_order() -> None:
    """Also when each comes twice, and two were made within the same second."""
    made = [("b", 1), ("c", 2), ("d", 2)]
    at = datetime(2026, 11, 24, tzinfo=UTC)
    changes = [
        Change(event=event(text, kind=EventKind.EDITED), canal_id=1, at=at + timedelta(seconds=s))
        for text, s in made
    ]
    in_order = Text(text="a")
    for one in [*changes, *changes, changes[1]]:
        in_order = in_order.after(one)
    assert in_order.text == "d"
    assert [text for text, _ in in_order.versions] == ["a", "b", "c"]

    late = Text(text="a")
    for one in [changes[2], changes[0], changes[2]]:
        late = late.after(one)
    assert (late.text, [text for text, _ in late.versions]) == ("d", ["a"])


async def _times(shop: Shop) -> tuple[datetime, datetime]:
    ((since, due),) = await shop.rows("SELECT sem_resposta_desde, responder_em FROM conversations")
    return since, due
