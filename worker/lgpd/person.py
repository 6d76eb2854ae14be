"""Who a person is in one dealer's database, and what names him elsewhere. Called by this room.

Reads; changes nothing. A number is stronger than an id, as for the drain (`worker.drain.people`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from schema.events import Event
from tenancy.lease import Connection
from worker.drain.people import FORMER_PHONE, Identity, identities_of
from worker.lgpd.phones import forms, may_be_national, readings

_BY_PHONE = """
    SELECT id, phone FROM customers WHERE phone IN %(forms)s OR phone REGEXP '[^0-9]'
"""
_BY_IDENTITY = """
    SELECT DISTINCT customer_id FROM customer_identities
     WHERE (gateway, tipo, valor) IN %(identities)s
"""
_MERGED = """
    SELECT antigo_id, novo_id FROM _merges
     WHERE tipo = %(kind)s AND (antigo_id IN %(ids)s OR novo_id IN %(ids)s)
"""
_PHONES = "SELECT phone FROM customers WHERE id IN %(ids)s AND phone IS NOT NULL"
_IDENTITIES = """
    SELECT gateway, tipo, valor FROM customer_identities WHERE customer_id IN %(ids)s
"""
_TALKS = "SELECT id, endereco FROM conversations WHERE customer_id IN %(ids)s"
_MESSAGES = """
    SELECT id, conversation_id, canal_id, external_id, endereco, midia_onde, midia FROM mensagens
     WHERE customer_id IN %(customers)s OR conversation_id IN %(talks)s
"""
_VISITS = "SELECT id FROM agendamentos WHERE customer_id IN %(ids)s"
_MAYBE = "SELECT id, phone FROM customers WHERE phone LIKE %(end)s AND id NOT IN %(ids)s"
_HAD_IT = """
    SELECT DISTINCT customer_id FROM customer_identities
     WHERE tipo = %(tipo)s AND valor = %(phone)s AND customer_id NOT IN %(ids)s
"""
_NOBODY = ("", "", "")
_NONE = [0]
"""Ids begin with 1; an empty list is no SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What one dealer's database has of one person. Holds personal data."""

    empresa_id: int
    phone: str = field(repr=False)
    phones: frozenset[str] = field(repr=False)
    """The number asked for and those of his rows, as the product writes them."""
    identities: frozenset[Identity] = field(default=frozenset(), repr=False)
    addresses: frozenset[str] = field(default=frozenset(), repr=False)
    """Where he was written to: numbers without a ninth digit, jids, lids."""
    customers: frozenset[int] = frozenset()
    talks: frozenset[int] = frozenset()
    messages: frozenset[int] = frozenset()
    visits: frozenset[int] = frozenset()
    external: frozenset[tuple[int, str]] = field(default=frozenset(), repr=False)
    """canal_id and external_id of his messages and of those to him."""
    files: frozenset[str] = frozenset()
    """Keys in the media store."""
    inline: frozenset[str] = frozenset()
    """What messages name whose files came with them."""
    maybe: frozenset[int] = frozenset()
    """Customers who may be he, and nobody can tell: a number without its country, or one that
    was theirs once."""

    @property
    def external_ids(self) -> frozenset[str]:
        """Of any channel."""
        return frozenset(name for _, name in self.external)

    def is_named_by(self, event: Event) -> bool:
        """Whether an event is his, or about a message of his or to him."""
        numbers = {n for told in (event.phone, event.former_phone) if told for n in readings(told)}
        if numbers & self.phones or event.message_id in self.external_ids:
            return True
        empresa, _, row = (event.our_ref or "").partition(":")
        if empresa == str(self.empresa_id) and row.isdecimal() and int(row) in self.messages:
            return True
        if event.phone is not None:
            return False  # somebody else's number, whatever ids come with it
        told = {event.reply_to, event.user_id, event.former_user_id} - {None}
        return (
            bool(self.identities.intersection(identities_of(event)))
            or bool(self.addresses & told)
            or any(readings(name or "") & self.phones for name in told)
        )

    def is_in(self, raw: bytes) -> bool:
        """Whether what is no readable event holds his number, an id or an address of his."""
        names = {*self.addresses, *self.external_ids, *(v for _, _, v in self.identities)}
        for phone in self.phones:
            names |= forms(phone)
        return any(_stands_alone(name.encode(), raw) for name in names if len(name) >= _TELLING)

    def learned_from(self, events: Iterable[Event]) -> frozenset[Identity]:
        """Ids that came together with his number and are not known as his."""
        his = (e for e in events if e.phone is not None and readings(e.phone) & self.phones)
        return frozenset(i for event in his for i in identities_of(event)) - self.identities


