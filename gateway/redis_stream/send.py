"""Hands one reply to a gateway that reads from Redis. Called through the adapter, by the delivery.

The reply stands on the channel's stream until the gateway reports on it; asking again for the same
reply never makes a second entry of it while the first may still be sent.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NoReturn

from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.channels import Channel
from schema.errors import AwaitReport, SendRefused, SendUnknown
from schema.replies import Reply

GROUP = "gateway"
"""The consumer group of every reply stream."""
LIFE_S = 45.0
"""No consumer begins to send an entry that is older: its cars may be sold, its buyer answered."""
_GRACE_S = 60.0
_RENEWAL_S = 10.0
_LOOK_S = 15.0
"""Below LIFE_S, so that an entry that nobody has taken is never past its time."""
_REDIS_AWAY_S = 2.0
_HAND_OVER = (files("gateway") / "redis_stream" / "hand_over.lua").read_text()


def stream_of(identifier: str) -> str:
    """The stream of a channel's replies."""
    return f"helix:replies:{identifier}"


def mark_of(empresa_id: int, mensagem_id: int) -> str:
    """The key that says how far a reply got. Whoever wants a reported reply sent once more (a
    replay) deletes it; else it keeps the reply from going out again for a day."""
    return f"helix:{{{empresa_id}}}:reply:{mensagem_id}"


class HandOver:
    """Puts replies on streams. One per process."""

    def __init__(
        self, redis: Redis, *, life_s: float = LIFE_S, grace_s: float = _GRACE_S,
        renewal_s: float = _RENEWAL_S,
    ) -> None:  # fmt: skip
        self._script = redis.register_script(_HAND_OVER)
        self._times_ms = [int(each * 1000) for each in (life_s, grace_s, renewal_s)]

    async def send(self, channel: Channel, reply: Reply) -> NoReturn:
        """Never returns: a status event settles the reply, so what comes is always an error.

        Raises AwaitReport (it stands on the stream, or is with a consumer), SendUnknown (two
        consumers took it and none reported) or SendRefused (it names no row).
        """
        try:
            state = await self._call(channel, reply.our_ref, _json(reply))
        except (RedisError, OSError) as error:
            # It may stand there by now; the next call will know.
            raise AwaitReport(
                f"redis does not answer: {type(error).__name__}", retry_after_s=_REDIS_AWAY_S
            ) from error
        if state == b"lost":
            raise SendUnknown("two consumers took it and reported nothing")
        raise AwaitReport(f"reply {state.decode()}", retry_after_s=_LOOK_S)

    async def recall(self, channel: Channel, our_ref: str) -> bool:
        """Takes a reply off the stream. False: a consumer has it, or has reported on it.

        Raises RedisError, SendRefused.
        """
        return await self._call(channel, our_ref, "") == b"recalled"

    async def _call(self, channel: Channel, our_ref: str | None, text: str) -> bytes:
        empresa, _, row = (our_ref or "").partition(":")
        if empresa != str(channel.empresa_id) or not row.isdecimal():
            raise SendRefused("a reply without a reference cannot be reported on")
        state: bytes = await self._script(
            keys=[stream_of(channel.identifier), mark_of(channel.empresa_id, int(row))],
            args=[text, f"{empresa}:{row}", *self._times_ms],
        )
        return state


def _json(reply: Reply) -> str:
    return reply.model_dump_json(exclude_none=True)
