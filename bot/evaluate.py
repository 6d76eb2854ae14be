"""Measures Lucas on labelled messages and dialogues. Run by a person: python -m bot.evaluate PATH.

PATH is a folder with catalogs/*.json, utterances.jsonl and dialogues.jsonl. Prints every miss; the
last line is one JSON object with the fractions that are right. The agenda is kept in memory.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.lucas import decide
from bot.reading.reader import read
from bot.stock import Stock
from bot.values import (
    AgendaAction,
    AgendaChange,
    Appointment,
    BubbleKind,
    Car,
    Dealer,
    Decision,
    Incoming,
    Turn,
)
from schema.events import EventKind

_MEDIA = {"[audio]": EventKind.AUDIO, "[imagem]": EventKind.IMAGE}
_MANY = 5
_MANY_SHOWN = 3
_THIS_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Catalog:
    """A dealer with his cars."""

    dealer: Dealer
    stock: Stock


@dataclass(frozen=True, slots=True)
class Score:
    """How many of how many."""

    right: int
    of: int

    @property
    def fraction(self) -> float:
        """Between 0 and 1."""
        return round(self.right / max(self.of, 1), 4)


def load_catalogs(folder: Path) -> dict[str, Catalog]:
    """All catalogues of a folder by name."""
    return {path.stem: load_catalog(path) for path in sorted((folder / "catalogs").glob("*.json"))}


def load_catalog(path: Path) -> Catalog:
    """One catalogue. Raises OSError, ValueError and KeyError for a file that is none."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    store = raw["empresa"]
    dealer = Dealer(
        nome=store["nome"],
        endereco=store["endereco"],
        telefone=store["telefone"],
        horario=store["horario"],
    )
    return Catalog(dealer, Stock.build(_car(row) for row in raw["cars"]))


