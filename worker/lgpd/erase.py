"""Erases one person at one dealer, wherever he is. Called by `helix lgpd erase`.

What the later steps go by lies in the rows, so these go last: first it is remembered which messages
must not come back, then Redis and files are cleaned, then the rows go in one transaction. Whoever
is killed in between runs it once more; a step that is done changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from redis.asyncio import Redis

from schema.errors import CommitUnknown, Permanent, TryAgain
from tenancy.life.ledger import Ledger
from tenancy.life.switch import Kept, kept
from tenancy.start import Tenancy
from worker.lgpd.delete import delete_rows, remember
from worker.lgpd.digests import DigestKeys, Digests
from worker.lgpd.files import delete_files
from worker.lgpd.leases import Held, hold, raise_fences
from worker.lgpd.look import All, look
from worker.lgpd.person import Person
from worker.lgpd.queues import Queues
from worker.lgpd.requests import Request, RequestKind, Requests, Subject
from worker.media.store import MediaStore
from worker.queue.lease import LeaseDesk

log = structlog.get_logger()

_REPEATS = 3


class NotErased(Permanent):
    """Something of the person is still there after all steps: a bug, or another wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Whom, for whom, and what the law lets stay."""

    empresa_id: int
    phone: str
    """As `worker.lgpd.phones.read_phone` gives it."""
    who: str
    count_visits: bool = False
    """Keep how many appointments there were (LGPD, art. 16), by month, kind and outcome."""
    also: Collection[int] = ()
    """Further customers who are the same person, as somebody knows."""


class Eraser:
    """One per command."""

    def __init__(
        self,
        tenancy: Tenancy,
        redis: Redis,
        store: MediaStore,
        desk: LeaseDesk,
        *,
        reached: Callable[[str], None] = lambda _step: None,
    ) -> None:
        """`reached` hears the name of each step when it is done."""
        self._tenancy = tenancy
        self._redis = redis
        self._store = store
        self._desk = desk
        self._keys = DigestKeys(tenancy.central, tenancy.keyring)
        self._requests = Requests(tenancy.central)
        self._reached = reached

    async def plan(self, order: Order) -> All:
        """What `erase` would find now."""
        channels = await self._tenancy.registry.channels(order.empresa_id)
        async with self._tenancy.pools.connection(order.empresa_id) as conn:
            return await look(
                conn,
                self._redis,
                channels,
                empresa_id=order.empresa_id,
                phone=order.phone,
                also=order.also,
            )

    async def erase(self, order: Order) -> Request:
        """Returns the finished request, for the certificate. Safe to repeat, also after a kill.

        Raises StillAtWork, LeaseLost, StoreUnavailable, RedisError, the errors of databases, and
        TryAgain while a backup, restore or move of the dealer runs: then once more. Raises
        NotErased when something is left.
        """
        # A restore must either find this erasure on its list or wait for it.
        async with self._tenancy.central.apart() as lock, Ledger(lock).alone(order.empresa_id):
            return await self._erase(order)

    async def _erase(self, order: Order) -> Request:
        digests = await self._keys.made(order.empresa_id)
        self._reached("key")
        async with hold(self._desk, order.empresa_id) as held:
            self._reached("leases")
            found = await self.plan(order)
            subject = subject_of(found.person, digests)
            id_ = await self._requests.begin(
                RequestKind.ERASURE, subject, who=order.who, counts=found.counts
            )
            self._reached("request")
            await self._carry_out(order, found, digests, held, id_)
            left = await self._left(order, found)
            if left:
                raise NotErased(f"request {id_} left something: {left}; run it again")
            done = await self._requests.end(id_, kept_of(order, found, await self._kept(order)))
        log.info("person erased", empresa_id=order.empresa_id, request=id_)
        self._reached("end")
        return done

    async def _carry_out(
        self, order: Order, found: All, digests: Digests, held: Held, id_: int
    ) -> None:
        channels = await self._tenancy.registry.channels(order.empresa_id)
        messages = found.messages(channels)
        async with self._tenancy.pools.transaction(order.empresa_id) as conn:
            await raise_fences(conn, held)
            await remember(conn, digests, messages, now=datetime.now(UTC))
        self._reached("remembered")
        await Queues(self._redis, order.empresa_id, channels).take_away(found.queued)
        self._reached("redis")
        await delete_files(self._store, found.files)
        self._reached("files")
        await self._requests.erasing(id_)
        await self._delete(order, found, held)
        self._reached("rows")

    async def _delete(self, order: Order, found: All, held: Held) -> None:
        for repeats_left in reversed(range(_REPEATS)):
            try:
                async with self._tenancy.pools.transaction(order.empresa_id) as conn:
                    await raise_fences(conn, held)
                    await delete_rows(
                        conn, found.person, found.rows, count_visits=order.count_visits
                    )
            except (TryAgain, CommitUnknown):
                if not repeats_left:
                    raise
            else:
                return

    async def _kept(self, order: Order) -> list[Kept]:
        async with self._tenancy.central.connection() as conn:
            return await kept(conn, order.empresa_id)

    async def _left(self, order: Order, before: All) -> dict[str, int]:
        """By what he was known by before: rows by his number, the rest by ids that are gone now.

        What came while we were at work is a new beginning, and is left to the drain.
        """
        channels = await self._tenancy.registry.channels(order.empresa_id)
        queues = Queues(self._redis, order.empresa_id, channels)
        async with self._tenancy.pools.connection(order.empresa_id) as conn:
            now = await look(
                conn, self._redis, channels, empresa_id=order.empresa_id, phone=order.phone
            )
        queued = (await queues.find(before.person)).counts
        for place in ("redis.inbox", "redis.state"):  # a push writes both
            queued.pop(place)
        counts = {**now.rows.counts, **queued}
        return {place: count for place, count in counts.items() if count}


def subject_of(person: Person, digests: Digests) -> Subject:
    """Whom a request is about, without saying who it is."""
    return Subject(
        empresa_id=person.empresa_id,
        phone=digests.phone(person.phone),
        identities=sorted(digests.identity(*identity) for identity in person.identities),
        customers=sorted(person.customers),
    )


def kept_of(order: Order, found: All, databases: Sequence[Kept]) -> Mapping[str, object]:
    """What is not erased, and why."""
    return {
        "databases_kept_by_moves_and_restores": [one.database for one in databases],
        "appointment_counts": order.count_visits,
        "files_of_others_too": found.shared_files,
        "rows_emptied": found.rows.held,
        "tables_of_the_dealer": [
            {"table": one.table, "column": one.column, "rows": one.count}
            for one in found.rows.foreign
        ],
    }


def certificate_of(request: Request) -> dict[str, object]:
    """What may be given to anybody: no personal data."""
    return {
        "certificate": f"{request.subject.empresa_id}-{request.id}",
        "empresa": request.subject.empresa_id,
        "subject": request.subject.phone,
        "subject_is": "HMAC-SHA-256 of the number, with a key of this dealer's",
        "requested_by": request.who,
        "started_at": _iso(request.started_at),
        "erased_at": _iso(request.erased_at),
        "ended_at": _iso(request.ended_at),
        "erased": dict(request.counts),
        "left_afterwards": 0,
        "kept": dict(request.kept),
        "backups": "earlier backups hold the data until they expire; a restore erases it again",
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
