"""Carries out what happens to stored messages: an edit, a deletion. Called by intake.

The old text is kept, and what was deleted stays readable for the dealer; Lucas answers what stands
now. A change that comes before its message waits for it in `_early_changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from bot.lucas import completeness
from bot.quiet import due_at
from schema.events import Event, EventKind
from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.details import details_of
from worker.drain import choices, conversations, messages
from worker.drain.arrival import Arrival, IntakeRules
from worker.drain.conversations import Book, Conversation
from worker.drain.messages import fitting
from worker.drain.silence import human_sign
from worker.drain.undo import undo_turn

_ROWS = """
    SELECT id, conversation_id, external_id, tipo, turno, conteudo, editada_em, versoes, apagada_em,
           citada, detalhes
      FROM mensagens WHERE canal_id = %(channel)s AND external_id IN %(ids)s
       FOR UPDATE
"""
_WRITE = """
    UPDATE mensagens SET conteudo = %(text)s, editada_em = %(edited)s, versoes = %(versions)s,
                         apagada_em = %(deleted)s
     WHERE id = %(id)s
"""
_DETAILS = "UPDATE mensagens SET detalhes = %(details)s WHERE id = %(id)s"
_UNANSWERED = """
    SELECT 1 FROM mensagens
     WHERE conversation_id = %(id)s AND turno = %(turn)s AND tipo = 'recebida'
       AND apagada_em IS NULL LIMIT 1
"""
_KEEP = """
    INSERT INTO _early_changes (canal_id, external_id, evento, chegou_em) VALUES (%s, %s, %s, %s)
