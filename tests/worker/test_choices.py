"""Options that go out are remembered, and what answers them is known for what it means."""

from __future__ import annotations

from typing import Any

import pytest

from bot.stock import Stock
from bot.values import Bubble, BubbleKind, Dealer, Decision, Turn
from schema.events import EventKind
from schema.replies import Option
from tests.tenancy.installation import Installation
from tests.worker.shop import event, open_shop
from tests.worker.test_kinds import change
from worker.drain.choices import match

DAYS = (Option(id="visit:sab", title="Sábado"), Option(id="visit:seg", title="Segunda-feira"))


def asks_for_a_day(turn: Turn, *, stock: Stock, dealer: Dealer, now: Any) -> Decision:
    """A Lucas who offers two days, and repeats which one he is told."""
    del stock, dealer, now
    told = [message.option_id or message.text or "" for message in turn.messages]
    asking = Bubble(kind=BubbleKind.BUTTONS, text=f"{' | '.join(told)}. Que dia?", options=DAYS)
    return Decision(bubbles=(asking,), state={}, status="em_andamento", rule="days")


async def test_an_answer_in_text_is_the_option_it_names(
    installation: Installation, redis_url: str
) -> None:
    """By number or title, also of the message quoted; other texts stay what they are."""
    async with open_shop(installation, redis_url, decide_turn=asks_for_a_day) as shop:
        await shop.handle(event("2"))  # nothing was offered yet
        first = shop.phone.outbox[-1]
        for text in ("2", "opção 1", "segunda-feira", "3", "sábado de manhã"):
            await shop.handle(event(text))
        await shop.handle(event("1", quoted_id=first.id))

        assert [sent.text for sent in shop.phone.outbox] == [
            f"{told}. Que dia?"
            for told in ("2", "visit:seg", "visit:sab", "visit:seg", "3", "sábado de manhã",
                         "visit:sab")
        ]  # fmt: skip
        assert {sent.kind for sent in shop.phone.outbox} == {"buttons"}


async def test_a_tap_is_known_in_a_burst_too(installation: Installation, redis_url: str) -> None:
    """Told with the message, and read from its row when the turn is taken later."""
    async with open_shop(installation, redis_url, decide_turn=asks_for_a_day) as shop:
        await shop.handle(event("oi"))
        tap = event("Sábado", kind=EventKind.INTERACTIVE, button_id="visit:sab")
        await shop.push(tap, event("pode ser?", quoted_id="wamid.other"))
        await shop.drain()
        await shop.deliver()

        assert shop.phone.outbox[-1].text == "visit:sab | pode ser?. Que dia?"


@pytest.mark.parametrize(
    ("now", "told"),
    [("2", "visit:seg"), ("segunda-feira", "visit:seg"), ("outro dia", "outro dia")],
)
async def test_an_edited_answer_is_the_option_that_it_names_now(
    installation: Installation, redis_url: str, now: str, told: str
) -> None:
    """Not the one of before, whether its answer was waiting or is withdrawn."""
    async with open_shop(installation, redis_url, decide_turn=asks_for_a_day) as shop:
        await shop.handle(event("oi"))
        answer = event("1")
        await shop.push(answer)
        await shop.drain()

        await shop.handle(change(answer, EventKind.EDITED, now))

        assert shop.phone.outbox[-1].text == f"{told}. Que dia?"


async def test_after_a_seller_spoke_a_number_means_nothing(
    installation: Installation, redis_url: str
) -> None:
    """His words stand between: the options of before are no longer what is answered."""
    async with open_shop(installation, redis_url, decide_turn=asks_for_a_day) as shop:
        await shop.handle(event("oi"))
        await shop.handle(event("Até que valor?", kind=EventKind.HUMAN_ECHO, from_me=True))
        await shop.handle(event("2"))

        rows = await shop.rows(
            "SELECT detalhes FROM mensagens WHERE tipo = 'recebida' ORDER BY id DESC LIMIT 1"
        )
        assert rows == [(None,)]


@pytest.mark.parametrize(
    ("text", "place"),
    [("1", 0), (" 2. ", 1), ("opção 2", 1), ("o 1", 0), ("SÁBADO", 0), ("segunda-feira ", 1),
     ("0", None), ("3", None), ("12", None), ("2 mil", None), ("1 2", None), ("", None)],
)  # fmt: skip
def test_what_names_an_option(text: str, place: int | None) -> None:
    """The whole text is the number or the title, or it is something else."""
    found = match(text, DAYS)
    assert found == (None if place is None else DAYS[place])


def test_two_options_of_one_title_are_told_apart_by_number_alone() -> None:
    """Two cars of one model: the title would be a guess."""
    twins = (Option(id="car:1", title="Onix"), Option(id="car:2", title="Onix"))
    assert match("Onix", twins) is None
    assert match("2", twins) == twins[1]
