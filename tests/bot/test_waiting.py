"""How long Lucas waits: by how finished the last message looks, within a limit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.lucas import completeness
from bot.quiet import due_at
from bot.settings import LucasSettings
from bot.values import Completeness
from schema.events import EventKind
from tests.bot.showroom import NOW, Chat

SETTINGS = LucasSettings()
LOOKS = [
    ("oi", Completeness.GREETING),
    ("bom dia!", Completeness.GREETING),
    ("tem onix automático até 60 mil?", Completeness.COMPLETE),
    ("quanto custa o compass?", Completeness.COMPLETE),
    ("sedan automático até 70 mil", Completeness.COMPLETE),
    ("hb20s", Completeness.COMPLETE),
    ("manda fotos", Completeness.COMPLETE),
    ("quero falar com um vendedor", Completeness.COMPLETE),
    ("queria saber", Completeness.FRAGMENT),
    ("um carro", Completeness.FRAGMENT),
    ("tipo", Completeness.FRAGMENT),
    ("então", Completeness.FRAGMENT),
    ("quero um carro que", Completeness.FRAGMENT),
    ("me chamo João", Completeness.FRAGMENT),
]


@pytest.mark.parametrize(("text", "look"), LOOKS, ids=[text for text, _ in LOOKS])
def test_a_message_looks_as_finished_as_it_is(text: str, look: Completeness) -> None:
    """Questions and whole wishes are complete, a hello is a greeting, the rest may go on."""
    assert completeness(text, EventKind.TEXT, {}) is look


def test_a_button_is_complete_and_media_may_go_on() -> None:
    """Nobody types on after a button; a photo often comes with words after it."""
    assert completeness("Ver carros", EventKind.INTERACTIVE, {}) is Completeness.COMPLETE
    assert completeness(None, EventKind.IMAGE, {}) is Completeness.FRAGMENT


def test_a_short_answer_to_a_question_is_complete() -> None:
    """`70` after being asked for the budget needs no more words."""
    chat = Chat()
    chat.say("o que vocês têm?")

    assert completeness("70", EventKind.TEXT, chat.state) is Completeness.COMPLETE
    assert completeness("70", EventKind.TEXT, {}) is Completeness.FRAGMENT


@pytest.mark.parametrize(
    ("look", "wait_s"),
    [(Completeness.COMPLETE, 1.5), (Completeness.FRAGMENT, 4.0), (Completeness.GREETING, 2.5)],
)
def test_the_last_message_decides_the_wait(look: Completeness, wait_s: float) -> None:
    """The wait starts anew with each message."""
    last = NOW + timedelta(seconds=3)

    assert due_at(NOW, last, look, SETTINGS) == last + timedelta(seconds=wait_s)


@given(st.floats(0, 300), st.sampled_from(Completeness))
def test_never_later_than_the_limit(gap_s: float, look: Completeness) -> None:
    """However long a burst goes on, 15 s after its first message Lucas answers."""
    due = due_at(NOW, NOW + timedelta(seconds=gap_s), look, SETTINGS)

    assert due <= NOW + timedelta(seconds=15)


def test_settings_come_from_the_environment_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator sets seconds; nonsense is refused at the start."""
    monkeypatch.setenv("LUCAS_QUIET_FRAGMENT_S", "6")
    assert LucasSettings().quiet_fragment_s == 6
    monkeypatch.setenv("LUCAS_QUIET_LIMIT_S", "-1")
    with pytest.raises(ValidationError):
        LucasSettings()


def test_a_day_or_a_time_answers_the_question_for_it() -> None:
    """`14h` after being asked for the time is whole; on its own it is a beginning."""
    chat = Chat()
    chat.say("quero marcar uma visita amanhã")

    assert completeness("14h", EventKind.TEXT, chat.state) is Completeness.COMPLETE
    assert completeness("14h", EventKind.TEXT, {}) is Completeness.FRAGMENT
