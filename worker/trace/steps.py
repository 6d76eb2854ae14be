"""Tells a message's way as steps in the order of time, from its rows. Called by `tell`.

Pure. Texts are handed through `Shown`, which masks them unless a person asked for personal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.masking import masked
from worker.clock import from_ms
from worker.drain.silence import calls_lucas
from worker.log import mask, short_id
from worker.trace.rows import Row, Story

_SHORT = 40
_MOST_CARS = 10
_REPORTED = {"enviada": "sent", "entregue": "delivered", "lida": "read"}
"""Steps of the ladder, the lowest first."""
_DEFAULTS = re.compile(r"\w+=(?:None|False)(?:, )?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened; `at` None: nobody kept when."""

    at: datetime | None
    what: str
    detail: str
    mensagem_id: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What of texts and ids may be seen."""

    personal: bool

    def text(self, text: str | None) -> str:
        """What was written: whole, or its beginning without what identifies a person."""
        if text is None:
            return "-"
        if self.personal:
            return f'"{text}"'
        line = " ".join(mask(masked(text)).split())
        return f'"{line}"' if len(line) <= _SHORT else f'"{line[: _SHORT - 1]}…"'

    def id(self, external_id: str | None) -> str:
        """A gateway's id: its end finds the row, its beginning may hold a number."""
        return (external_id if self.personal else short_id(external_id)) or "-"

    def words(self, text: str | None) -> str:
        """An error or a reason: long enough to act on, numbers masked."""
        return (text or "-") if self.personal else mask(masked(text or "-"))


def steps_of(story: Story, shown: Shown) -> list[Step]:
    """All of the message's turn, what has no time at the end."""
    found = [
        *(step for row in story.turn if row.received for step in _arrival(row, shown)),
        *(step for row in story.turn if _is_sellers(row) for step in _by_hand(row, shown)),
        *_thoughts(story, shown),
        *(step for row in story.turn if row.by_lucas for step in _delivery(row, story, shown)),
    ]
    return in_time(found)


def in_time(steps: Sequence[Step]) -> list[Step]:
    """Sorted; of the same moment in the order in which they are given."""
    return sorted(steps, key=lambda step: (step.at is None, step.at.timestamp() if step.at else 0))


def _is_sellers(row: Row) -> bool:
    return not row.received and not row.by_lucas


def _arrival(row: Row, shown: Shown) -> Iterator[Step]:
    if row.taken_at is not None:
        said = f"{row.kind} {shown.text(row.text)}, gateway's id {shown.id(row.external_id)}"
        when = f", written {_clock(row.written_at)} by the gateway's clock"
        yield _step(row, row.taken_at, "taken by the webhook", said + when)
    if row.stored_at is not None:
        waited = _between(row.taken_at, row.stored_at)
        after = f" after {waited} on the inbox" if waited else ""
        yield _step(row, row.stored_at, "stored", f"mensagens.id {row.id}{after}{_turn(row)}")
    elif row.taken_at is None:
        yield _step(row, row.written_at, "written", f"{row.kind} {shown.text(row.text)}")
    yield from _later(row, shown)
    if row.error is not None:
        yield _step(row, None, "turn failed", shown.words(row.error))


def _later(row: Row, shown: Shown) -> Iterator[Step]:
    """What became of the message itself."""
    if row.edited_at is not None:
        yield _step(row, row.edited_at, "edited", f"it says {shown.text(row.text)} since then")
    if row.deleted_at is not None:
        yield _step(row, row.deleted_at, "deleted", "by its sender")
    if row.file is not None:
        yield _step(row, None, "file", shown.words(row.file))


def _by_hand(row: Row, shown: Shown) -> Iterator[Step]:
    becomes = "may speak again" if calls_lucas(row.text) else "keeps quiet"
    said = f"mensagens.id {row.id}, {row.kind} {shown.text(row.text)}: Lucas {becomes}"
    yield _step(row, row.taken_at or row.written_at, "a seller wrote", said)
    yield from _later(row, shown)


def _thoughts(story: Story, shown: Shown) -> Iterator[Step]:
    """Each decision once: a turn that was withdrawn and taken anew has several."""
    told: list[Mapping[str, Any]] = []
    for row in story.turn:
        if not row.decision or row.decision in told:
            continue
        told.append(row.decision)
        at = row.stored_at if row.by_lucas else _decided_at(row)
        if row.decision.get("rule") == "silent":
            yield _step(row, at, "kept quiet", shown.words(str(row.decision.get("why"))))
        else:
            yield from _decision(row, at, story, shown)


def _decided_at(row: Row) -> datetime | None:
    """No reply's row tells it, but the wait of the first message that it answers."""
    waited = row.decision.get("waited_ms")
    if isinstance(waited, int) and row.taken_at is not None:
        return row.taken_at + timedelta(milliseconds=waited)
    return row.stored_at


def _decision(row: Row, at: datetime | None, story: Story, shown: Shown) -> Iterator[Step]:
    why = row.decision
    if why.get("waited_ms") is not None:
        since = f"{why['waited_ms']} ms after the first unanswered message came"
        yield _step(row, at, "quiet window over", since)
    if why.get("understood"):
        yield _step(row, at, "understood", shown.words(in_words(why["understood"])))
    yield _step(row, at, "considered", _cars(why, story))
    if why.get("fell_out"):
        counts = ", ".join(f"{count} by {wish}" for wish, count in dict(why["fell_out"]).items())
        yield _step(row, at, "fell out", f"cars for sale that a wish ruled out: {counts}")
    yield _step(row, at, "decided", shown.words(_rule(why)))


