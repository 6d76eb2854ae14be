"""Says which events are of one buyer, whatever each of them tells of him. Called by `customers`.

Pure: knows buyers by number and by the ids of gateways, learns from one event after another, and
keeps account of what is new. A number is stronger than an id; two buyers with numbers stay two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schema.events import Event

Identity = tuple[str, str, str]
"""gateway, tipo, valor as in `customer_identities`."""

FORMER_PHONE = "former_phone"
"""`tipo` of a number that the buyer had once. Kept for people; nobody is found by it, since a
telephone company gives it to somebody else in time."""


@dataclass(slots=True, eq=False)
class Person:
    """A buyer while a transaction works on him. `id` is None until he has a row."""

    id: int | None
    phone: str | None
    name: str | None
    merged_into: Person | None = None
    changed: bool = False
    """Whether `phone` or `name` are to be written."""

    @property
    def root(self) -> Person:
        """Himself, or whoever he turned out to be."""
        person = self
        while person.merged_into is not None:
            person = person.merged_into
        return person


def identities_of(event: Event) -> list[Identity]:
    """What tells this buyer besides a number. An address only where there is no number: with one,
    it is but another way to write it."""
    found: list[Identity] = []
    if event.user_id is not None:
        found.append((event.gateway, "user_id", event.user_id))
    if event.phone is None and event.reply_to not in (None, event.user_id):
        found.append((event.gateway, "address", event.reply_to or ""))
    return found


def names_nobody(event: Event) -> bool:
    """Whether an event tells neither number nor id nor address."""
    return event.phone is None and not identities_of(event)


@dataclass(slots=True)
class Circle:
    """The buyers of one transaction, by all that they are known by."""

    by_phone: dict[str, Person] = field(default_factory=dict)
    by_identity: dict[Identity, Person] = field(default_factory=dict)
    newcomers: list[Person] = field(default_factory=list)
    merged: list[Person] = field(default_factory=list)
    """Rows that turned out to be somebody else's, in the order in which that was found out."""
    learned: dict[Identity, Person] = field(default_factory=dict)
    """Identities to be written, with their owners."""

    def know(self, person: Person, identities: Iterable[Identity] = ()) -> None:
        """A buyer as the database has him."""
        if person.phone is not None:
            self.by_phone[person.phone] = person
        self.by_identity.update(dict.fromkeys(identities, person))

    def find(self, event: Event) -> Person | None:
        """The buyer of an event, when he is known."""
        owners = self._owners(event.phone, identities_of(event))
        return owners[0] if owners else None

    def meet(self, event: Event) -> Person:
        """The buyer of an event; a newcomer where nobody is known. Learns what it tells."""
        identities = identities_of(event)
        owners = self._owners(event.phone, identities)
        person = owners[0] if owners else self._newcomer()
        if event.phone is not None and person.phone is None:
            self._give_phone(person, event.phone)
        elif event.phone is not None and person.phone != event.phone:
            person = self._newcomer()  # his id is known with another number: a number is stronger
            self._give_phone(person, event.phone)
        for other in owners:
            if other is not person and other.phone is None:
                person = self._merge(other, person)
        if person.name is None and event.push_name and not event.from_me:
            person.name, person.changed = event.push_name[:255], True
        self._learn(identities, person)
        return person

    def move(self, event: Event) -> None:
        """A known buyer goes on under another number or id; nobody is met by it."""
        former = [(event.gateway, "user_id", event.former_user_id)] if event.former_user_id else []
        owners = self._owners(event.former_phone, former)
        if not owners:
            return
        person, taken = owners[0], self._owners(event.phone, [])
        if taken and taken[0] is not person:
            if person.phone is None:
                self._merge(person, taken[0])
            person = taken[0]  # both have numbers: two they stay
        elif event.phone is not None and person.phone != event.phone:
            if person.phone is not None:
                self._learn([(event.gateway, FORMER_PHONE, person.phone)], person)
                self.by_phone.pop(person.phone)
            self._give_phone(person, event.phone)
        self._learn(identities_of(event), person.root)

    def keep_apart(self, other: Person) -> None:
        """The merge cannot be done: the ids go over all the same, or it would be tried for ever."""
        person, other.merged_into = other.root, None
        for identity, owner in self.by_identity.items():
            if owner is other:
                self.by_identity[identity] = self.learned[identity] = person

    def _owners(self, phone: str | None, identities: Iterable[Identity]) -> list[Person]:
        """Whoever these lead to, each once: by number first, then those who have one."""
        found = [self.by_phone.get(phone)] if phone is not None else []
        by_id = [self.by_identity.get(identity) for identity in identities]
        roots = [person.root for person in (*found, *by_id) if person is not None]
        once = list(dict.fromkeys(roots))
        if len(once) < 2:
            return once
        return sorted(once, key=lambda p: (phone is None or p.phone != phone, p.phone is None))

    def _newcomer(self) -> Person:
        person = Person(None, None, None)
        self.newcomers.append(person)
        return person

    def _give_phone(self, person: Person, phone: str) -> None:
        person.phone, person.changed = phone, True
        self.by_phone[phone] = person

    def _merge(self, other: Person, person: Person) -> Person:
        """`other`, who has no number, turned out to be `person`; whoever has a row keeps it."""
        if person.id is None and other.id is not None:
            if person.phone is not None:
                self._give_phone(other, person.phone)
            other, person = person, other
        other.merged_into = person
        if other.id is None:
            self.newcomers.remove(other)
        else:
            self.merged.append(other)
        if person.name is None and other.name is not None:
            person.name, person.changed = other.name, True
        return person

    def _learn(self, identities: Iterable[Identity], person: Person) -> None:
        """The newest word counts: an id that came with another number goes over to that one."""
        for identity in identities:
            known = self.by_identity.get(identity)
            if known is None or known.root is not person:
                self.by_identity[identity] = self.learned[identity] = person
