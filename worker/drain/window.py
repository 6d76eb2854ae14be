"""Sets when each conversation's turn is due: the quiet window of a burst. Called by intake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from bot.lucas import completeness
from bot.quiet import due_at, due_while_typing
from schema.events import EventKind
from worker.drain.arrival import Arrival, IntakeRules
from worker.drain.conversations import Book, Conversation


def set_due(book: Book, last: Mapping[int, Arrival], rules: IntakeRules, *, now: datetime) -> None:
    """When each burst is answered, by the last message of this batch in its conversation."""
    for conversation_id, arrival in last.items():
        conversation = book.by_id[conversation_id]
        if conversation.sem_resposta_desde is not None:  # else a person answers, or nobody
            since = conversation.sem_resposta_desde
            conversation.responder_em = _due(conversation, since, arrival, rules, now)


def wait_while_typing(
    book: Book, arrivals: Sequence[Arrival], last: Mapping[int, Arrival], rules: IntakeRules
) -> None:
    """Puts off the turns of those who are writing on."""
    place = {arrival.origin: number for number, arrival in enumerate(arrivals)}
    for typing in arrivals:
        if typing.event.kind is not EventKind.TYPING:
            continue
        conversation = book.find(typing.event)
        if conversation is None or conversation.responder_em is None:
            continue
        written = last.get(conversation.id)
        if written is not None and place[written.origin] > place[typing.origin]:
            continue  # by now he has sent what he was writing, be it in the same millisecond
        since = conversation.sem_resposta_desde or conversation.responder_em
        conversation.responder_em = due_while_typing(
            since, conversation.responder_em, typing.arrived, rules.lucas
        )


def _due(
    conversation: Conversation,
    since: datetime,
    last: Arrival,
    rules: IntakeRules,
    now: datetime,
) -> datetime:
    """A backlog is due whatever it says, so nobody reads it here."""
    if last.arrived + rules.longest_quiet <= now:
        return now
    if rules.is_backlog(last, now=now):
        return last.arrived + rules.longest_quiet
    state = orjson.loads(conversation.estado) if conversation.estado else {}
    finished = completeness(last.event.text, last.event.kind, state)
    return due_at(since, last.arrived, finished, rules.lucas)