def _cars(why: Mapping[str, Any], story: Story) -> str:
    ids = list(why.get("considered") or ())
    if not ids:
        return "no car"
    names = [f"{story.cars.get(id_, 'no longer there')} (id {id_})" for id_ in ids[:_MOST_CARS]]
    more = len(ids) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _rule(why: Mapping[str, Any]) -> str:
    said = [f"rule {why.get('rule')}"]
    for name, words in (
        ("asks", "asks for"),
        ("handoff", "calls a person:"),
        ("opt_out", "opt-out:"),
    ):
        said += [f"{words} {why[name]}"] if why.get(name) else []
    said += [f"agenda: {in_words(why['agenda'])}"] if why.get("agenda") else []
    said.append(f"messages answered at once: {why.get('messages')}")
    said.append(f"{why.get('loaded_us')} µs to load, {why.get('decided_us')} µs to decide")
    return "; ".join(said)


def _delivery(row: Row, story: Story, shown: Shown) -> Iterator[Step]:
    reply = f"mensagens.id {row.id}, {row.kind} {shown.text(row.text)}"
    yield _step(row, row.stored_at, "reply written", reply)
    if row.sent_at is not None:
        tries = f", {row.tries} tries" if row.tries > 1 else ""
        taken = f"mensagens.id {row.id} as {shown.id(row.external_id)}{tries}"
        yield _step(row, row.sent_at, "taken by the gateway", taken)
    yield from _climb(row)
    yield from _standing(row, story, shown)


def _climb(row: Row) -> Iterator[Step]:
    """Gateways tell whole seconds of their own clock: no step is shown before the one below it."""
    earliest = row.sent_at
    for status, what in _REPORTED.items():
        if status not in row.reported or (status == "enviada" and row.sent_at is not None):
            continue
        at = from_ms(row.reported[status])
        earliest = at if earliest is None else max(at, earliest)
        yield _step(row, earliest, what, f"mensagens.id {row.id}, by the gateway's report")


def _standing(row: Row, story: Story, shown: Shown) -> Iterator[Step]:
    """What its status says that no time tells."""
    name = f"mensagens.id {row.id}"
    why = f": {shown.words(row.error)}" if row.error else ""
    until = f", not before {_clock(row.next_try)}" if row.next_try else ""
    if row.status == "cancelada":
        yield _withdrawn(row, story, why)
    elif row.status == "falhou":
        reported = from_ms(row.reported["falhou"]) if "falhou" in row.reported else None
        yield _step(row, reported, "failed", f"{name}{why}")
    elif row.status == "enviando":
        unknown = f", sends of unknown result: {row.unknown}" if row.unknown else ""
        yield _step(row, None, "being sent", f"{name}, try {row.tries}{unknown}{until}{why}")
    elif row.status == "pendente":
        yield _step(row, None, "waits for delivery", f"{name}{until}{why}")
    elif row.status in ("entregue", "lida") and row.status not in row.reported:
        yield _step(row, None, _REPORTED[row.status], f"{name}, as reported at a time not kept")
    if row.unknown > 1 and row.status != "enviando":
        yield _step(
            row, None, "unknown results", f"{name}: sends nobody knows of: {row.unknown - 1}"
        )


def _withdrawn(row: Row, story: Story, why: str) -> Step:
    """What the buyer wrote next was stored in the transaction that withdrew it."""
    name = f"mensagens.id {row.id}"
    if why:
        return _step(row, None, "withdrawn", name + why)
    for other in story.turn:
        if other.received and _is_after(other, row):
            wrote = f"{name}: the buyer wrote mensagens.id {other.id} before it left"
            return _step(row, other.stored_at, "withdrawn", wrote)
    acted = f"{name}: a person acted, or the buyer changed what he wrote, before it left"
    return _step(row, None, "withdrawn", acted)


def _is_after(other: Row, row: Row) -> bool:
    times = other.stored_at, row.stored_at
    return times[0] is not None and times[1] is not None and times[0] > times[1]


def in_words(value: object) -> str:
    """JSON in one line: `intents: search; filters: body: suv`; what says nothing is left out."""
    if isinstance(value, Mapping):
        parts = {name: in_words(part) for name, part in value.items()}
        return "; ".join(f"{name}: {part}" for name, part in parts.items() if part)
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(in_words, value)))
    # Days and times stand there as their values print themselves.
    return "" if value in (None, "", False) else _DEFAULTS.sub("", str(value)).replace(", )", ")")


def _step(row: Row, at: datetime | None, what: str, detail: str) -> Step:
    return Step(at=at, what=what, detail=detail, mensagem_id=row.id)


def _turn(row: Row) -> str:
    return "" if row.turn is None else f", turn {row.turn}"


def _between(start: datetime | None, end: datetime) -> str | None:
    return None if start is None else f"{round((end - start).total_seconds() * 1000)} ms"


def _clock(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
