"""Tells a way for people and programs: who, how it stands, and all its steps. Called by the CLI."""

from __future__ import annotations

from collections.abc import Sequence

from worker.trace.elsewhere import Trace
from worker.trace.rows import Row, Story
from worker.trace.search import Way
from worker.trace.steps import Shown, Step, in_time, steps_of

Facts = dict[str, object]

_STANDS = {
    "pendente": "waits for delivery",
    "enviando": "is being sent, or its result is unknown",
    "enviada": "the gateway has it",
    "entregue": "delivered",
    "lida": "read",
    "falhou": "failed",
    "cancelada": "withdrawn",
}


def told(way: Way, *, personal: bool) -> Facts:
    """JSON-ready, the same keys for every way; times are ISO in UTC, `ms` since the first step."""
    shown = Shown(personal)
    beside = [_beside(trace, shown) for trace in way.traces]
    steps = beside if way.story is None else [*steps_of(way.story, shown), *beside]
    facts: Facts = {"empresa": way.empresa_id, **_message(way.story, shown)}
    facts["stands"] = _elsewhere(way.traces) if way.story is None else stands(way.story, shown)
    return {**facts, "steps": _timed(in_time(steps))}


def stands(story: Story, shown: Shown) -> str:
    """How it stands now, in a line."""
    message = story.message
    if message.by_lucas:
        return f"reply: {_status(message)}"
    if not message.received:
        return "a seller's own message: nothing to answer"
    replies = [row for row in story.turn if row.by_lucas and row.status != "cancelada"]
    if replies:
        return "answered: " + ", ".join(f"{row.id} {_status(row)}" for row in replies)
    if message.error is not None:
        return f"not answered, the turn failed: {shown.words(message.error)}"
    if message.decision:
        why = message.decision.get("why") or f"rule {message.decision.get('rule')}"
        return f"not answered: {shown.words(str(why))}"
    return _unanswered(story)


def _unanswered(story: Story) -> str:
    message, talk = story.message, story.talk
    if message.turn is None:
        return f"stored, not to be answered (kind {message.kind})"
    if talk is not None and talk.turn < message.turn:
        due = (
            "no time is set" if talk.due_at is None else f"due {talk.due_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        return f"waits for turn {message.turn}: {due}"
    if any(row.by_lucas for row in story.turn):
        return "its answer was withdrawn and none took its place"
    if any(not row.received and not row.by_lucas for row in story.turn):
        return "a seller took it up"
    return f"turn {message.turn} is over without a reply"


def _status(row: Row) -> str:
    return _STANDS.get(row.status or "", row.status or "status not kept")


def _elsewhere(traces: Sequence[Trace]) -> str:
    names = dict.fromkeys(trace.what for trace in traces)
    return "not stored: " + ", ".join(names)


def _message(story: Story | None, shown: Shown) -> Facts:
    row = None if story is None else story.message
    return {
        "id": None if story is None else f"{story.empresa_id}:{story.message.id}",
        "gateway_id": None if row is None else shown.id(row.external_id),
        "direction": None if row is None else "received" if row.received else "sent",
        "kind": None if row is None else row.kind,
        "author": None if row is None else row.author,
        "channel": None if row is None else row.canal_id,
        "conversation": None if row is None else row.conversation_id,
        "turn": None if row is None else row.turn,
    }


def _beside(trace: Trace, shown: Shown) -> Step:
    # Not through `words`: it would take a letter's id for a document, and `dead` wants that id.
    more = f": {trace.personal}" if shown.personal and trace.personal else ""
    return Step(at=trace.at, what=trace.what, detail=trace.detail + more)


def _timed(steps: Sequence[Step]) -> list[Facts]:
    first = next((step.at for step in steps if step.at is not None), None)
    return [
        {
            "at": None if step.at is None else step.at.isoformat(timespec="milliseconds"),
            "ms": None
            if step.at is None or first is None
            else round((step.at - first).total_seconds() * 1000),
            "what": step.what,
            "detail": step.detail,
            "mensagem": step.mensagem_id,
        }
        for step in steps
    ]
