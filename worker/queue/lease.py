"""Lets one worker at a time do one task of an empresa. Called by the jobs drain and deliver.

A lease has an epoch that rises for ever. The jobs write it into the dealer's database, so that a
worker that slept past its lease can write nothing there (fencing).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.errors import Transient
from worker.queue.bell import keys_of_ring
from worker.queue.keys import Task, TaskKeys, held, inbox
from worker.queue.scripts import load

log = structlog.get_logger()

StreamEntry = tuple[bytes, dict[bytes, bytes]]


class LeaseLost(Transient):
    """Another worker has the lease by now: stop, it goes on from where the database stands."""


class FenceAhead(LeaseLost):
    """The dealer's database knows a newer lease. `newest` is its epoch."""

    def __init__(self, empresa_id: int, *, mine: int, newest: int) -> None:
        super().__init__(f"a newer lease than {mine} writes to empresa {empresa_id}")
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Look:
    """What the holder found: the time by Redis's clock, and inbox entries as they came."""

    now_ms: int
    entries: Sequence[StreamEntry]
    left: bool = False
    """Nothing was there, so the lease was given back."""


class LeaseDesk:
    """Gives out leases. One per process."""

    def __init__(self, redis: Redis, *, life_s: float) -> None:
        self.redis = redis
        self.life_ms = int(life_s * 1000)
        self.take_script = load(redis, "take_lease")
        self.extend_script = load(redis, "extend_lease")
        self.look_script = load(redis, "look")
        self.leave_script = load(redis, "leave")
        self.look_or_leave_script = load(redis, "look_or_leave")
        self.outrun_script = load(redis, "outrun")

    async def take(
        self, task: Task, empresa_id: int, *, job_id: str, most: int = 0
    ) -> Lease | None:
        """None when another worker is at it (or the way is known to be broken for a while).

        `most`: for a drain, how many inbox entries to read in the same step; its first `look`
        gives them.
        """
        keys = TaskKeys(empresa_id, task)
        asked = [keys.lease, keys.ring, keys.due, keys.epoch, keys.queue, *keys.waits]
        epoch, *raw = await self.take_script(
            keys=[*asked, inbox(empresa_id)] if most else asked,
            args=[empresa_id, job_id, self.life_ms, most],
        )
        return Lease(self, keys, int(epoch), _entries(raw[0]) if most else ()) if epoch else None


