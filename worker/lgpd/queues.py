"""What Redis has of a person: found and taken away. Called by this room.

Everything of one dealer, and what nobody's channel or an unreadable body brought in by his. Taking
away what is gone already changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from redis.asyncio import Redis

from gateway.redis_stream.send import GROUP, mark_of, stream_of
from schema.channels import Channel
from schema.events import Event
from worker.dead.letter import BODIES, UNKNOWN, Kind, Letter, Source, of_empresa, read_letter
from worker.deliver.gate import short
from worker.lgpd.person import Person
from worker.queue.dead_shelf import DeadShelf
from worker.queue.ignored import digest_of
from worker.queue.inbox import InboxEntry, read_entry
from worker.queue.keys import held, hush, ignored, inbox, pair_state
from worker.queue.lease import StreamEntry
from worker.queue.scripts import load

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What was found. Holds personal data."""

    waiting: Sequence[InboxEntry] = field(default=(), repr=False)
    letters: Sequence[Letter] = field(default=(), repr=False)
    replies: Sequence[tuple[str, StreamEntry]] = field(default=(), repr=False)
    """On the stream of a channel whose gateway reads from Redis: stream and entry."""
    ignored: Sequence[str] = ()
    """Entries of the trace of ignored events; they hold digests alone."""
    keys: Sequence[str] = ()
    """States of pace and marks that exist for him alone; their names hold digests or ids."""

    @property
    def named_events(self) -> list[tuple[Event, str]]:
        """All events that can be read, each with the id that an inbox gave it first."""
        waiting = [(entry.event, entry.origin) for entry in self.waiting]
        dead = [(event_of(letter), letter.origin or "") for letter in self.letters]
        return [(event, origin) for event, origin in (*waiting, *dead) if event is not None]

    @property
    def events(self) -> list[Event]:
        """The same without these ids."""
        return [event for event, _ in self.named_events]

    @property
    def counts(self) -> dict[str, int]:
        """How many there are, by place."""
        return {
            "redis.inbox": len(self.waiting),
            "redis.dead_letters": len(self.letters),
            "redis.replies": len(self.replies),
            "redis.ignored": len(self.ignored),
            "redis.state": len(self.keys),
        }


class Queues:
    """The streams and keys of one dealer. Raises RedisError."""

    def __init__(self, redis: Redis, empresa_id: int, channels: Sequence[Channel]) -> None:
        self._redis = redis
        self._empresa_id = empresa_id
        self._channels = channels
        self._shelf = DeadShelf(redis)
        self._withdraw = load(redis, "withdraw_events")

    async def find(self, person: Person) -> Queued:
        """All that is his now."""
        return Queued(
            waiting=[entry async for entry in self._waiting(person)],
            letters=[letter async for letter in self._letters(person)],
            replies=[reply async for reply in self._replies(person)],
            ignored=await self._ignored(person),
            keys=await self._keys(person),
        )

    async def take_away(self, found: Queued) -> None:
        """Gone when it returns, whatever stopped it before."""
        for first in range(0, len(found.waiting), _AT_ONCE):
            ids = [entry.id for entry in found.waiting[first : first + _AT_ONCE]]
            await self._withdraw(
                keys=[inbox(self._empresa_id), held(self._empresa_id)], args=[*ids]
            )
        for letter in found.letters:
            await self._shelf.take_away(letter.id.source.stream, letter.id.stream_id)
        for stream, (entry_id, _) in found.replies:
            if await self._redis.exists(stream):
                groups = await self._redis.xinfo_groups(stream)
                if any(group["name"] == GROUP.encode() for group in groups):
                    await self._redis.xack(stream, GROUP, entry_id)
                await self._redis.xdel(stream, entry_id)
        if found.ignored:
            await self._redis.xdel(ignored(self._empresa_id), *found.ignored)
        if found.keys:
            await self._redis.delete(*found.keys)

    async def _waiting(self, person: Person) -> AsyncIterator[InboxEntry]:
        async for stream_entry in self._shelf.read(inbox(self._empresa_id)):
            entry = read_entry(stream_entry)
            if person.is_named_by(entry.event) if entry.event else person.is_in(entry.raw):
                yield entry

    async def _letters(self, person: Person) -> AsyncIterator[Letter]:
        for source in (of_empresa(self._empresa_id), UNKNOWN, BODIES):
            async for entry in self._shelf.read(source.stream):
                letter = read_letter(source, entry)
                if self._is_his(letter, source, entry, person):
                    yield letter

    def _is_his(self, letter: Letter, source: Source, entry: StreamEntry, person: Person) -> bool:
        ours = {channel.id for channel in self._channels}
        if source.empresa_id is None and letter.canal_id not in ours:
            return False
        event = event_of(letter)
        if event is not None:
            return person.is_named_by(event)
        if letter.kind is Kind.REPLY:
            return letter.mensagem_id in person.messages
        if letter.conversation_id is not None:
            return letter.conversation_id in person.talks
        return any(person.is_in(value) for value in entry[1].values())

    async def _replies(self, person: Person) -> AsyncIterator[tuple[str, StreamEntry]]:
        refs = {f"{self._empresa_id}:{row}".encode() for row in person.messages}
        for stream in sorted({stream_of(channel.identifier) for channel in self._channels}):
            async for entry in self._shelf.read(stream):
                if entry[1].get(b"ref") in refs:
                    yield stream, entry

    async def _ignored(self, person: Person) -> list[str]:
        wanted = {digest_of(name).encode() for name in person.external_ids}
        entries: list[StreamEntry] = await self._redis.xrange(ignored(self._empresa_id))
        return [entry_id.decode() for entry_id, told in entries if told.get(b"id") in wanted]

    async def _keys(self, person: Person) -> list[str]:
        addresses = {*person.addresses, *person.phones}
        names = [mark_of(self._empresa_id, row) for row in sorted(person.messages)]
        for channel in self._channels:
            for address in sorted(addresses):
                names.append(pair_state(self._empresa_id, channel.id, short(address)))
                names.append(hush(self._empresa_id, channel.identifier, address))
        return await self._existing(names)

    async def _existing(self, names: Collection[str]) -> list[str]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.exists(name)
            # Typed as if a synchronous client might have been given.
            answers: list[Any] = await pipe.execute()
        return [name for name, there in zip(names, answers, strict=True) if there]


def event_of(letter: Letter) -> Event | None:
    """A dead letter's event; None where it has none, or none that can be read."""
    try:
        return None if letter.event is None else Event.model_validate_json(letter.event)
    except ValidationError:
        return None
