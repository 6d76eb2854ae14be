"""Keeps what failed for good, whole and with its error, until a person acts. Called by the jobs."""

from __future__ import annotations

import structlog
from redis.asyncio import Redis

from worker.queue.keys import UNKNOWN_CHANNEL, UNREADABLE, dead_letters

log = structlog.get_logger()


class DeadLetters:
    """Streams of failed events and replies; without expiry where the empresa is known."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep_event(self, empresa_id: int, raw: bytes, *, at_ms: int, error: str) -> None:
        """An inbox entry that cannot be stored; `raw` is its event as it came."""
        await self._add(empresa_id, {"kind": "event", "event": raw, "at": at_ms, "error": error})

    async def keep_turn(self, empresa_id: int, conversation_id: int, *, error: str) -> None:
        """A turn that could not be decided: its messages are stored, nobody has answered them."""
        await self._add(
            empresa_id, {"kind": "turn", "conversation_id": conversation_id, "error": error}
        )

    async def keep_reply(self, empresa_id: int, mensagem_id: int, *, error: str) -> None:
        """A reply that will never go out; its row in `mensagens` is `falhou`."""
        await self._add(empresa_id, {"kind": "reply", "mensagem_id": mensagem_id, "error": error})

    async def keep_unknown_channel(self, gateway: str, channel: str, raw: bytes) -> None:
        """An authentic event for a channel that nobody has: kept a while, as a trace."""
        log.warning("unknown channel", gateway=gateway, channel=channel[:64])
        await self._redis.xadd(
            UNKNOWN_CHANNEL,
            {"gateway": gateway, "channel": channel[:255], "event": raw},
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

    async def _add(self, empresa_id: int, fields: dict[str, str | bytes | int]) -> None:
        log.error("dead letter", empresa_id=empresa_id, kind=fields["kind"], error=fields["error"])
        await self._redis.xadd(dead_letters(empresa_id), dict(fields.items()))
