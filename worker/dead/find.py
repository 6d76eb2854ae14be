"""Finds dead letters over all dealers, and groups them by cause. Called by `worker.cli`."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from worker.dead.letter import (
    BODIES,
    UNKNOWN,
    Kind,
    Letter,
    LetterId,
    Source,
    of_empresa,
    read_letter,
)
from worker.queue.dead_shelf import DeadShelf

_SHARED_KINDS = {Kind.UNKNOWN_CHANNEL: UNKNOWN, Kind.UNREADABLE: BODIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which letters. What is None asks for nothing; times are unix milliseconds."""

    empresa_id: int | None = None
    kind: Kind | None = None
    cause: str | None = None
    """The short name of a group, or a part of the cause's text."""
    since_ms: int | None = None
    until_ms: int | None = None
    text: str | None = None
    """A part of the error's text, in upper or lower case."""

    def takes(self, letter: Letter) -> bool:
        """Whether it is one of them; its time and dealer were asked for when it was read."""
        if self.kind is not None and letter.kind is not self.kind:
            return False
        if self.text is not None and self.text.casefold() not in letter.error.casefold():
            return False
        if self.cause is None or self.cause == letter.group:
            return True
        return self.cause.casefold() in letter.cause.casefold()


@dataclass(slots=True)
class Group:
    """All letters of one kind and cause that were found."""

    name: str
    kind: Kind
    cause: str
    example: LetterId
    oldest_ms: int
    newest_ms: int
    per_empresa: Counter[int] = field(default_factory=Counter)
    letters: int = 0

    def add(self, letter: Letter) -> None:
        """One more."""
        self.letters += 1
        self.oldest_ms = min(self.oldest_ms, letter.at_ms)
        self.newest_ms = max(self.newest_ms, letter.at_ms)
        if letter.empresa_id is not None:
            self.per_empresa[letter.empresa_id] += 1


class Finder:
    """Reads dead letters; changes none."""

    def __init__(self, shelf: DeadShelf) -> None:
        self._shelf = shelf

    async def find(self, wanted: Filter) -> AsyncIterator[Letter]:
        """Dealer by dealer, the oldest first."""
        for source in await self._sources(wanted):
            entries = self._shelf.read(
                source.stream, since_ms=wanted.since_ms, until_ms=wanted.until_ms
            )
            async for entry in entries:
                letter = read_letter(source, entry)
                if wanted.takes(letter):
                    yield letter

    async def one(self, letter_id: LetterId) -> Letter | None:
        """None when it was replayed or discarded, or never was."""
        entry = await self._shelf.one(letter_id.source.stream, letter_id.stream_id)
        return None if entry is None else read_letter(letter_id.source, entry)

    async def groups(self, wanted: Filter) -> list[Group]:
        """The largest first."""
        found: dict[str, Group] = {}
        async for letter in self.find(wanted):
            group = found.get(letter.group)
            if group is None:
                group = found[letter.group] = Group(
                    name=letter.group,
                    kind=letter.kind,
                    cause=letter.cause,
                    example=letter.id,
                    oldest_ms=letter.at_ms,
                    newest_ms=letter.at_ms,
                )
            group.add(letter)
        return sorted(found.values(), key=lambda group: (-group.letters, group.name))

    async def _sources(self, wanted: Filter) -> Iterable[Source]:
        if wanted.kind in _SHARED_KINDS:
            return () if wanted.empresa_id else (_SHARED_KINDS[wanted.kind],)
        if wanted.empresa_id is not None:
            return (of_empresa(wanted.empresa_id),)
        dealers = [of_empresa(empresa_id) for empresa_id in await self._shelf.empresas()]
        return dealers if wanted.kind is not None else (*dealers, UNKNOWN, BODIES)
