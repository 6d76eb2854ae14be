"""Lets one worker at a time do one task of an empresa. Called by the jobs drain and deliver.

A lease has an epoch that rises for ever. The jobs write it into the dealer's database, so that a
worker that slept past its lease can write nothing there (fencing).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from schema.errors import Transient
from worker.queue.bell import new_job_id
from worker.queue.keys import Task, TaskKeys, arq_job, held, inbox
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


class LeaseDesk:
    """Gives out leases. One per process."""

    def __init__(self, redis: Redis, *, life_s: float) -> None:
        self.redis = redis
        self.life_ms = int(life_s * 1000)
        self.take_script = load(redis, "take_lease")
        self.extend_script = load(redis, "extend_lease")
        self.look_script = load(redis, "look")
        self.leave_script = load(redis, "leave")
        self.outrun_script = load(redis, "outrun")

    async def take(self, task: Task, empresa_id: int, *, job_id: str) -> Lease | None:
        """None when another worker is at it (or the way is known to be broken for a while)."""
        keys = TaskKeys(empresa_id, task)
        epoch = int(
            await self.take_script(
                keys=[keys.lease, keys.ring, keys.due, keys.epoch, keys.queue, *keys.waits],
                args=[empresa_id, job_id, self.life_ms],
            )
        )
        return Lease(self, keys, epoch) if epoch else None


class Lease:
    """The right to do one task of one empresa, for as long as it is kept."""

    def __init__(self, desk: LeaseDesk, keys: TaskKeys, epoch: int) -> None:
        self._desk = desk
        self._keys = keys
        self.epoch = epoch
        self.empresa_id = keys.empresa_id
        self._read_bytes = 0
        self.fence_raised = False
        """Whether the dealer's database knows this epoch; the jobs keep this."""
        self.has_erased: bool | None = None
        """Whether messages were ever erased there; None: nobody has asked. The drain keeps this."""

    @property
    def taken_ms(self) -> int:
        """When it was given out, by Redis's clock: an epoch counts microseconds."""
        return self.epoch // 1000

    async def look(self, *, done: StreamEntry | None = None, most: int = 0) -> Look:
        """Keeps the lease, drops committed inbox entries, reads the next ones.

        `done`: the last entry that is committed; it and those before it are dropped, if Redis still
        has it as it was read. `most`: how many to read, 0 for none. Raises LeaseLost.
        """
        last, digest = ("", "") if done is None else (done[0].decode(), _digest(done))
        keys = [self._keys.lease, self._keys.due]
        if most:
            keys += [inbox(self.empresa_id), held(self.empresa_id)]
        found = await self._desk.look_script(
            keys=keys,
            args=[self.empresa_id, str(self.epoch), self._desk.life_ms, last, digest, most,
                  self._read_bytes],
        )  # fmt: skip
        if not found:
            raise LeaseLost(f"{self._keys.lease} has gone to another worker")
        now_ms, raw = found
        entries = [
            (entry_id, dict(zip(fields[::2], fields[1::2], strict=True)))
            for entry_id, fields in raw
        ]
        self._read_bytes = sum(len(fields.get(b"event", b"")) for _, fields in entries)
        return Look(int(now_ms), entries)

    async def leave(self, *, next_at_ms: int | None, wait: bool = False) -> bool:
        """Gives the lease back. `next_at_ms`: when there is work again, None for when it is rung.

        With `wait`, nobody looks before that time, whoever rings. False: it was lost already.
        """
        keys, job_id = self._keys, new_job_id(self._keys.task, self.empresa_id)
        left = await self._desk.leave_script(
            keys=[
                *(keys.lease, keys.ring, keys.due, keys.queue, arq_job(job_id)),
                *((keys.waits[0], keys.due_of_other) if keys.waits else ()),
            ],
            args=[
                self.empresa_id,
                keys.task.value,
                str(self.epoch),
                job_id,
                "" if next_at_ms is None else next_at_ms,
                int(wait),
            ],
        )
        return bool(left)

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

    async def succeeded(self) -> None:
        """Forgets the failures."""
        await self._desk.redis.delete(self._keys.failures)

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
            raise LeaseLost(f"{self._keys.lease} has gone to another worker") from None
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


def _digest(entry: StreamEntry) -> str:
    return hashlib.sha1(entry[1].get(b"event", b""), usedforsecurity=False).hexdigest()
