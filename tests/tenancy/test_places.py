"""The places of a server: never too many, never one free while somebody waits, in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenancy.hosts import HostGate
from tenancy.places import WARM_S, Places
from tenancy.session import Session

PARTIES = st.sampled_from("abcd")


def _session() -> Session:
    """Places only ever compare them."""
    return cast("Session", cast("Any", object()))


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.due.append((self.now + delay_s, call))

    def move(self, seconds: float) -> None:
        """Calls what falls due, what that brings up included."""
        self.now += seconds
        while ready := [entry for entry in self.due if entry[0] <= self.now]:
            self.due = [entry for entry in self.due if entry[0] > self.now]
            for _, call in ready:
                call()

    def places(self, budget: int) -> Places:
        return Places(budget, clock=lambda: self.now, later=self.later)


class Machine(RuleBasedStateMachine):
    """Two servers of one process, asked in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.process = self.clock.places(4)
        self.gates = [
            HostGate(self.clock.places(3), address=("one", 1), process=self.process),
            HostGate(self.clock.places(2), address=("two", 2), process=self.process),
        ]
        self.held: list[tuple[int, str]] = []
        self.idle: list[tuple[int, str, Session]] = []
        self.asked: Counter[tuple[int, str]] = Counter()

    @rule(gate=st.integers(0, 1), party=PARTIES)
    def ask(self, gate: int, party: str) -> None:
        key = (gate, party)

        def granted() -> None:
            self.asked[key] -= 1
            self.held.append(key)

        self.asked[key] += 1
        self.gates[gate].ask(party, granted)

    @rule(gate=st.integers(0, 1), party=PARTIES)
    def withdraw(self, gate: int, party: str) -> None:
        if self.gates[gate].withdraw(party):
            self.asked[gate, party] -= 1

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        gate, party = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.gates[gate].leave(party)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def rest(self, data: st.DataObject) -> None:
        gate, party = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        entry = (gate, party, _session())

        def evict(session: Session) -> None:
            self.idle.remove(entry)
            self.gates[gate].wake(session)
            self.gates[gate].leave(party)

        self.idle.append(entry)
        self.gates[gate].rest(party, entry[2], evict)

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        gate, party, session = self.idle.pop(data.draw(st.integers(0, len(self.idle) - 1)))
        self.gates[gate].wake(session)
        self.held.append((gate, party))

    @rule()
    def nobody_waits_for_long_while_something_is_idle(self) -> None:
        self.clock.move(2 * WARM_S)
        for number, _party in +self.asked:
            idle_here = any(entry[0] == number for entry in self.idle)
            assert (self._full(number) and not idle_here) or not self.idle

    @invariant()
    def never_too_many(self) -> None:
        assert self.process.taken <= 4
        for number, gate in enumerate(self.gates):
            ours = [one for one in [*self.held, *self.idle] if one[0] == number]
            assert len(ours) <= gate.taken <= gate.budget
        assert len(self.held) + len(self.idle) == self.process.taken

    @invariant()
    def nobody_waits_while_a_place_is_free(self) -> None:
        for number, _party in +self.asked:
            assert self._full(number) or self.process.taken == 4

    @invariant()
    def who_has_none_waits_for_no_idle_one(self) -> None:
        """Unless it lost its last one in this very moment: then it is looked at again at once."""
        have = {entry[:2] for entry in [*self.held, *self.idle]}
        looked_at_now = any(at <= self.clock.now for at, _ in self.clock.due)
        for number, party in +self.asked:
            if (number, party) in have or looked_at_now:
                continue
            idle_here = any(entry[0] == number for entry in self.idle)
            assert (self._full(number) and not idle_here) or not self.idle or self._others(number)

    def _full(self, number: int) -> bool:
        return self.gates[number].taken == self.gates[number].budget

    def _others(self, number: int) -> bool:
        """Whether the server has connections: then it is not one that has none in the process."""
        return any(entry[0] == number for entry in [*self.held, *self.idle])


TestAnyOrder = Machine.TestCase


class Hog:
    """A party that always wants more than it gets; it works off its places one by one."""

    def __init__(self, places: Places, name: str, limit: int) -> None:
        self.places, self.name, self.limit = places, name, limit
        self.held = self.asked = self.served = 0

    def want(self) -> None:
        """Asks up to its limit."""
        while self.held + self.asked < self.limit:
            self.asked += 1
            self.places.ask(self.name, self._granted)

    def _granted(self) -> None:
        self.asked -= 1
        self.held += 1

    def serve(self) -> None:
        """Finishes one piece of work on each place, and goes on with it unless it is wanted."""
        for _ in range(self.held):
            self.served += 1
            if self.places.wanted_from(self.name):
                self.held -= 1
                self.places.leave(self.name)
        self.want()


def _served(budget: int, limits: dict[str, int], rounds: int) -> dict[str, int]:
    places = Clock().places(budget)
    hogs = [Hog(places, name, limit) for name, limit in limits.items()]
    for hog in hogs:
        hog.want()
    for _ in range(rounds):
        for hog in hogs:
            hog.serve()
        assert sum(hog.held for hog in hogs) == places.taken <= budget
    return {hog.name: hog.served for hog in hogs}


def test_more_empresas_than_places_take_turns() -> None:
    """However much each of them has to do, and whoever came first: no one starves."""
    served = _served(3, dict.fromkeys("abcdefghij", 4), rounds=400)

    assert max(served.values()) <= 1.3 * min(served.values())


def test_a_hungry_empresa_gets_its_share_from_a_full_one() -> None:
    """One that fills the server with a queue without end gives up places to one that has none."""
    served = _served(4, {"hog": 4, "other": 1}, rounds=100)

    assert served["other"] >= 90


def test_places_do_not_go_to_and_fro_for_nothing() -> None:
    """With as many as they can share evenly, each keeps its connections: opening one costs."""
    places = Clock().places(4)
    hogs = [Hog(places, name, 4) for name in "ab"]
    for hog in hogs:
        hog.want()
    for _ in range(10):
        for hog in hogs:
            hog.serve()

    assert [hog.held for hog in hogs] == [2, 2]
    assert not places.wanted_from("a")
    assert not places.wanted_from("b")


def test_a_busy_empresa_takes_no_ones_last_warm_connection() -> None:
    """It has one to work with; the others would have to connect anew for each use of theirs."""
    clock = Clock()
    places = clock.places(2)
    gone: list[Session] = []
    granted: list[str] = []

    def evict(session: Session) -> None:
        gone.append(session)
        places.wake(session)
        places.leave("quiet")

    places.ask("quiet", lambda: granted.append("quiet"))
    places.ask("busy", lambda: granted.append("busy"))
    places.rest("quiet", _session(), evict)
    places.ask("busy", lambda: granted.append("busy"))
    clock.move(0.9 * WARM_S)
    assert (granted, gone) == (["quiet", "busy"], [])

    clock.move(0.2 * WARM_S)  # it has not been used for a while: now it may go
    assert (granted, len(gone)) == (["quiet", "busy", "busy"], 1)


def test_who_has_none_takes_the_place_of_the_oldest() -> None:
    """However warm it is."""
    places = Clock().places(1)
    granted: list[str] = []

    def evict(session: Session) -> None:
        places.wake(session)
        places.leave("a")

    places.ask("a", lambda: granted.append("a"))
    places.rest("a", _session(), evict)
    places.ask("b", lambda: granted.append("b"))

    assert granted == ["a", "b"]
