"""Keeps what failed for good, whole and with its error, until a person acts. Called by the jobs."""

from __future__ import annotations

import structlog
from redis.asyncio import Redis

from worker.queue.causes import LATE, cause_in
from worker.queue.keys import UNKNOWN_CHANNEL, UNREADABLE, dead_letters, inbox
from worker.queue.scripts import load

log = structlog.get_logger()


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
        entry_id: str | None = None,
    ) -> None:
        """An inbox entry that cannot be stored; `raw` is its event as it came.

        `origin`: the id that the inbox gave it first; an event without message id goes by it.
        `entry_id`: the entry, which leaves the inbox in the same step; once it has left, nothing
        more is kept.
        """
        await self._add(
            empresa_id,
            {"kind": "event", "event": raw, "at": at_ms, "id": origin, "error": error},
            cause,
            entry_id=entry_id,
        )

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
        await self._redis.xadd(
            UNKNOWN_CHANNEL,
            {"gateway": gateway, "channel": channel[:255], "canal_id": canal_id, "event": raw},
            maxlen=10_000,
            approximate=True,
        )

    async def keep_unreadable(self, canal_id: int, raw: bytes, *, error: str) -> None:
        """An authentic body that is no JSON: a repetition would bring the same bytes."""
        log.warning("unreadable body", canal_id=canal_id, bytes=len(raw), error=error)
        await self._redis.xadd(
            UNREADABLE,
            {"canal_id": canal_id, "body": raw, "error": error},
            maxlen=1_000,
            approximate=True,
        )

    async def _add(
        self,
        empresa_id: int,
        fields: dict[str, str | bytes | int],
        cause: str,
        *,
        entry_id: str | None = None,
    ) -> None:
        """`cause`: its name in lists; empty: the one that the text of the error has."""
        cause = cause or cause_in(str(fields["error"]))
        # Not the error itself: the text of one that is not ours may hold what a buyer wrote.
        log.error("dead letter", empresa_id=empresa_id, kind=fields["kind"], cause=cause)
        fields = fields | {"cause": cause}
        if entry_id is None:
            await self._redis.xadd(dead_letters(empresa_id), dict(fields.items()))
        else:
            pairs = [part for pair in fields.items() for part in pair]
            await self._move(
                keys=[dead_letters(empresa_id), inbox(empresa_id)], args=[entry_id, *pairs]
            )
