"""Finds a message by our id or its gateway's, at one dealer or at all. Called by the CLI.

All dealers are asked a few at a time, each within a limit; who does not answer is named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schema.errors import HelixError
from tenancy.start import Tenancy
from worker.dead.letter import Kind, Letter
from worker.trace.elsewhere import Elsewhere, InboxTooLong, Trace, trace_of
from worker.trace.rows import Story, by_gateways_id, by_id

_AT_ONCE = 8
_CHANNELS = "SELECT empresa_id, id FROM canais"
_LARGEST_ID = 2**31


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asked for; the empresa None: any."""

    text: str
    """As it was typed: it may be a gateway's id whatever it looks like."""
    empresa_id: int | None
    mensagem_id: int | None

    @classmethod
    def read(cls, text: str, empresa_id: int | None) -> Wanted:
        """`7:123` is ours, and `123` of a named dealer; everything else is a gateway's."""
        first, colon, rest = text.partition(":")
        if colon and _is_number(first) and _is_number(rest) and empresa_id in (None, int(first)):
            return cls(text, int(first), int(rest))
        ours = empresa_id is not None and _is_number(text)
        return cls(text, empresa_id, int(text) if ours else None)


@dataclass(frozen=True, slots=True)
class Way:
    """A message of one dealer (None: of nobody), and what Redis knows of it."""

    empresa_id: int | None
    story: Story | None
    traces: Sequence[Trace]


@dataclass(slots=True)
class Found:
    """What came of a search."""

    ways: list[Way]
    not_asked: dict[int, str]
    """Dealers who could not be asked in full, and why."""


async def search(
    tenancy: Tenancy,
    elsewhere: Elsewhere,
    wanted: Wanted,
    *,
    limit_s: float,
    asked: Callable[[int, int], None] = lambda _done, _of: None,
) -> Found:
    """`asked` hears how many of how many dealers have been asked; each database has `limit_s`.

    Raises CentralUnavailable, UnknownEmpresa for the named dealer, and RedisError.
    """
    found = Found([], {})
    seeker = _Seeker(tenancy, elsewhere, wanted, await _channels(tenancy), found, limit_s)
    if wanted.empresa_id is not None:
        await tenancy.registry.tenant(wanted.empresa_id)
        await seeker.ask(wanted.empresa_id)
    else:
        dealers = {*seeker.channels, *await elsewhere.empresas()}
        await _everywhere(seeker, sorted(dealers), asked)
    if not found.ways or found.ways[0].story is None:
        shared = await elsewhere.of_nobody(wanted.text)
        found.ways += [Way(None, None, shared)] if shared else []
    return found


async def _everywhere(
    seeker: _Seeker, dealers: Sequence[int], asked: Callable[[int, int], None]
) -> None:
    places, done = asyncio.Semaphore(_AT_ONCE), 0

    async def ask(empresa_id: int) -> None:
        nonlocal done
        async with places:
            await seeker.ask(empresa_id)
            # Thousands of dealers are not kept connected for one question.
            await seeker.tenancy.pools.close(empresa_id)
        done += 1
        asked(done, len(dealers))

    try:
        async with asyncio.TaskGroup() as tasks:
            for empresa_id in dealers:
                tasks.create_task(ask(empresa_id), name=f"trace-{empresa_id}")
    except ExceptionGroup as group:  # callers know its members: Redis is away for each of them
        raise group.exceptions[0] from group
    seeker.found.ways.sort(key=lambda way: (way.story is None, way.empresa_id))


@dataclass(frozen=True, slots=True)
class _Seeker:
    tenancy: Tenancy
    elsewhere: Elsewhere
    wanted: Wanted
    channels: dict[int, list[int]]
    found: Found
    limit_s: float

    async def ask(self, empresa_id: int) -> None:
        """One dealer. When his database does not answer, Redis is still asked."""
        stories: list[Story] = []
        try:
            async with asyncio.timeout(self.limit_s):
                stories = await self._stories(empresa_id)
        except TimeoutError:
            self.found.not_asked[empresa_id] = f"no answer within {self.limit_s:g} s"
        except HelixError as error:
            self.found.not_asked[empresa_id] = str(error)
        for story in stories:
            traces = [*await self._letters(story), *await self._traces(empresa_id, _names(story))]
            self.found.ways.append(Way(empresa_id, story, traces))
        if not stories and (traces := await self._traces(empresa_id, {self.wanted.text})):
            self.found.ways.append(Way(empresa_id, None, traces))

    async def _stories(self, empresa_id: int) -> list[Story]:
        ours, text = self.wanted.mensagem_id, self.wanted.text
        if ours is None and empresa_id not in self.channels:  # no gateway's id can be there
            return []
        async with self.tenancy.pools.connection(empresa_id) as conn:
            found = [] if ours is None else await by_id(conn, ours)
            return found or await by_gateways_id(conn, self.channels.get(empresa_id, []), text)

    async def _letters(self, story: Story) -> list[Trace]:
        letters = await self.elsewhere.letters(story.empresa_id)
        return [trace_of(letter) for letter in letters if _is_about(letter, story)]

    async def _traces(self, empresa_id: int, names: set[str]) -> list[Trace]:
        try:
            return await self.elsewhere.of_empresa(empresa_id, names)
        except InboxTooLong as error:
            self.found.not_asked[empresa_id] = str(error)
            return []


def _names(story: Story) -> set[str]:
    """Gateways' ids of the message and of the replies to it: reports name these."""
    rows = [story.message, *(row for row in story.turn if row.by_lucas)]
    return {row.external_id for row in rows if row.external_id is not None}


def _is_about(letter: Letter, story: Story) -> bool:
    if letter.kind is Kind.REPLY:
        return letter.mensagem_id in {row.id for row in story.turn if row.by_lucas}
    if letter.conversation_id != story.message.conversation_id:
        return False
    if letter.turn is not None:
        return letter.turn == story.message.turn
    # Such a letter names no turn: it is about what was there by then and has no answer.
    stored_at = story.message.stored_at
    answered = any(row.by_lucas and row.sent_at is not None for row in story.turn)
    return not answered and stored_at is not None and letter.at_ms >= stored_at.timestamp() * 1000


async def _channels(tenancy: Tenancy) -> dict[int, list[int]]:
    """Of every dealer: a gateway's id is unique in its channel only."""
    found: dict[int, list[int]] = {}
    async with tenancy.central.connection() as conn:
        for empresa_id, canal_id in await conn.fetch_all(_CHANNELS):
            found.setdefault(empresa_id, []).append(canal_id)
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) < _LARGEST_ID
