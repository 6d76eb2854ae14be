"""Replays one dead letter, whatever its kind. Called by `worker.cli.dead_acts`.

Safe at any time, any number of times, by two people at once: an event leaves the dead letters and
enters the inbox in one step; a turn or reply is looked at under the lock of the drain, and whoever
comes second finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from redis.asyncio import Redis

from gateway.adapters import Adapter
from gateway.errors import BadCredentials
from schema.channels import Channel
from schema.errors import CentralUnavailable, HelixError
from schema.events import Event
from tenancy.start import Tenancy
from worker.clock import from_ms
from worker.dead.letter import Kind, Letter
from worker.dead.reply import send_again
from worker.dead.results import Outcome, Result, done
from worker.dead.turn import make_due
from worker.queue.bell import Bell
from worker.queue.causes import LATE
from worker.queue.dead_shelf import DeadShelf
from worker.queue.keys import Task

_BY_HAND = "write to the buyer by hand, then discard it"

_TO_THE_INBOX = "back to the inbox of its dealer"


class Replayer:
    """For all dealers of one installation."""

    def __init__(self, redis: Redis, tenancy: Tenancy, adapters: Mapping[str, Adapter]) -> None:
        self._redis = redis
        self._shelf = DeadShelf(redis)
        self._bell = Bell(redis)
        self._tenancy = tenancy
        self._adapters = adapters

    async def replay(self, letter: Letter, *, plan: bool = False) -> Result:
        """With `plan` it only says what would happen. One dealer's trouble is a result of STAYS.

        Raises RedisError, CentralUnavailable.
        """
        try:
            return await self._replay(letter, plan)
        except CentralUnavailable:
            raise
        except HelixError as error:
            return Result(Outcome.STAYS, f"{type(error).__name__}: {error}")

    async def _replay(self, letter: Letter, plan: bool) -> Result:
        match letter.kind:
            case Kind.EVENT if letter.empresa_id is not None:
                return await self._event(letter, letter.empresa_id, plan)
            case Kind.UNKNOWN_CHANNEL:
                return await self._unknown_channel(letter, plan)
            case Kind.TURN | Kind.REPLY if letter.empresa_id is not None:
                return await self._row(letter, letter.empresa_id, plan)
            case Kind.LATE:
                return Result(Outcome.LATE, _BY_HAND)
            case Kind.UNREADABLE:
                return Result(Outcome.STAYS, "no event could be read from this body; discard it")
        return Result(Outcome.STAYS, "of a kind that this release does not know")

    async def _event(self, letter: Letter, empresa_id: int, plan: bool) -> Result:
        await self._tenancy.registry.tenant(empresa_id)  # or nobody would ever drain that inbox
        if plan:
            return Result(Outcome.REPLAYED, _TO_THE_INBOX)
        origin = f"{letter.kind}:{letter.id.stream_id}"
        moved = await self._shelf.replay_event(
            letter.id.source.stream, letter.id.stream_id, empresa_id, origin=origin
        )
        return done(moved, Outcome.REPLAYED, _TO_THE_INBOX)

    async def _unknown_channel(self, letter: Letter, plan: bool) -> Result:
        """Goes to whom the channel belongs by now, if its sender may speak for that channel."""
        try:
            event = Event.model_validate_json(letter.event or b"")
        except ValueError:
            return Result(Outcome.STAYS, "its event cannot be read; discard it")
        registry = self._tenancy.registry
        channel = await registry.channel(event.gateway, event.channel or "")
        if channel is None:
            return Result(Outcome.STAYS, "nobody has the channel; `helix channel add` adds it")
        if letter.canal_id is None:
            return Result(Outcome.STAYS, "an earlier release kept it: whose it was is not known")
        by = await registry.channel_by_id(letter.canal_id)
        if by is None or not self._speaks_for(by, channel):
            return Result(Outcome.STAYS, "it came with the secret of another dealer; discard it")
        return await self._event(letter, channel.empresa_id, plan)

    def _speaks_for(self, by: Channel, channel: Channel) -> bool:
        """A dealer's secret must not bring messages into another dealer's database."""
        if by.empresa_id == channel.empresa_id:
            return True
        adapter = self._adapters.get(channel.gateway)
        if adapter is None or by.gateway != channel.gateway:
            return False
        try:
            return adapter.shares_secret(by.credentials, channel.credentials)
        except BadCredentials:
            return False

    async def _row(self, letter: Letter, empresa_id: int, plan: bool) -> Result:
        dealer = await self._tenancy.registry.tenant(empresa_id)
        if letter.kind is Kind.TURN and not dealer.bot_ativo:
            return Result(Outcome.STAYS, "Lucas is switched off for this dealer")
        result = await self._in_the_database(letter, empresa_id, await self._now(), plan)
        if plan or result.outcome is Outcome.STAYS:
            return result
        place = (letter.id.source.stream, letter.id.stream_id)
        if result.outcome is Outcome.LATE:
            filed = await self._shelf.file_under(*place, Kind.LATE.value, cause=LATE)
            return done(filed, Outcome.LATE, _BY_HAND)
        # Rung before the letter goes: who is killed here leaves it, and the next replay rings.
        await self._bell.ring(_TASKS[letter.kind], empresa_id)
        taken = await self._shelf.take_away(*place)
        if result.outcome is Outcome.REPLAYED:  # by us, whoever took the letter away
            return result
        return done(taken, result.outcome, result.reason)

    async def _in_the_database(
        self, letter: Letter, empresa_id: int, now: datetime, plan: bool
    ) -> Result:
        async with self._tenancy.pools.transaction(empresa_id) as conn:
            if letter.conversation_id is not None:
                return await make_due(conn, letter.conversation_id, letter.turn, now=now, plan=plan)
            if letter.mensagem_id is not None:
                return await send_again(conn, letter.mensagem_id, now=now, plan=plan)
        return Result(Outcome.STAYS, "it names no conversation and no reply")

    async def _now(self) -> datetime:
        seconds, micros = await self._redis.time()
        return from_ms(seconds * 1000 + micros // 1000)


_TASKS = {Kind.TURN: Task.DRAIN, Kind.REPLY: Task.DELIVER}
