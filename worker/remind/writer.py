"""One transaction of reminders: what is due is written as replies, each once. Called by `job`.

Looks first for conversations that a person has moved in the table: their history says so.

Holds the drain's fence as well, so that nobody else changes a conversation meanwhile. A reminder
and its row of `lucas_lembretes` are committed together; that row's unique key is what makes it one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.agenda.reminders import Due
from bot.dealer_rows import dealer_of, read_settings
from bot.profile import Profile
from schema.errors import CommitUnknown, TryAgain
from tenancy.registry import TenantConfig
from tenancy.start import Tenancy
from worker.drain import funnel
from worker.fence import after_the_drain, pass_fence, raise_fence
from worker.queue.keys import Task
from worker.queue.lease import Lease
from worker.remind import rows
from worker.remind.rows import Visit
from worker.remind.settle import Round, settle

_REPEATS = 3
_AT_ONCE = 50
"""So many in one transaction: the drain waits for it."""
_AFTER_THE_TALK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """What was committed, and when there is more."""

    written: int = 0
    next_at: datetime | None = None
    to_send: bool = False


class ReminderWriter:
    """Writes reminders for any empresa under its lease. One per process."""

    def __init__(self, *, tenancy: Tenancy, zone: ZoneInfo) -> None:
        self._tenancy = tenancy
        self._zone = zone

    async def run(self, lease: Lease, *, now: datetime) -> Reminded:
        """Repeated whole when a lock or a lost answer was in the way.

        A dealer of whom nothing is due costs four short queries and no lock.
        """
        await self._notice_people(lease.empresa_id, now)
        tenant = await self._tenancy.registry.tenant(lease.empresa_id)
        async with self._tenancy.pools.connection(lease.empresa_id) as conn:
            profile = await read_settings(conn)
            if not profile.lembretes:
                return Reminded()
            visits, next_at = await rows.ahead(conn, zone=profile.zone(self._zone), now=now)
            if not _due(visits, profile, now):
                next_at = _first(visits, profile, now, next_at)
                return Reminded(next_at=next_at, to_send=await rows.to_send(conn))
        for repeats_left in reversed(range(_REPEATS)):
            try:
                return await self._once(lease, tenant, profile, now)
            except (TryAgain, CommitUnknown):
                if not repeats_left:
                    raise
        raise AssertionError("the last repetition returns or raises")

    async def _notice_people(self, empresa_id: int, now: datetime) -> None:
        async with self._tenancy.pools.connection(empresa_id) as conn:
            moved = await funnel.moved_by_people(conn)
        if moved:
            async with self._tenancy.pools.transaction(empresa_id) as conn:
                await funnel.notice(conn, moved, now=now)

    async def _once(
        self, lease: Lease, tenant: TenantConfig, profile: Profile, now: datetime
    ) -> Reminded:
        zone, written, wait = profile.zone(self._zone), 0, False
        async with self._tenancy.pools.transaction(lease.empresa_id) as conn:
            if not lease.fence_raised:
                await raise_fence(conn, Task.REMIND, lease.epoch)
            await pass_fence(conn, Task.REMIND, lease.epoch)
            await after_the_drain(conn)
            visits, later = await rows.ahead(conn, zone=zone, now=now)
            due = _due(visits, profile, now)
            talks = await rows.talks(conn, [visit.customer_id for visit, _ in due[:_AT_ONCE]])
            round_ = Round(
                conn=conn,
                dealer=dealer_of(tenant, profile),
                is_on=tenant.bot_ativo,
                now=now,
                local=now.astimezone(zone),
            )
            for visit, reminder in due[:_AT_ONCE]:
                settled = await settle(round_, visit, reminder, talks.get(visit.customer_id))
                written += settled is True
                wait |= settled is None
            to_send = await rows.to_send(conn)
        lease.fence_raised = True
        next_at = _first(visits, profile, now, later)
        if len(due) > _AT_ONCE:
            next_at = now
        elif wait:
            next_at = min(now + _AFTER_THE_TALK, next_at or now + _AFTER_THE_TALK)
        return Reminded(written=written, next_at=next_at, to_send=to_send)


def _due(visits: Sequence[Visit], profile: Profile, now: datetime) -> list[tuple[Visit, Due]]:
    return [(v, due) for v in visits for due in v.open(profile) if due.is_due(now)]


def _first(
    visits: Sequence[Visit], profile: Profile, now: datetime, later: datetime | None
) -> datetime | None:
    times = [due.at for visit in visits for due in visit.open(profile) if due.at > now]
    return min([*times, *([] if later is None else [later])], default=None)
