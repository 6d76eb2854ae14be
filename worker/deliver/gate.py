"""Asks Redis whether a reply may go to its gateway now, and tells it what came of it.

Called by `sender`, once each per send: the limits and what is known to be broken hold across all
workers and processes. Knows Redis; knows nothing of databases or adapters.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from redis.asyncio import Redis

from schema.channels import Channel
from worker.deliver.limits import Pace
from worker.queue.keys import (
    STOPPED_CHANNELS,
    channel_state,
    gateway_state,
    hush,
    inbox,
    pair_state,
)
from worker.queue.scripts import load

_PROBE_MARGIN_S = 2.0


class Cause(StrEnum):
    """Why a reply waits. A bounded set: a label of metrics."""

    STOPPED = "stopped"
    """The gateway refuses the channel's credentials."""
    BUSY = "busy"
    """The gateway says that the number sends too much."""
    SILENT = "silent"
    """The channel got no answers of late."""
    GATEWAY = "gateway"
    """No channel at this gateway's address got answers of late."""
    PAIR = "pair"
    """This buyer has had his share for now."""
    PERSON = "person"
    """A seller has just written to this buyer; the drain will see it next."""
    TYPING = "typing"
    """A person would still be typing."""
    PACE = "pace"
    """Its slot among the messages of the number is later."""
    NEW_CONTACT = "new_contact"
    """Its slot among the first answers is later."""


_WHOLE_CHANNEL = frozenset({Cause.STOPPED, Cause.BUSY, Cause.SILENT, Cause.GATEWAY})


class Outcome(StrEnum):
    """What a send tells of channel and gateway."""

    TAKEN = "taken"
    """Sent, or refused for what the message is: the way is fine."""
    ANSWERED = "answered"
    """The gateway answered, and that is all that can be said."""
    BUSY = "busy"
    PAIR = "pair"
    STOPPED = "stopped"
    SILENT = "silent"


class Change(StrEnum):
    """What a send's outcome has just changed for those that follow."""

    NONE = ""
    STOPPED = "stopped"
    RESUMED = "resumed"
    RESTING = "resting"
    BUSY = "busy"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The answer to one question. `cause` is None when the reply may go."""

    wait_s: float
    cause: Cause | None
    at_ms: int
    """When it was given, by Redis's clock."""

    @property
    def holds_channel(self) -> bool:
        """Whether all replies of the channel wait, not this one alone."""
        return self.cause in _WHOLE_CHANNEL


class Gate:
    """The limits of all channels. One per process."""

    def __init__(self, redis: Redis, *, timeout_s: float) -> None:
        """`timeout_s`: how long one send may take."""
        self._admit = load(redis, "admit_send")
        self._told = load(redis, "told_send")
        self._probe_ms = int(1000 * (timeout_s + _PROBE_MARGIN_S))

    async def ask(
        self, channel: Channel, address: str, pace: Pace, *, written_ms: int
    ) -> Admission:
        """May a message to this buyer go now? If so it counts as sent. Raises RedisError."""
        wait_ms, cause, now_ms = await self._admit(
            keys=[
                *_keys(channel, address),
                hush(channel.empresa_id, channel.identifier, address),
                inbox(channel.empresa_id),
            ],
            args=[
                _fingerprint(channel),
                str(pace.every_ms),
                str(pace.at_once),
                str(pace.pair_every_ms),
                str(pace.pair_at_once),
                str(pace.new_every_ms),
                str(pace.new_at_once),
                str(pace.typing_ms),
                written_ms,
                self._probe_ms,
            ],
        )
        held = Cause(cause.decode()) if wait_ms else None
        return Admission(wait_s=wait_ms / 1000, cause=held, at_ms=int(now_ms))

    async def tell(
        self,
        channel: Channel,
        address: str,
        outcome: Outcome,
        *,
        admitted: Admission,
        retry_after_s: float | None = None,
    ) -> tuple[Change, float]:
        """What became of the send that was `admitted`, and what the gateway wished.

        Returns what changed by it, and how long those that follow now wait. Raises RedisError.
        """
        change, wait_ms = await self._told(
            keys=[*_keys(channel, address), STOPPED_CHANNELS],
            args=[
                outcome.value,
                admitted.at_ms,
                int(1000 * (retry_after_s or 0)),
                _fingerprint(channel),
                channel.id,
                str(random.uniform(0.8, 1.2)),
            ],
        )
        return Change(change.decode()), wait_ms / 1000


async def reopen(redis: Redis, channel: Channel) -> None:
    """A person has mended the channel, or tested it: whatever held it up is forgotten."""
    key = channel_state(channel.empresa_id, channel.id)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hdel(key, "stopped", "probe_at", "probes", "changed", "until", "cause", "fails")
        pipe.hdel(key, "rests", "slow")
        pipe.srem(STOPPED_CHANNELS, str(channel.id))
        await pipe.execute()


async def stopped(redis: Redis) -> int:
    """How many channels are stopped now, in all processes. Raises RedisError."""
    # Typed as if a synchronous client might have been given.
    count: Any = redis.scard(STOPPED_CHANNELS)
    return int(await count)


def _keys(channel: Channel, address: str) -> list[str]:
    return [
        channel_state(channel.empresa_id, channel.id),
        pair_state(channel.empresa_id, channel.id, short(address)),
        gateway_state(short(channel.credentials.get("base_url", channel.gateway))),
    ]


def _fingerprint(channel: Channel) -> str:
    """Tells whether a person has changed something since; no secret can be read from it."""
    stated = {"credentials": dict(channel.credentials), "active": channel.active,
              "limits": dict(channel.limits)}  # fmt: skip
    return short(orjson.dumps(stated, option=orjson.OPT_SORT_KEYS).decode())


def short(text: str) -> str:
    """No address or number of a buyer stands in a key."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
