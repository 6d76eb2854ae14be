"""Lucas decides from what he is given: no clock, no I/O, no chance; and what he says is true."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bot
from bot.lucas import completeness, decide
from bot.state import dump, load, resumed
from bot.values import Completeness, Incoming, Turn
from schema.events import EventKind
from tests.bot.showroom import DEALER, NOW, STOCK, Chat, sent

ROOM = Path(bot.__file__).parent
EDGES = {"evaluate.py", "chat.py", "settings.py", "dealer_rows.py", "data.py"}
"""Run by a person, read from the environment or a database, and the packaged data's loader."""
FORBIDDEN = {
    "asyncio", "aiomysql", "redis", "os", "sys", "time", "random", "secrets", "socket", "pathlib",
    "logging", "structlog", "subprocess", "threading", "uuid", "tenancy", "worker", "gateway",
}  # fmt: skip
PURE = sorted(path for path in ROOM.rglob("*.py") if path.name not in EDGES)
WORDS = [
    "tem", "versa", "cronos", "até", "75", "mil", "km", "2019", "pra", "cima", "o", "segundo",
    "foto", "preço", "quanto", "mais", "barato", "não", "menos", "branco", "sedan", "automático",
    "oi", "esse", "sim", "ipva", "pago", "troca", "meu", "gol", "60k", "R$", "59,9", "19/20", "as",
    "10", "48x", "desconto", "entrada", "kicks", "e", "?", "desses", "novo", "amanhã", "obrigado",
    "208", "1.0",
]  # fmt: skip
TALK = st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), min_size=1, max_size=4)


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.relative_to(ROOM).as_posix())
def test_no_module_reads_clock_or_world(path: Path) -> None:
    """A replay gives the same answer: nothing comes from outside the arguments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {name.split(".")[0] for node in ast.walk(tree) for name in _imports(node)}
    calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert not imported & FORBIDDEN
    assert not calls & {"now", "utcnow", "today"} - _fields_named_now(tree)


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def _fields_named_now(tree: ast.Module) -> set[str]:
    """`talk.now` is a value that was handed in; a call like `datetime.now()` is not."""
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return {"now"} - called


@given(TALK)
@settings(max_examples=60, deadline=None)
def test_the_same_turns_give_the_same_decisions(texts: list[str]) -> None:
    """No randomness: two conversations with the same words are the same."""
    one, two = Chat(), Chat()

    assert [one.say(text) for text in texts] == [two.say(text) for text in texts]


@given(st.lists(st.text(max_size=60) | st.none(), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_him_fail(texts: list[str | None]) -> None:
    """Whatever is written, there is a decision, and its memory is plain JSON."""
    decision = Chat().say(*texts)

    json.dumps(decision.state)
    json.dumps(decision.understood)
    assert completeness(texts[0], EventKind.TEXT, decision.state) in Completeness


@given(TALK)
@settings(max_examples=60, deadline=None)
def test_what_is_not_for_sale_is_never_shown(texts: list[str]) -> None:
    """Sold and reserved cars carry no fact, price or photo, whatever is asked."""
    chat = Chat()
    for text in texts:
        decision = chat.say(text)
        assert not {fact.car_id for b in decision.bubbles for fact in b.facts} & {8, 9}
        assert not set(decision.considered) & {8, 9}


@given(TALK)
@settings(max_examples=60, deadline=None)
def test_the_memory_survives_storage(texts: list[str]) -> None:
    """A state that went through JSON is the same state."""
    chat = Chat()
    for text in texts:
        chat.say(text)
        assert json.loads(json.dumps(chat.state)) == chat.state
        assert dump(load(chat.state)) == chat.state


@given(
    st.dictionaries(
        st.sampled_from(sorted(dump(load({})))), st.none() | st.integers() | st.text(max_size=5)
    )
)
@settings(max_examples=80, deadline=None)
def test_a_foreign_state_is_forgotten_not_an_error(raw: dict[str, object]) -> None:
    """What another release wrote may be unreadable: that part starts anew."""
    turn = Turn(
        messages=(Incoming(kind=EventKind.TEXT, text="tem versa?"),),
        state={**raw, "quiet": None, "x": [1]},
    )

    assert decide(turn, stock=STOCK, dealer=DEALER, now=NOW).bubbles


def test_a_person_gives_the_conversation_back() -> None:
    """After `resumed` Lucas speaks again and knows what was spoken of."""
    chat = Chat()
    chat.say("versa")
    chat.say("quero falar com um vendedor")
    chat.state = resumed(chat.state)

    assert "cinza" in sent(chat.say("qual a cor?"))


def test_a_turn_is_quick() -> None:
    """Thousands of dealers share a machine: far under 5 ms a turn, even on a busy one."""
    texts = ["tem sedan automatico até 80 mil, menos branco?", "o segundo tem quantos km?"]
    chat = Chat()
    for text in texts:
        chat.say(text)
    started = time.process_time()
    for _ in range(50):
        for text in texts:
            chat.say(text)

    assert (time.process_time() - started) / 100 < 0.005