class Lease:
    """The right to do one task of one empresa, for as long as it is kept."""

    def __init__(
        self, desk: LeaseDesk, keys: TaskKeys, epoch: int, read: Sequence[StreamEntry]
    ) -> None:
        """`read`: inbox entries that were read when it was taken."""
        self._desk = desk
        self._keys = keys
        self.epoch = epoch
        self.empresa_id = keys.empresa_id
        self._read: Sequence[StreamEntry] | None = read
        self._read_bytes = 0
        self._is_leaving = False
        self._has_succeeded = False
        self.left = False
        """Whether it was given back already."""
        self.fence_raised = False
        """Whether the dealer's database knows this epoch; the jobs keep this."""
        self.has_erased: bool | None = None
        """Whether messages were ever erased there; None: nobody has asked. The drain keeps this."""

    @property
    def taken_ms(self) -> int:
        """When it was given out, by Redis's clock: an epoch counts microseconds."""
        return self.epoch // 1000

    async def look(
        self, *, done: StreamEntry | None = None, most: int = 0, as_taken: bool = False
    ) -> Look:
        """Keeps the lease, drops committed inbox entries, reads the next ones.

        `done`: the last entry that is committed; it and those before it are dropped, if Redis still
        has it as it was read. `most`: how many to read, 0 for none. `as_taken`: what the taking of
        the lease saw and read will do, if nobody has looked since. Raises LeaseLost.
        """
        read, self._read = self._read, None
        if as_taken and read is not None:
            return self._saw(self.taken_ms, read)
        last, digest = _committed(done)
        keys = [self._keys.lease, self._keys.due]
        if most:
            keys += [inbox(self.empresa_id), held(self.empresa_id)]
        found = await self._desk.look_script(
            keys=keys,
            args=[self.empresa_id, str(self.epoch), self._desk.life_ms, last, digest, most,
                  self._read_bytes],
        )  # fmt: skip
        if not found:
            raise self._lost()
        return self._saw(int(found[0]), _entries(found[1]))

    async def look_or_leave(
        self,
        *,
        done: StreamEntry | None,
        most: int,
        next_at_ms: int | None,
        rings: Iterable[Task],
    ) -> Look:
        """As `look` of a drain when there is more; else rings for `rings` and gives the lease back.

        More: entries, or work that is due by now. `next_at_ms` as for `leave`. Raises LeaseLost.
        """
        keys, args = self._leaving(next_at_ms)
        keys += [inbox(self.empresa_id), held(self.empresa_id)]
        args += [self._desk.life_ms, *_committed(done), most, self._read_bytes]
        for task in rings:
            of_ring, job_id = keys_of_ring(task, self.empresa_id)
            keys += of_ring
            args += [task.value, job_id]
        self._is_leaving = True
        try:
            found = await self._desk.look_or_leave_script(keys=keys, args=args)
        finally:
            self._is_leaving = False
        if not found:
            raise self._lost()
        self.left = bool(found[2])
        return self._saw(int(found[0]), _entries(found[1]))

    def forget_what_was_read(self) -> None:
        """Time went by since the lease was taken: the next look is a new one."""
        self._read = None

    async def leave(self, *, next_at_ms: int | None, wait: bool = False) -> bool:
        """Gives the lease back. `next_at_ms`: when there is work again, None for when it is rung.

        With `wait`, nobody looks before that time, whoever rings. False: it was lost already.
        """
        keys, args = self._leaving(next_at_ms)
        args += [int(wait), int(self._has_succeeded and not wait)]
        return bool(await self._desk.leave_script(keys=keys, args=args))

    def _leaving(self, next_at_ms: int | None) -> tuple[list[str], list[str | bytes | int]]:
        """What both scripts that give it back are told first."""
        keys = self._keys
        of_ring, job_id = keys_of_ring(keys.task, self.empresa_id)
        waits = [keys.waits[0], keys.due_of_other] if keys.waits else []
        next_at = "" if next_at_ms is None else next_at_ms
        args: list[str | bytes | int] = [self.empresa_id, keys.task.value, str(self.epoch), job_id]
        return [*of_ring, keys.failures, *waits], [*args, next_at]

    def _saw(self, now_ms: int, entries: Sequence[StreamEntry]) -> Look:
        self._read_bytes = sum(len(fields.get(b"event", b"")) for _, fields in entries)
        return Look(now_ms, entries, self.left)

    def _lost(self) -> LeaseLost:
        return LeaseLost(f"{self._keys.lease} has gone to another worker")

    async def outrun(self, epoch: int) -> None:
        """The next lease of this task gets a higher epoch than that. May be called after a loss."""
        await self._desk.outrun_script(keys=[self._keys.epoch], args=[str(epoch)])

    async def failed_again(self) -> int:
        """Counts one more failure in a row and returns how many there are now."""
        async with self._desk.redis.pipeline(transaction=False) as pipe:
            pipe.incr(self._keys.failures)
            pipe.expire(self._keys.failures, 3600)
            count, _ = await pipe.execute()
        return int(count)

    def succeeded(self) -> None:
        """The work was done: with the lease its failures are forgotten."""
        self._has_succeeded = True

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keeps the lease alive in the background; cancels the body when it is lost.

        Raises LeaseLost in place of that cancellation.
        """
        body = asyncio.current_task()
        if body is None:
            raise RuntimeError("a lease is kept for a task")
        lost = asyncio.Event()
        keeper = asyncio.create_task(self._keep(body, lost), name=f"keep-{self._keys.lease}")
        try:
            yield
        except asyncio.CancelledError:
            if not lost.is_set():
                raise
            body.uncancel()
            raise self._lost() from None
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def _keep(self, body: asyncio.Task[object], lost: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        life_s = self._desk.life_ms / 1000
        kept_at = loop.time()
        while True:
            await asyncio.sleep(life_s / 4)
            if self.left or self._is_leaving:  # in that step it is kept, or given back
                kept_at = loop.time()
                continue
            try:
                extended = await self._desk.extend_script(
                    keys=[self._keys.lease], args=[str(self.epoch), self._desk.life_ms]
                )
            except RedisError as error:
                # Redis may be back in time; when it is not, the lease has run out by itself.
                log.warning("lease not extended", lease=self._keys.lease, error=str(error))
                extended = loop.time() - kept_at < life_s
            else:
                kept_at = loop.time()
            if not extended:
                lost.set()
                body.cancel()
                return


def _entries(raw: Sequence[tuple[bytes, Sequence[bytes]]]) -> list[StreamEntry]:
    return [
        (entry_id, dict(zip(fields[::2], fields[1::2], strict=True))) for entry_id, fields in raw
    ]


def _committed(done: StreamEntry | None) -> tuple[str, str]:
    """How a script knows the last entry that may go: its id, and the SHA-1 of its event."""
    if done is None:
        return "", ""
    event = done[1].get(b"event", b"")
    return done[0].decode(), hashlib.sha1(event, usedforsecurity=False).hexdigest()
