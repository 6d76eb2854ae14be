"""Whatever withdraws a turn takes all of it back: the agenda, and what it told the sellers."""

from __future__ import annotations

import pytest

from schema.events import EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import event, open_shop
from tests.worker.test_agenda import booker, rows
from tests.worker.test_kinds import change
from tests.worker.test_merge import known, lead


@pytest.mark.parametrize(
    ("kind", "text"), [(EventKind.EDITED, "quanto custa?"), (EventKind.REVOKED, None)]
)
async def test_5_an_edit_or_a_deletion_takes_the_booking_back(
    installation: Installation, redis_url: str, kind: EventKind, text: str | None
) -> None:
    """The words that booked stand no more, and nobody was told: there is no appointment."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        asked = event("BOOK 2090-01-05T10:00")
        await shop.push(asked)
        await shop.drain()
        assert len(await rows(shop)) == 1

        await shop.handle(change(asked, kind, text))

        assert await rows(shop) == []
        assert [sent.text for sent in shop.phone.outbox] == ([] if text is None else ["nada"])


async def test_5_an_edit_of_the_time_books_once(installation: Installation, redis_url: str) -> None:
    """The turn that is taken anew is handed the agenda as it was before: one row, the new time."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        asked = event("BOOK 2090-01-05T10:00")
        await shop.push(asked)
        await shop.drain()

        await shop.handle(change(asked, EventKind.EDITED, "BOOK 2090-01-06T11:00"))

        assert [row[1] for row in await rows(shop)] == ["2090-01-06 11:00:00"]
        assert shop.phone.outbox[-1].text == "nada"


@pytest.mark.parametrize("kind", [EventKind.EDITED, EventKind.REVOKED])
async def test_5_a_seller_who_changes_a_message_takes_the_booking_back(
    installation: Installation, redis_url: str, kind: EventKind
) -> None:
    """As his own words do: the confirmation does not leave, so nothing is confirmed."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("?"))
        (sent,) = shop.phone.outbox
        await shop.push(event("BOOK 2090-01-05T10:00"))
        await shop.drain()
        assert len(await rows(shop)) == 1

        text = "ligo já" if kind is EventKind.EDITED else None
        await shop.handle(event(text, kind=kind, message_id=sent.id, from_me=True))

        assert await rows(shop) == []
        assert len(shop.phone.outbox) == 1


async def test_5_a_merge_takes_the_booking_of_an_unsent_turn_back(
    installation: Installation, redis_url: str
) -> None:
    """Its question is answered together with the rest; by then nothing is booked."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("?"))
        await shop.push(lead("BOOK 2090-01-05T10:00"))
        await shop.drain()
        assert len(await rows(shop)) == 1

        await shop.handle(known("?"))

        assert await rows(shop) == []
        assert shop.phone.outbox[-1].text == "nada"


@pytest.mark.parametrize("words", ["MOVE 2090-02-01T09:00", "BOOK 2090-02-01T09:00"])
async def test_5_what_a_person_has_made_of_it_stands(
    installation: Installation, redis_url: str, words: str
) -> None:
    """The dealer confirms, or gives another time, before the answer leaves: his word counts."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        if words.startswith("MOVE"):
            await shop.handle(event("BOOK 2090-01-05T10:00"))
        for change_by_hand in ("status = 'confirmado'", "data_agendada = '2090-02-02 10:00'"):
            await shop.push(event(words))
            await shop.drain()
            await shop.execute(f"UPDATE agendamentos SET {change_by_hand}")  # noqa: S608
            by_hand = await rows(shop)

            await shop.handle(event("?"))

            assert await rows(shop) == by_hand
            words = words.replace("BOOK", "MOVE")


_TOLD = "SELECT resumo, chamado_por, chamado_em, sem_avisos FROM conversations"


@pytest.mark.parametrize("words", ["CALL", "NOTICES"])
async def test_5_a_withdrawn_turn_takes_back_what_it_told_the_sellers(
    installation: Installation, redis_url: str, words: str
) -> None:
    """Nobody is called, and nobody has opted out, by an answer that the buyer never got."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.push(event(words))
        await shop.drain()
        assert await shop.rows(_TOLD) != [(None, None, None, 0)]

        await shop.handle(event("?"))

        assert await shop.rows(_TOLD) == [(None, None, None, 0)]


@pytest.mark.parametrize("words", ["CALL", "NOTICES"])
async def test_5_what_was_told_before_is_told_again(
    installation: Installation, redis_url: str, words: str
) -> None:
    """An earlier call, summary and opt-out, whose answers are out, stand as they were."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("CALL"))
        await shop.handle(event("NOTICES"))
        await shop.execute("UPDATE conversations SET resumo = 'antes', chamado_por = 'buy'")
        before = await shop.rows(_TOLD)
        await shop.push(event(words))
        await shop.drain()

        await shop.handle(event("?"))

        assert await shop.rows(_TOLD) == before


async def test_5_a_seller_who_has_seen_to_the_call_is_not_overruled(
    installation: Installation, redis_url: str
) -> None:
    """His panel emptied the call and wrote a note before the buyer went on: both stand."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("CALL"))
        await shop.push(event("CALL"))
        await shop.drain()
        await shop.execute(
            "UPDATE conversations SET resumo = 'liguei', chamado_por = NULL, chamado_em = NULL"
        )

        await shop.handle(event("?"))

        assert await shop.rows(_TOLD) == [("liguei", None, None, 0)]