def _car(row: dict[str, Any]) -> Car:
    return Car(
        id=row["id"],
        marca=row["brand"],
        modelo=row["model"],
        ano=row["year"],
        ano_modelo=row["year_model"],
        preco=Decimal(str(row["price"])),
        km=row["mileage"],
        cor=row["color"],
        combustivel=row["fuel_type"],
        cambio=row["transmission"],
        descricao=row["description"],
        status=row["status"],
        fotos=tuple(row["images"]),
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def utterances(folder: Path) -> dict[str, Score]:
    """How many utterances have the right intent, filters and cars."""
    catalogs = load_catalogs(folder)
    right: Counter[str] = Counter()
    total = 0
    for row in _lines(folder / "utterances.jsonl"):
        total += 1
        stock = catalogs[row["catalog"]].stock
        reading = read(row["text"], stock, this_year=_THIS_YEAR)
        spoken = reading.filters.spoken()
        looked = bool(spoken) or reading.intent == "search"
        cars = sorted(item.car.id for item in stock.matching(reading.filters)) if looked else []
        got = {"intent": reading.intent.value, "filters": spoken, "cars": cars}
        want = {"intent": row["intent"], "filters": row["filters"], "cars": sorted(row["cars"])}
        for key in got:
            right[key] += got[key] == want[key]
            if got[key] != want[key]:
                _say(f"{row['id']} {key}: {row['text']!r}: {got[key]} instead of {want[key]}")
    return {key: Score(right[key], total) for key in ("intent", "filters", "cars")}


def dialogues(folder: Path) -> dict[str, Score]:
    """How many turns, and how many whole dialogues, meet every measured expectation."""
    catalogs = load_catalogs(folder)
    turns = good_turns = total = good = 0
    for row in _lines(folder / "dialogues.jsonl"):
        results = list(_dialogue(row, catalogs[row["catalog"]]))
        turns += len(results)
        good_turns += sum(results)
        total += 1
        good += all(results)
    return {"turns": Score(good_turns, turns), "dialogues": Score(good, total)}


def _dialogue(row: dict[str, Any], catalog: Catalog) -> Iterator[bool]:
    state: dict[str, Any] = {}
    status, stored = "novo", None
    now = datetime.fromisoformat(row["now"])
    for number, turn in enumerate(row["turns"], 1):
        said = turn["user"] if isinstance(turn["user"], list) else [turn["user"]]
        messages = tuple(_incoming(text) for text in said)
        decision = decide(
            Turn(messages=messages, state=state, status=status, appointment=stored),
            stock=catalog.stock,
            dealer=catalog.dealer,
            now=now,
        )
        before, stored = stored, _agenda_after(stored, decision.agenda)
        misses = [
            *_misses(decision, turn["expect"]),
            *_agenda_misses(decision, turn["expect"], before, stored),
        ]
        if misses:
            _say(f"{row['id']}#{number} {said}: {'; '.join(misses)}")
            _say(f"    {decision.rule}: {_sent(decision)!r}")
        state, status = decision.state, decision.status
        yield not misses


def _agenda_after(stored: Appointment | None, change: AgendaChange | None) -> Appointment | None:
    """The buyer's one active appointment after a turn."""
    if change is None:
        return stored
    if change.action is AgendaAction.CANCEL:
        return None
    return replace(change.appointment, id=1 if stored is None else stored.id)


def _agenda_misses(
    decision: Decision,
    expect: dict[str, Any],
    before: Appointment | None,
    after: Appointment | None,
) -> Iterator[str]:
    if "appointment" in expect:
        want = expect["appointment"]
        if want is None and decision.agenda is not None:
            yield f"agenda changed: {decision.agenda}"
        got = None if after is None else _plain(after)
        if want is not None and got != want:
            yield f"appointment {got} instead of {want}"
    if expect.get("cancelled") and (before is None or after is not None):
        yield "nothing is cancelled"


def _plain(appointment: Appointment) -> dict[str, Any]:
    at = appointment.at.strftime("%Y-%m-%dT%H:%M")
    return {"kind": appointment.kind.value, "at": at, "car": appointment.car_id}


def _incoming(text: str) -> Incoming:
    kind = _MEDIA.get(text)
    return Incoming(kind=kind or EventKind.TEXT, text=None if kind else text)


def _sent(decision: Decision) -> str:
    return "\n".join(bubble.text for bubble in decision.bubbles if bubble.text)


def _misses(decision: Decision, expect: dict[str, Any]) -> Iterator[str]:
    measured: dict[str, object] = {
        "intent": decision.understood.get("intent"),
        "status": decision.status,
        "handoff": decision.handoff is not None,
        "silent": not decision.bubbles,
        "photos_of": _photos_of(decision),
    }
    for key, got in measured.items():
        if key in expect and got != expect[key]:
            yield f"{key} {got} instead of {expect[key]}"
    asked = decision.asks or "none"
    if "asks" in expect and asked != expect["asks"]:
        yield f"asks {asked} instead of {expect['asks']}"
    if "cars" in expect and not _cars_right(decision, set(expect["cars"])):
        yield f"cars {sorted(_shown(decision))} instead of {expect['cars']}"
    sent = _sent(decision)
    for pattern in expect.get("must_say", ()):
        if not re.search(pattern, sent, re.IGNORECASE | re.DOTALL):
            yield f"does not say {pattern}"
    for pattern in expect.get("must_not_say", ()):
        if re.search(pattern, sent, re.IGNORECASE | re.DOTALL):
            yield f"says {pattern}"


def _photos_of(decision: Decision) -> int | None:
    images = (bubble for bubble in decision.bubbles if bubble.kind is BubbleKind.IMAGE)
    return next((bubble.facts[0].car_id for bubble in images if bubble.facts), None)


def _shown(decision: Decision) -> set[int]:
    return {fact.car_id for bubble in decision.bubbles for fact in bubble.facts}


def _cars_right(decision: Decision, want: set[int]) -> bool:
    shown = _shown(decision)
    if not want:
        return not decision.considered
    if len(want) <= _MANY:
        return shown == want
    return len(shown) >= _MANY_SHOWN and shown <= want


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bot.evaluate")
    parser.add_argument("path", type=Path)
    parser.add_argument("--utterances", action="store_true", help="only the single messages")
    parser.add_argument("--dialogues", action="store_true", help="only the dialogues")
    parser.add_argument("--json", action="store_true", help="only the last line")
    chosen = parser.parse_args()
    both = chosen.utterances == chosen.dialogues
    misses = io.StringIO() if chosen.json else sys.stdout
    with contextlib.redirect_stdout(misses):
        result = _measured(chosen.path, utterances_too=both or chosen.utterances,
                           dialogues_too=both or chosen.dialogues)  # fmt: skip
    counts = {name: [score.right, score.of] for name, score in result.items()}
    fractions = {name: score.fraction for name, score in result.items()}
    _say(json.dumps({**fractions, "counts": counts}))


def _measured(path: Path, *, utterances_too: bool, dialogues_too: bool) -> dict[str, Score]:
    found = utterances(path) if utterances_too else {}
    return found | (dialogues(path) if dialogues_too else {})


if __name__ == "__main__":
    main()
