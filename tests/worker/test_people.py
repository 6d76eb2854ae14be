"""Who is it: whatever each event tells of a buyer, and in whatever order it comes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.events import Event, EventKind
from tests.worker.shop import event
from worker.drain.people import Circle, Person, identities_of

PHONE, OTHER = "5511980000001", "5511980000002"
BSUID, LID = "BR.77", "99887766@lid"


def tells(phone: str | None, user_id: str | None = None, **changes: Any) -> Event:
    """A message that tells so much of its buyer."""
    return event("oi", phone=phone, user_id=user_id, reply_to=phone or user_id, **changes)


ONE_BUYER = (
    tells(PHONE),
    tells(None, BSUID),
    tells(PHONE, BSUID),
    tells(None, LID, gateway="evolution"),
    tells(PHONE, LID, gateway="evolution"),
)
"""All that one buyer may look like on two channels."""


def people(circle: Circle) -> set[Person]:
    """Who is left."""
    return {p.root for p in (*circle.by_phone.values(), *circle.by_identity.values())}


@pytest.mark.parametrize("order", list(permutations(ONE_BUYER)))
def test_one_buyer_is_one_in_any_order(order: tuple[Event, ...]) -> None:
    """A hundred and twenty ways to hear of him, and he is the same customer with the same ids."""
    circle = Circle()
    for one in order:
        circle.meet(one)

    (person,) = people(circle)
    assert person.phone == PHONE
    assert {identity for identity, owner in circle.by_identity.items() if owner.root is person} == {
        ("cloud_api", "user_id", BSUID),
        ("evolution", "user_id", LID),
    }
    assert [newcomer.root for newcomer in circle.newcomers] == [person]


@given(st.lists(st.sampled_from(ONE_BUYER), max_size=9), st.integers(min_value=0, max_value=9))
def test_what_is_told_in_two_batches_is_told_in_one(told: list[Event], cut: int) -> None:
    """Rows in between change nothing: the same people with the same numbers and ids."""
    at_once, first = Circle(), Circle()
    for one in told:
        at_once.meet(one)
    for one in told[:cut]:
        first.meet(one)
    second = _reloaded(first)
    for one in told[cut:]:
        second.meet(one)

    assert _described(second) == _described(at_once)


def test_two_numbers_stay_two_customers() -> None:
    """One payload with the number of one and the id of another joins nobody; the id goes over to
    the number that it came with last."""
    circle = Circle()
    first, second = Person(1, PHONE, None), Person(2, OTHER, None)
    circle.know(first, [("cloud_api", "user_id", BSUID)])
    circle.know(second)

    assert circle.meet(tells(OTHER, BSUID)) is second

    assert circle.merged == []
    assert circle.find(tells(None, BSUID)) is second
    assert circle.find(tells(PHONE)) is first


def test_the_owner_of_the_number_stays() -> None:
    """A lead without a number turns out to be a customer whom the dealer knows for years."""
    circle = Circle()
    known, lead = Person(1, PHONE, None), Person(2, None, "Ana")
    circle.know(known)
    circle.know(lead, [("cloud_api", "user_id", BSUID)])

    assert circle.meet(tells(PHONE, BSUID)) is known

    assert [person.id for person in circle.merged] == [2]
    assert known.name == "Ana"


def test_a_number_that_turns_up_is_the_leads() -> None:
    """Nobody else has it: the row that is there gets it, and no second one is made."""
    circle = Circle()
    lead = Person(2, None, "Ana")
    circle.know(lead, [("cloud_api", "user_id", BSUID)])

    assert circle.meet(tells(PHONE, BSUID)) is lead

    assert (lead.phone, lead.changed, circle.newcomers) == (PHONE, True, [])


def test_a_changed_number_is_learned() -> None:
    """WhatsApp says that the buyer goes on under another number: same row, old number kept."""
    circle = Circle()
    buyer = Person(1, PHONE, None)
    circle.know(buyer)
    moved = tells(OTHER, "BR.88", kind=EventKind.IGNORED, former_phone=PHONE)

    circle.move(moved)
    circle.move(moved)

    assert buyer.phone == OTHER
    assert circle.find(tells(OTHER)) is buyer
    assert circle.find(tells(None, "BR.88")) is buyer
    assert circle.find(tells(PHONE)) is None  # it may be somebody else's tomorrow
    assert ("cloud_api", "former_phone", PHONE) in circle.learned


def test_a_number_that_two_have_is_not_moved() -> None:
    """The new number is another customer's already: both stay as they are."""
    circle = Circle()
    buyer, other = Person(1, PHONE, None), Person(2, OTHER, None)
    circle.know(buyer)
    circle.know(other)

    circle.move(tells(OTHER, kind=EventKind.IGNORED, former_phone=PHONE))

    assert (buyer.phone, other.phone, circle.merged) == (PHONE, OTHER, [])


def test_a_change_of_somebody_unknown_makes_nobody() -> None:
    """There is nothing to go on with."""
    circle = Circle()

    circle.move(tells(OTHER, kind=EventKind.IGNORED, former_user_id=BSUID))

    assert people(circle) == set()


def test_a_sellers_profile_name_is_nobodys() -> None:
    """The name that comes with an echo is the shop's; the buyer's own fills the empty place."""
    circle = Circle()
    circle.meet(tells(PHONE, push_name="Loja", from_me=True, kind=EventKind.HUMAN_ECHO))
    person = circle.meet(tells(PHONE, push_name="Ana"))

    assert person.name == "Ana"


def _reloaded(circle: Circle) -> Circle:
    """As the database would give it back to the next transaction."""
    again = Circle()
    rows = {
        person: Person(number, person.phone, None) for number, person in enumerate(_all(circle))
    }
    for person, row in rows.items():
        again.know(row, [i for i, owner in circle.by_identity.items() if owner.root is person])
    return again


def _all(circle: Circle) -> list[Person]:
    return sorted(people(circle), key=lambda person: person.phone or "")


def _described(circle: Circle) -> set[tuple[str | None, frozenset[Any]]]:
    return {
        (
            person.phone,
            frozenset(i for i, owner in circle.by_identity.items() if owner.root is person),
        )
        for person in people(circle)
    }


def test_an_address_counts_where_there_is_no_number() -> None:
    """With a number it is but another way to write it."""
    assert identities_of(tells(PHONE)) == []
    assert identities_of(event("oi", phone=None, reply_to="x@y")) == [
        ("cloud_api", "address", "x@y")
    ]