"""
_DONE = "DELETE FROM _early_changes WHERE id IN %(ids)s"
_FORGET = "DELETE FROM _early_changes WHERE chegou_em < %(before)s LIMIT 1000"
_EARLY_AT_MOST = timedelta(days=7)
"""For so long gateways repeat what we did not take; after that the message will not come."""
_CHANGES = frozenset({EventKind.EDITED, EventKind.REVOKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An edit or a deletion, with the channel that it came by."""

    event: Event
    canal_id: int
    at: datetime
    """When it was made."""

    @property
    def is_one(self) -> bool:
        """Reports of delivery wait in the same place."""
        return self.event.kind in _CHANGES

    @property
    def key(self) -> tuple[int, str]:
        """The message that it is about."""
        return (self.canal_id, self.event.message_id or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a row says, and said before."""

    text: str | None
    edited: datetime | None = None
    versions: tuple[tuple[str | None, str], ...] = ()
    """Earlier texts, each with the time (ISO, UTC) of the one that took its place."""
    deleted: datetime | None = None

    def after(self, change: Change) -> Text:
        """The same when the change is no news: a repetition, or older than what is known."""
        if change.event.kind is EventKind.REVOKED:
            return self if self.deleted is not None else replace(self, deleted=change.at)
        new = fitting(change.event.text)
        if new is None or self._has_had(new, change.at):
            return self
        versions = (*self.versions, (self.text, change.at.isoformat()))
        return replace(self, text=new, edited=change.at, versions=versions)

    def _has_had(self, new: str, at: datetime) -> bool:
        if new == self.text or (self.edited is not None and at < self.edited):
            return True
        # Times have one second: what was edited twice in it must not swing back by a repetition.
        made = zip(self.versions, self.versions[1:], strict=False)
        return any(text == new and then == at.isoformat() for (_, then), (text, _) in made)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    conversation_id: int
    ours: bool
    turno: int | None
    text: Text
    quoted: str | None
    details: str | None


async def apply(
    conn: TenantConnection,
    book: Book,
    arrivals: Sequence[Arrival],
    early: Sequence[tuple[int, int, str]],
    rules: IntakeRules,
    *,
    now: datetime,
) -> set[int]:
    """Carries out all changes; the book's conversations follow.

    `early`: what waited for messages of this batch (its row, channel, event as JSON). Returns
    the conversations in which a person of the shop changed something by hand.
    """
    waited = {
        row: change
        for row, channel, text in early
        if (change := _of_event(channel, Event.model_validate_json(text), now)).is_one
    }
    came = [
        Change(event=a.event, canal_id=a.canal_id, at=a.written_at(now))
        for a in arrivals
        if a.event.kind in _CHANGES and a.event.message_id
    ]
    everything = [*waited.values(), *came]
    if not everything:
        return set()
    rows = await _rows(conn, everything)
    await _keep_early(conn, [change for change in came if change.key not in rows], now=now)
    if waited:
        await conn.execute(_DONE, {"ids": list(waited)})
    touched: set[int] = set()
    for change in everything:
        row = rows.get(change.key)
        if row is None or (after := row.text.after(change)) == row.text:
            continue
        rows[change.key] = replace(row, text=after)
        await _write(conn, row.id, after)
        known = book.by_id.get(row.conversation_id)
        conversation = known or book.enter(await conversations.by_id(conn, row.conversation_id))
        if row.ours:
            await _undo_unsent(conn, conversation)
            human_sign(conversation, change.at, rules)
            touched.add(conversation.id)
        else:
            await _answer_what_stands(conn, conversation, row, change, rules, now=now)
    return touched


def _of_event(channel: int, event: Event, now: datetime) -> Change:
    at = now if event.timestamp is None else datetime.fromtimestamp(event.timestamp, UTC)
    return Change(event=event, canal_id=channel, at=min(at, now))


async def _answer_what_stands(
    conn: TenantConnection,
    conversation: Conversation,
    row: _Row,
    change: Change,
    rules: IntakeRules,
    *,
    now: datetime,
) -> None:
    """What is not yet answered, or whose answer has not left, is answered as it stands now."""
    if row.turno == conversation.turno:
        await _undo_unsent(conn, conversation)
    if row.turno != conversation.turno + 1 or conversation.sem_resposta_desde is None:
        return
    conversation.fresh = None
    asked = {"id": conversation.id, "turn": conversation.turno + 1}
    if not await conn.fetch_all(_UNANSWERED, asked):
        conversation.sem_resposta_desde = conversation.responder_em = None
    elif change.event.kind is EventKind.EDITED:
        await _choose_anew(conn, conversation, row, change)
        state = orjson.loads(conversation.estado) if conversation.estado else {}
        finished = completeness(change.event.text, EventKind.TEXT, state)
        conversation.responder_em = due_at(
            conversation.sem_resposta_desde, now, finished, rules.lucas
        )
    elif conversation.responder_em is None:
        conversation.responder_em = now


async def _undo_unsent(conn: TenantConnection, conversation: Conversation) -> None:
    """Takes the last turn back if nothing of its answer has been handed to the gateway."""
    if conversation.turno_anterior is None:
        return
    if await messages.withdraw_unsent(conn, [conversation.id]):
        await undo_turn(conn, conversation)


async def _choose_anew(
    conn: TenantConnection, conversation: Conversation, row: _Row, change: Change
) -> None:
    """The option that the old words named is not what the new ones name."""
    quoted = None if row.quoted is None else (change.canal_id, row.quoted)
    option_id = await choices.chosen_now(conn, conversation, change.event.text, quoted=quoted)
    before = details_of(row.details)
    if option_id != before.option_id:
        after = before.model_copy(update={"option_id": option_id}).to_json()
        await conn.execute(_DETAILS, {"id": row.id, "details": after})


async def _rows(conn: TenantConnection, changes: Sequence[Change]) -> dict[tuple[int, str], _Row]:
    by_channel: dict[int, set[str]] = {}
    for change in changes:
        channel, id_ = change.key
        by_channel.setdefault(channel, set()).add(id_)
    return {
        (channel, row[2]): _Row(
            row[0], row[1], row[3] == "enviada", row[4], _text(row), row[9], row[10]
        )
        for channel, ids in by_channel.items()
        for row in await conn.fetch_all(_ROWS, {"channel": channel, "ids": sorted(ids)})
    }


def _text(row: Sequence[object]) -> Text:
    text, edited, versions, deleted = row[5:9]
    known = orjson.loads(versions) if isinstance(versions, str) else []
    return Text(
        text=text if isinstance(text, str) else None,
        edited=stored(edited) if isinstance(edited, datetime) else None,
        versions=tuple((version["texto"], version["ate"]) for version in known),
        deleted=stored(deleted) if isinstance(deleted, datetime) else None,
    )


async def _write(conn: TenantConnection, row_id: int, text: Text) -> None:
    versions = [{"texto": old, "ate": until} for old, until in text.versions]
    await conn.execute(
        _WRITE,
        {
            "id": row_id,
            "text": text.text,
            "edited": text.edited,
            "versions": orjson.dumps(versions).decode() if versions else None,
            "deleted": text.deleted,
        },
    )


async def _keep_early(conn: TenantConnection, changes: Sequence[Change], *, now: datetime) -> None:
    if not changes:
        return
    await conn.execute(_FORGET, {"before": now - _EARLY_AT_MOST})
    rows = [
        (*change.key, change.event.model_dump_json(exclude_defaults=True), now)
        for change in changes
    ]
    await conn.execute_many(_KEEP, rows)
