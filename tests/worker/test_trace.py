"""How a message's way is asked for and told: ids, masks, and the order of steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.trace.rows import Row, Story, Talk
from worker.trace.search import Wanted
from worker.trace.steps import Shown, in_words, steps_of
from worker.trace.tell import stands

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MASKED = Shown(personal=False)


def after(ms: int) -> datetime:
    """So long after the start."""
    return START + timedelta(milliseconds=ms)


ASKED = Row(
    id=1, conversation_id=5, received=True, author="comprador", status=None, kind="text",
    text="oi", written_at=START, external_id="in-1", canal_id=3, turn=1, decision={}, error=None,
    tries=0, unknown=0, next_try=None, taken_at=after(5), stored_at=after(9), sent_at=None,
    reported={}, file=None, deleted_at=None, edited_at=None,
)  # fmt: skip
REPLY = replace(
    ASKED, id=2, received=False, author="lucas", status="lida", external_id="out-2",
    decision={"rule": "greeting", "waited_ms": 2500}, taken_at=None, stored_at=after(2505),
    sent_at=after(2900), reported={"lida": 1, "entregue": 2}, tries=1,
)  # fmt: skip


def story(*turn: Row, talk: Talk | None = None) -> Story:
    """Of the first row."""
    return Story(empresa_id=7, message=turn[0], turn=turn, talk=talk, cars={})


@given(st.text(max_size=30), st.none() | st.integers(1, 2**31))
def test_any_text_may_be_a_gateways_id(text: str, empresa: int | None) -> None:
    """What is read as ours is a number that a row can have, at the dealer that was named."""
    wanted = Wanted.read(text, empresa)

    assert wanted.text == text
    if empresa is not None:
        assert wanted.empresa_id == empresa
    if wanted.mensagem_id is not None:
        assert wanted.empresa_id is not None
        assert 0 < wanted.mensagem_id < 2**31


def test_our_ids_are_read_in_both_forms() -> None:
    """`7:123`, and `123` of a named dealer; another dealer's `7:123` is no id of ours."""
    assert Wanted.read("7:123", None) == Wanted("7:123", 7, 123)
    assert Wanted.read("7:123", 7) == Wanted("7:123", 7, 123)
    assert Wanted.read("123", 7) == Wanted("123", 7, 123)
    assert Wanted.read("123", None) == Wanted("123", None, None)
    assert Wanted.read("7:123", 8) == Wanted("7:123", 8, None)


def test_no_step_is_shown_before_the_one_below_it() -> None:
    """Gateways tell whole seconds, by clocks of their own."""
    steps = steps_of(story(ASKED, REPLY), MASKED)

    assert [step.what for step in steps] == [
        "taken by the webhook", "stored", "quiet window over", "considered", "decided",
        "reply written", "taken by the gateway", "delivered", "read",
    ]  # fmt: skip
    assert steps[-1].at == REPLY.sent_at


def test_how_a_message_stands_is_said_in_a_line() -> None:
    """Answered, waiting, over, withdrawn, taken up by a seller, failed."""
    waiting = Talk(turn=0, due_at=after(2500))
    over = Talk(turn=1, due_at=None)
    seller = replace(REPLY, author="vendedor", decision={})
    gone = replace(REPLY, status="cancelada")
    failed = replace(ASKED, error="ValueError: cannot")

    assert stands(story(ASKED, REPLY), MASKED) == "answered: 2 read"
    assert stands(story(ASKED, talk=waiting), MASKED).startswith("waits for turn 1: due 2026-11-24")
    assert stands(story(ASKED, talk=over), MASKED) == "turn 1 is over without a reply"
    assert "withdrawn" in stands(story(ASKED, gone, talk=over), MASKED)
    assert stands(story(ASKED, seller, talk=over), MASKED) == "a seller took it up"
    assert "ValueError" in stands(story(failed, talk=over), MASKED)
    assert stands(story(seller), MASKED).startswith("a seller's own message")


def test_a_seller_who_calls_lucas_does_not_silence_him() -> None:
    """`#lucas` is told as what it does."""
    by_hand = replace(REPLY, author="vendedor", decision={}, turn=None, text="#lucas")

    assert "Lucas may speak again" in steps_of(story(by_hand), MASKED)[0].detail
    quiet = replace(by_hand, text="deixa comigo")
    assert "Lucas keeps quiet" in steps_of(story(quiet), MASKED)[0].detail


def test_what_was_understood_is_told_without_what_says_nothing() -> None:
    """Also of values that stand there as they print themselves."""
    understood = {
        "intents": ["visit", "search"], "filters": {"model": ["Onix"], "price_max": None},
        "when": "When(day=DayWish(ahead=None, weekday=5, next_week=False), time=None)",
    }  # fmt: skip
    assert in_words(understood) == (
        "intents: visit, search; filters: model: Onix; when: When(day=DayWish(weekday=5))"
    )


def test_texts_are_cut_short_and_masked() -> None:
    """A number, a document or a plate is never in what is left."""
    said = MASKED.text("11987654321 cpf 123.456.789-09 placa ABC1D23 " + "x" * 80)

    for secret in ("987654321", "456", "ABC1D23"):
        assert secret not in said
    assert len(said) <= 42
    assert MASKED.id("false_5511987654321@c.us_3EB0AAAABBBBCCCC") == "3EB0AAAABBBBCCCC"
