"""Finds the buyers of a batch, adds the new ones, joins those who turn out to be one.

Called by `worker.drain.intake`; `people` says who is who, this reads and writes the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from schema.errors import Permanent
from schema.events import Event, EventKind
from tenancy.lease import TenantConnection
from tenancy.trips import Row
from worker.drain.merge import merge_customers
from worker.drain.people import Circle, Identity, Person, identities_of

log = structlog.get_logger()

_BY_IDENTITY = """
    SELECT i.gateway, i.tipo, i.valor, c.id, c.phone, c.name
      FROM customer_identities i JOIN customers c ON c.id = i.customer_id
     WHERE (i.gateway, i.tipo, i.valor) IN %(identities)s
"""
_BY_PHONE = "SELECT id, phone, name FROM customers WHERE phone IN %(phones)s"
_NEW = "INSERT INTO customers (phone, name) VALUES (%s, %s)"
_CHANGE = "UPDATE customers SET phone = %(phone)s, name = %(name)s WHERE id = %(id)s"
_LEARN = """
    INSERT INTO customer_identities (gateway, tipo, valor, customer_id) VALUES (%s, %s, %s, %s)
    ON DUPLICATE KEY UPDATE customer_id = VALUES(customer_id)
"""
_ADDRESSES = """
    SELECT customer_id, endereco FROM conversations
     WHERE customer_id IN %(customers)s AND canal_id = %(channel)s AND endereco IS NOT NULL
     ORDER BY id
"""
# The switch may be used twice within a second, and told twice, and late: the newest word counts.
_PREFER = """
    UPDATE customers SET aceita_marketing = %(wants)s, aceita_marketing_em = %(at)s
     WHERE id = %(id)s AND (aceita_marketing_em IS NULL OR aceita_marketing_em <= %(at)s)
"""
_ADDS_NOBODY = frozenset({EventKind.TYPING, EventKind.STATUS})


async def find_or_add(conn: TenantConnection, events: Sequence[Event], *, now: datetime) -> Circle:
    """The buyers of these events, with rows. Nobody is added for typing, or by a status."""
    circle = await _known(conn, events)
    for event in events:
        if event.is_changed_identity:
            circle.move(event)
        elif event.kind not in _ADDS_NOBODY or circle.find(event) is not None:
            circle.meet(event)
    await _join(conn, circle, now=now)
    await _write(conn, circle)
    return circle


async def addresses(
    conn: TenantConnection, customers: Sequence[int], canal_id: int
) -> dict[int, str]:
    """Where each of these customers was last reached by this channel, if he ever was."""
    if not customers:
        return {}
    rows = await conn.fetch_all(_ADDRESSES, {"customers": list(customers), "channel": canal_id})
    return dict(rows)


async def prefer(conn: TenantConnection, circle: Circle, events: Sequence[Event]) -> None:
    """Notes which buyers switched a shop's advertising off or on."""
    for event in events:
        person = circle.find(event)
        if person is not None and event.timestamp is not None:
            at = datetime.fromtimestamp(event.timestamp, UTC)
            told = {"id": person.id, "wants": event.wants_marketing, "at": at}
            await conn.execute(_PREFER, told)


async def _known(conn: TenantConnection, events: Sequence[Event]) -> Circle:
    circle, by_id = Circle(), dict[int, Person]()
    by_identity, by_phone = await _asked_for(conn, events)
    for gateway, tipo, valor, customer, phone, name in by_identity:
        person = by_id.setdefault(customer, Person(customer, _bare(phone), name))
        circle.know(person, [(gateway, tipo, valor)])
    found = set(circle.by_phone)
    for customer, phone, name in by_phone:
        if _bare(phone) not in found:
            circle.know(by_id.setdefault(customer, Person(customer, _bare(phone), name)))
    return circle


async def _asked_for(
    conn: TenantConnection, events: Sequence[Event]
) -> tuple[Sequence[Row], Sequence[Row]]:
    """What the database has by the identities of these events, and by their numbers."""
    identities = {identity for event in events for identity in _asked(event)}
    phones = {phone for event in events for phone in (event.phone, event.former_phone) if phone}
    asked = [
        (sql, {name: sorted(values)})
        for sql, name, values in (
            (_BY_IDENTITY, "identities", identities),
            (_BY_PHONE, "phones", phones),
        )
        if values
    ]
    rows = iter(await conn.fetch_together(*asked))
    return next(rows) if identities else (), next(rows) if phones else ()


def _asked(event: Event) -> list[Identity]:
    found = identities_of(event)
    if event.former_user_id is not None:
        found.append((event.gateway, "user_id", event.former_user_id))
    return found


def _bare(phone: str | None) -> str | None:
    """Servers take a number and the same with a blank behind it for equal."""
    return None if phone is None else phone.strip()


async def _join(conn: TenantConnection, circle: Circle, *, now: datetime) -> None:
    """What a dealer's database refuses to join stays two customers, and no message waits for it."""
    for other in circle.merged:
        person = other.root
        if other.id is None or person.id is None:
            continue
        await conn.execute("SAVEPOINT before_merge")
        try:
            await merge_customers(conn, old=other.id, new=person.id, now=now)
        except Permanent as error:
            await conn.execute("ROLLBACK TO SAVEPOINT before_merge")
            circle.keep_apart(other)
            log.warning("two customers cannot be joined", empresa_id=conn.empresa_id,
                        customer_id=other.id, into=person.id, reason=str(error))  # fmt: skip
        else:
            log.info("two customers are one", empresa_id=conn.empresa_id, customer_id=other.id,
                     into=person.id)  # fmt: skip


async def _write(conn: TenantConnection, circle: Circle) -> None:
    known = {*circle.by_phone.values(), *circle.by_identity.values()}
    for person in known:
        if person.changed and person.id is not None and person.merged_into is None:
            changes = {"id": person.id, "phone": person.phone, "name": person.name}
            conn.later(_CHANGE, changes)
    await _insert(conn, circle.newcomers)
    learned = [(*identity, person.root.id) for identity, person in circle.learned.items()]
    conn.later_many(_LEARN, learned)


async def _insert(conn: TenantConnection, newcomers: Sequence[Person]) -> None:
    by_phone = {person.phone: person for person in newcomers if person.phone is not None}
    await conn.execute_many(_NEW, [(phone, p.name) for phone, p in by_phone.items()])
    if len(by_phone) == 1:
        (alone,) = by_phone.values()
        alone.id = conn.last_id
    elif by_phone:
        for customer, phone, _ in await conn.fetch_all(_BY_PHONE, {"phones": list(by_phone)}):
            by_phone[phone.strip()].id = customer
    for person in newcomers:
        if person.phone is None:
            await conn.execute(_NEW, (None, person.name))
            person.id = conn.last_id
