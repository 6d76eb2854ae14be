"""Keeps what failed for good, whole and with its error, until a person acts. Called by the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import orjson
import structlog
from prometheus_client import Counter
from redis.asyncio import Redis

from worker.queue.causes import LATE, cause_in
from worker.queue.keys import (
    NEW_DEAD_LETTERS,
    UNKNOWN_CHANNEL,
    UNREADABLE,
    dead_letters,
    held,
    inbox,
)
from worker.queue.scripts import load

log = structlog.get_logger()

_LETTERS = Counter("helix_dead_letters_total", "Dead letters written, by kind.", ["kind"])
_MOST_NEW = 2_000
Fields = dict[str, str | bytes | int]
_NOBODY = cause_in("nobody has channel '' of gateway ''")
"""The cause of all letters of unknown channels, as `worker.dead.letter` reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One that failed."""

    at_ms: int
    """By Redis's clock."""
    error: str


class DeadLetters:
    """Streams of failed events and replies; without expiry where the empresa is known."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._move = load(redis, "keep_event")

    async def keep_event(
        self,
        empresa_id: int,
        raw: bytes,
        *,
        at_ms: int,
        origin: str,
        error: str,
        cause: str = "",
        tries: Sequence[Try] = (),
        entry_id: str | None = None,
    ) -> None:
        """An inbox entry that cannot be stored; `raw` is its event as it came.

        `origin`: the id that the inbox gave it first; an event without message id goes by it.
        `tries`: all of them, `error` is the last one's; none for what no try would change.
        `entry_id`: the entry, which leaves the inbox in the same step; once it has left, nothing
        more is kept.
        """
        fields: Fields = {"kind": "event", "event": raw, "at": at_ms, "id": origin, "error": error}
        if tries:
            fields["tries"] = orjson.dumps([{"at": t.at_ms, "error": t.error} for t in tries])
        await self._add(empresa_id, fields, cause, entry_id=entry_id)

    async def keep_turn(
        self, empresa_id: int, conversation_id: int, *, turn: int, error: str, cause: str = ""
    ) -> None:
        """A turn that could not be decided: its messages are stored, nobody has answered them."""
        await self._add(
            empresa_id,
            {"kind": "turn", "conversation_id": conversation_id, "turn": turn, "error": error},
            cause,
        )

    async def keep_late(self, empresa_id: int, conversation_id: int, *, since_ms: int) -> None:
        """A turn that is too late to be taken: its messages are stored, a person must write.

        `since_ms`: when the inbox took the newest message that it would have answered.
        """
        await self._add(
            empresa_id,
            {"kind": "late", "conversation_id": conversation_id, "at": since_ms, "error": LATE},
            LATE,
        )

    async def keep_reply(
        self, empresa_id: int, mensagem_id: int, *, error: str, cause: str = ""
    ) -> None:
        """A reply that will never go out; its row in `mensagens` is `falhou`."""
        await self._add(
            empresa_id, {"kind": "reply", "mensagem_id": mensagem_id, "error": error}, cause
        )

    async def keep_unknown_channel(
        self, gateway: str, channel: str, raw: bytes, *, canal_id: int
    ) -> None:
        """An authentic event for a channel that nobody has: kept a while, as a trace.

        `canal_id`: the channel whose secret it came with; it decides whose it may become.
        """
        log.warning("unknown channel", gateway=gateway, channel=channel[:64])
        fields: Fields = {
            "gateway": gateway,
            "channel": channel[:255],
            "canal_id": canal_id,
            "event": raw,
        }
        await self._write(UNKNOWN_CHANNEL, fields, "unknown-channel", _NOBODY, most=10_000)

    async def keep_unreadable(self, canal_id: int, raw: bytes, *, error: str) -> None:
        """An authentic body that is no JSON: a repetition would bring the same bytes."""
        log.warning("unreadable body", canal_id=canal_id, bytes=len(raw), error=error)
        fields: Fields = {"canal_id": canal_id, "body": raw, "error": error}
        await self._write(UNREADABLE, fields, "unreadable", cause_in(error), most=1_000)

    async def _add(
        self, empresa_id: int, fields: Fields, cause: str, *, entry_id: str | None = None
    ) -> None:
        """`cause`: its name in lists; empty: the one that the text of the error has."""
        cause = cause or cause_in(str(fields["error"]))
        # Not the error itself: the text of one that is not ours may hold what a buyer wrote.
        log.error("dead letter", empresa_id=empresa_id, kind=fields["kind"], cause=cause)
        kind, fields = str(fields["kind"]), fields | {"cause": cause}
        if entry_id is None:
            await self._write(dead_letters(empresa_id), fields, kind, cause, empresa_id=empresa_id)
        elif await self._move(
            keys=[dead_letters(empresa_id), inbox(empresa_id), held(empresa_id), NEW_DEAD_LETTERS],
            args=[entry_id, empresa_id, kind, cause, _MOST_NEW, *chain(*fields.items())],
        ):
            _LETTERS.labels(kind).inc()

    async def _write(
        self,
        stream: str,
        fields: Fields,
        kind: str,
        cause: str,
        *,
        empresa_id: int = 0,
        most: int | None = None,
    ) -> None:
        """The letter, and a line about it for the watcher, in one step."""
        told: Fields = {"empresa_id": empresa_id, "kind": kind, "cause": cause}
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(stream, dict(fields.items()), maxlen=most, approximate=True)
            pipe.xadd(NEW_DEAD_LETTERS, dict(told.items()), maxlen=_MOST_NEW, approximate=True)
            await pipe.execute()
        _LETTERS.labels(kind).inc()
