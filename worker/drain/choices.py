"""Finds which of our options a buyer chose. Called by `worker.drain.intake` and `changes`.

A tap says it itself. Where options went out as text, he answers with the number or the title:
that counts for the message that he quotes, else for our last turn, and for nothing before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from schema.events import Event, EventKind
from schema.replies import Option
from tenancy.lease import TenantConnection
from worker.details import details_of
from worker.drain.conversations import Book, Conversation

_OF_LAST_TURN = """
    SELECT conversation_id, detalhes FROM mensagens
     WHERE (conversation_id, turno) IN %(turns)s AND tipo = 'enviada'
       AND detalhes IS NOT NULL AND status NOT IN ('cancelada', 'falhou')
     ORDER BY id
"""
_QUOTED = """
    SELECT external_id, detalhes FROM mensagens
     WHERE canal_id = %(channel)s AND external_id IN %(ids)s AND tipo = 'enviada'
       AND detalhes IS NOT NULL
"""
_LONGEST = 40
_NUMBER = re.compile(r"\W*(?:(?:op[cç][aã]o|n[uú]mero|a|o)\s+)?([0-9]{1,2})\W*", re.IGNORECASE)

Key = tuple[int, str]
"""canal_id and external_id of a message."""


class Arriving(Protocol):
    """What is asked of an arrival."""

    @property
    def event(self) -> Event: ...

    @property
    def canal_id(self) -> int: ...

    @property
    def key(self) -> Key: ...


async def chosen(conn: TenantConnection, book: Book, new: Sequence[Arriving]) -> dict[Key, str]:
    """The id of the option that each message chooses, for those that choose one."""
    found = {
        arrival.key: arrival.event.button_id
        for arrival in new
        if arrival.event.kind is EventKind.INTERACTIVE and arrival.event.button_id
    }
    answers = [arrival for arrival in new if _may_choose(arrival.event)]
    if not answers:
        return found
    last = await _of_last_turns(
        conn, {book.of(a.event).id: book.of(a.event).turno for a in answers}
    )
    quoted = await _of_quoted(
        conn, [(a.canal_id, a.event.quoted_id) for a in answers if a.event.quoted_id is not None]
    )
    for arrival in answers:
        event = arrival.event
        options = quoted.get((arrival.canal_id, event.quoted_id or "")) or last.get(
            book.of(event).id, ()
        )
        option = match(event.text or "", options)
        if option is not None:
            found[arrival.key] = option.id
    return found


async def chosen_now(
    conn: TenantConnection,
    conversation: Conversation,
    text: str | None,
    *,
    quoted: Key | None,
) -> str | None:
    """The id of the option that a message chooses by what it says after an edit, if any."""
    said = (text or "").strip()
    if not 0 < len(said) <= _LONGEST:
        return None
    options: Sequence[Option] = ()
    if quoted is not None:
        options = (await _of_quoted(conn, [quoted])).get(quoted, ())
    if not options:
        last = await _of_last_turns(conn, {conversation.id: conversation.turno})
        options = last.get(conversation.id, ())
    option = match(said, options)
    return None if option is None else option.id


def match(text: str, options: Sequence[Option]) -> Option | None:
    """The option that a text names by its number, counted from 1, or by its whole title."""
    number = _NUMBER.fullmatch(text)
    if number is not None:
        place = int(number[1])
        return options[place - 1] if 1 <= place <= len(options) else None
    named = [option for option in options if _folded(option.title) == _folded(text)]
    return named[0] if len(named) == 1 else None


def _may_choose(event: Event) -> bool:
    return event.kind is EventKind.TEXT and 0 < len((event.text or "").strip()) <= _LONGEST


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


async def _of_last_turns(
    conn: TenantConnection, turns: Mapping[int, int]
) -> dict[int, tuple[Option, ...]]:
    """The last options of each conversation's last turn."""
    taken = [turn for turn in turns.items() if turn[1] > 0]
    if not taken:
        return {}
    rows = await conn.fetch_all(_OF_LAST_TURN, {"turns": taken})
    told = ((conversation, details_of(details).options) for conversation, details in rows)
    return {conversation: options for conversation, options in told if options}


async def _of_quoted(
    conn: TenantConnection, quoted: Sequence[Key]
) -> dict[Key, tuple[Option, ...]]:
    by_channel: dict[int, list[str]] = {}
    for canal_id, external_id in quoted:
        by_channel.setdefault(canal_id, []).append(external_id)
    found: dict[Key, tuple[Option, ...]] = {}
    for channel, ids in by_channel.items():
        for external_id, details in await conn.fetch_all(_QUOTED, {"channel": channel, "ids": ids}):
            found[(channel, external_id)] = details_of(details).options
    return found