_TELLING = 8
"""Shorter names stand in too much that is not his."""


def _stands_alone(name: bytes, raw: bytes) -> bool:
    """Not as a part of a longer number."""
    start = raw.find(name)
    while start >= 0:
        before, after = raw[start - 1 : start], raw[start + len(name) : start + len(name) + 1]
        if not before.isdigit() and not after.isdigit():
            return True
        start = raw.find(name, start + 1)
    return False


async def find_person(
    conn: Connection,
    empresa_id: int,
    phone: str,
    *,
    also: Collection[int] = (),
    known_by: Collection[Identity] = (),
) -> Person:
    """`phone` as `read_phone` gives it. `also`: customers whom a person knows to be the same;
    `known_by`: ids that are known from elsewhere to be his.

    Raises the errors of the connection; NotMigrated for a database of an older release.
    """
    customers = {
        id_
        for id_, written in await conn.fetch_all(_BY_PHONE, {"forms": sorted(forms(phone))})
        if phone in readings(written)
    }
    asked = {"identities": sorted(known_by) or [_NOBODY]}
    customers |= {id_ for (id_,) in await conn.fetch_all(_BY_IDENTITY, asked)}
    customers = await _with_merged(conn, "customer", customers | set(also))
    ids = sorted(customers) or _NONE
    identities = {tuple(row) for row in await conn.fetch_all(_IDENTITIES, {"ids": ids})}
    numbers = [row[0] for row in await conn.fetch_all(_PHONES, {"ids": ids})]
    rows = await conn.fetch_all(_TALKS, {"ids": ids})
    talks = await _with_merged(conn, "conversation", {id_ for id_, _ in rows})
    messages = await conn.fetch_all(_MESSAGES, {"customers": ids, "talks": sorted(talks) or _NONE})
    visits = await conn.fetch_all(_VISITS, {"ids": ids})
    addresses = {row[1] for row in rows} | {row[4] for row in messages}
    addresses |= {value for _, kind, value in identities if kind != FORMER_PHONE}
    return Person(
        empresa_id=empresa_id,
        phone=phone,
        phones=frozenset({phone, *(n for number in numbers for n in readings(number))}),
        identities=frozenset({*identities, *known_by}),
        addresses=frozenset(address for address in addresses if address),
        customers=frozenset(customers),
        talks=frozenset(talks | {row[1] for row in messages}),
        messages=frozenset(row[0] for row in messages),
        visits=frozenset(id_ for (id_,) in visits),
        external=frozenset((row[2] or 0, row[3]) for row in messages if row[3]),
        files=frozenset(row[5] for row in messages if row[5]),
        inline=frozenset(row[6] for row in messages if row[6]),
        maybe=await _maybe(conn, phone, ids),
    )


async def _with_merged(conn: Connection, kind: str, ids: set[int]) -> set[int]:
    """With those that they were joined with, whichever row stayed."""
    while ids:
        rows = await conn.fetch_all(_MERGED, {"kind": kind, "ids": sorted(ids)})
        found = {int(id_) for row in rows for id_ in row}
        if found <= ids:
            return ids
        ids = ids | found
    return ids


async def _maybe(conn: Connection, phone: str, ids: list[int]) -> frozenset[int]:
    end = {"end": f"%{phone[-8:]}", "ids": ids}
    found = {
        id_ for id_, written in await conn.fetch_all(_MAYBE, end) if may_be_national(written, phone)
    }
    had = {"tipo": FORMER_PHONE, "phone": phone, "ids": ids}
    return frozenset(found | {id_ for (id_,) in await conn.fetch_all(_HAD_IT, had)})
