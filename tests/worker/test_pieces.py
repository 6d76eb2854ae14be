"""What is too long for one message goes out in several, cut where a reader would pause."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values import Bubble, BubbleKind, Fact
from schema.events import EventKind
from schema.replies import Location, Option
from tests.worker.shop import Shop, event
from worker.drain.pieces import LONGEST_CAPTION, LONGEST_TEXT, pieces, split, units

EMOJI = ["👍🏽", "👨‍👩‍👧‍👦", "🇧🇷", "❤️", "ção", "e\u0301"]
WORDS = st.one_of(
    st.sampled_from(["Oi!", "carro", "R$", "59.900,00", "https://loja.com.br/c?id=1&a=b", *EMOJI]),
    st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=12),
)
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", ". ", "\n", "\n\n"]))).map(
    lambda parts: "".join(word + gap for word, gap in parts)
)


@given(text=TEXTS, limit=st.integers(40, 200))
def test_no_word_is_cut_and_none_is_lost(text: str, limit: int) -> None:
    """Every word, address and emoji is whole in one piece, in order; each piece fits."""
    found = split(text, limit)

    assert [word for part in found for word in part.split()] == text.split()
    assert all(units(part) <= limit for part in found)


@given(parts=st.lists(st.sampled_from(EMOJI), min_size=1, max_size=60), limit=st.integers(12, 30))
def test_a_word_longer_than_a_message_is_cut_between_what_is_seen(
    parts: list[str], limit: int
) -> None:
    """A family stays together, a flag stays a flag, an accent stays on its letter."""
    found = split("".join(parts), limit)

    assert "".join(found) == "".join(parts)
    assert all(units(part) <= limit for part in found)
    whole = re.compile("|".join(map(re.escape, [*EMOJI, "ç", "ã", "o"])))
    assert all(whole.sub("", part) == "" for part in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tenho dois. O preto é lindo", ["Tenho dois.", "O preto é lindo"]),
        ("Custa R$ 59.900 e é seu", ["Custa R$ 59.900 e", "é seu"]),
        ("Um parágrafo\n\ne o outro. Fim", ["Um parágrafo", "e o outro. Fim"]),
        ("(Já viu?) Tem fotos dele", ["(Já viu?)", "Tem fotos dele"]),
    ],
)
def test_sentences_come_before_words(text: str, expected: list[str]) -> None:
    """And paragraphs before sentences; a price is no end of a sentence."""
    assert split(text, 18) == expected


def test_facts_and_options_stay_where_they_belong() -> None:
    """Each piece is compared with the stock at sending; what is tapped stands at the end."""
    fact = Fact(car_id=7)
    long = "Uma frase. " * 200
    photo = Bubble(kind=BubbleKind.IMAGE, media_url="https://x/1.jpg", text=long, facts=(fact,))
    ask = Bubble(kind=BubbleKind.BUTTONS, text=long, options=(Option(id="a", title="A"),))

    caption, *after = pieces(photo)
    *before, last = pieces(ask)

    assert (caption.kind, caption.media_url) == (BubbleKind.IMAGE, "https://x/1.jpg")
    assert {b.kind for b in (*after, *before)} == {BubbleKind.TEXT}
    assert {b.facts for b in (caption, *after)} == {(fact,)}
    assert last.kind is BubbleKind.BUTTONS
    assert len(last.options) == 1
    assert all(units(b.text or "") <= LONGEST_CAPTION for b in (caption, last, *after, *before))


def test_what_is_said_of_a_place_goes_before_it() -> None:
    """A point on the map carries no text of its own in WhatsApp."""
    place = Location(latitude=-19.9, longitude=-43.9)
    shop = Bubble(kind=BubbleKind.LOCATION, text="Estamos aqui:", location=place)

    said, shown = pieces(shop)

    assert (said.kind, said.text) == (BubbleKind.TEXT, "Estamos aqui:")
    assert (shown.kind, shown.text, shown.location) == (BubbleKind.LOCATION, None, place)
    assert pieces(shown) == [shown]


async def test_a_long_answer_is_several_rows_in_order(shop: Shop) -> None:
    """Each is sent and recorded once; together they say what was said."""
    told = "Esta é uma frase comprida do comprador. " * 250
    await shop.handle(event(told, kind=EventKind.TEXT))

    sent = [sent.text or "" for sent in shop.phone.outbox]
    assert len(sent) == 3
    assert all(len(text) <= LONGEST_TEXT and text.endswith(".") for text in sent)
    assert " ".join(sent) == f"eco: {told}".strip()
