"""Finds all that a dealer's installation has of a person. Called by erase, export, plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis

from schema.channels import Channel
from tenancy.lease import Connection
from worker.lgpd.files import files_of, only_his
from worker.lgpd.person import Person, find_person
from worker.lgpd.queues import Queued, Queues
from worker.lgpd.tables import Found, find_rows

_MOST_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """A person, wherever he is. Holds personal data."""

    person: Person
    rows: Found
    queued: Queued
    files: Sequence[str] = field(repr=False)
    """Keys of files that are his alone."""
    shared_files: int
    """Files that others sent, too: they stay."""

    @property
    def counts(self) -> dict[str, int]:
        """How much of him there is, by place."""
        return {**self.rows.counts, **self.queued.counts, "media": len(self.files)}

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing of him anywhere."""
        return not any(self.counts.values())

    def messages(self, channels: Sequence[Channel]) -> frozenset[tuple[int, str]]:
        """canal_id and external_id of all that was stored, or waits to be."""
        ids = {(channel.gateway, channel.identifier): channel.id for channel in channels}
        found = set(self.person.external)
        for event, origin in self.queued.named_events:
            canal_id = ids.get((event.gateway, event.channel or ""))
            if canal_id is not None:
                found.add((canal_id, event.message_id or f"helix:{origin}"))
        return frozenset(found)


async def look(
    conn: Connection,
    redis: Redis,
    channels: Sequence[Channel],
    *,
    empresa_id: int,
    phone: str,
    also: Collection[int] = (),
) -> All:
    """Changes nothing. An event that still waits may tell that an id is his: then all is looked at
    once more. Raises the errors of the connection, and RedisError."""
    queues = Queues(redis, empresa_id, channels)
    person = await find_person(conn, empresa_id, phone, also=also)
    for _ in range(_MOST_ROUNDS):
        queued = await queues.find(person)
        learned = person.learned_from(queued.events)
        if not learned:
            break
        known = person.identities | learned
        person = await find_person(conn, empresa_id, phone, also=also, known_by=known)
    named = files_of(person, queued)
    files = await only_his(conn, named, person.messages)
    return All(
        person=person,
        rows=await find_rows(conn, person),
        queued=queued,
        files=files,
        shared_files=len(named) - len(files),
    )
