"""The places of a server: never too many, never one free while somebody waits, in turn."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenancy.hosts import HostGate, Places
from tenancy.session import Session

PARTIES = st.sampled_from("abcd")


def _session() -> Session:
    """Places only ever compare them."""
    return cast("Session", cast("Any", object()))


class Machine(RuleBasedStateMachine):
    """Two servers of one process, asked in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.process = Places(4)
        self.gates = [
            HostGate(3, address=("one", 1), process=self.process),
            HostGate(2, address=("two", 2), process=self.process),
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
            assert entry == self.idle[self._oldest(gate)] or entry == self.idle[0]
            self.idle.remove(entry)
            self.gates[gate].wake(session)
            self.gates[gate].leave(party)

        self.idle.append(entry)
        self.gates[gate].rest(entry[2], evict)

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        gate, party, session = self.idle.pop(data.draw(st.integers(0, len(self.idle) - 1)))
        self.gates[gate].wake(session)
        self.held.append((gate, party))

    def _oldest(self, gate: int) -> int:
        return next(place for place, entry in enumerate(self.idle) if entry[0] == gate)

    @invariant()
    def never_too_many(self) -> None:
        assert self.process.taken <= 4
        for number, gate in enumerate(self.gates):
            ours = [one for one in [*self.held, *self.idle] if one[0] == number]
            assert len(ours) <= gate.taken <= gate.budget
        assert len(self.held) + len(self.idle) == self.process.taken

    @invariant()
    def nobody_waits_while_something_is_free(self) -> None:
        waiting = +self.asked
        for number, gate in enumerate(self.gates):
            if any(asked[0] == number for asked in waiting):
                idle_here = any(entry[0] == number for entry in self.idle)
                full_here = gate.taken == gate.budget and not idle_here
                full_process = self.process.taken == 4 and not self.idle
                assert full_here or full_process


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
    places = Places(budget)
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
    places = Places(4)
    hogs = [Hog(places, name, 4) for name in "ab"]
    for hog in hogs:
        hog.want()
    for _ in range(10):
        for hog in hogs:
            hog.serve()

    assert [hog.held for hog in hogs] == [2, 2]
    assert not places.wanted_from("a")
    assert not places.wanted_from("b")
