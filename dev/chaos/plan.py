"""Which faults strike when, from a seed. Pure: the same seed and length give the same plan.

Called by `run`. What a fault does is in `strike`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dev.chaos.sizes import Shape


class Whom(StrEnum):
    """What can be struck."""

    WORKER = "a worker"
    WEB = "a web process"
    MARIADB = "MariaDB"
    REDIS = "Redis"
    TO_REDIS = "a process's way to Redis"
    TO_CENTRAL = "a process's way to the central database"
    TO_HOST = "the way to a database address"
    GATEWAY = "a gateway"


class How(StrEnum):
    """What can happen to it."""

    KILL = "killed"
    STOP = "told to stop"
    FREEZE = "frozen"
    HOLE = "silent"
    RESET = "refused"
    SLOW = "slow"
    SICK = "sick"


class Kind(NamedTuple):
    """A fault as the table below knows it."""

    whom: Whom
    how: How


class Often(NamedTuple):
    """How often a kind comes compared with others, and how long it lasts, in seconds."""

    weight: int
    least_s: float
    most_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One planned fault. `target` numbers the processes, hosts or empresas that it may strike."""

    at_s: float
    kind: Kind
    target: int
    lasts_s: float
    """Until it is undone; for what is killed or stopped, until it is started again."""


_KINDS: Mapping[Kind, Often] = {
    Kind(Whom.WORKER, How.KILL): Often(4, 0, 3),
    Kind(Whom.WORKER, How.STOP): Often(2, 0, 3),
    Kind(Whom.WORKER, How.FREEZE): Often(3, 0, 0),  # by the lease
    Kind(Whom.WEB, How.KILL): Often(3, 0, 2),
    Kind(Whom.WEB, How.STOP): Often(1, 0, 2),
    Kind(Whom.WEB, How.FREEZE): Often(1, 0.5, 6),
    Kind(Whom.MARIADB, How.KILL): Often(1, 0, 4),
    Kind(Whom.MARIADB, How.STOP): Often(1, 0, 2),
    Kind(Whom.MARIADB, How.FREEZE): Often(1, 0.5, 6),
    Kind(Whom.REDIS, How.KILL): Often(1, 0, 4),
    Kind(Whom.REDIS, How.STOP): Often(1, 0, 2),
    Kind(Whom.REDIS, How.FREEZE): Often(1, 0.5, 6),
    Kind(Whom.TO_REDIS, How.HOLE): Often(2, 0.5, 6),
    Kind(Whom.TO_REDIS, How.RESET): Often(1, 0.5, 6),
    Kind(Whom.TO_REDIS, How.SLOW): Often(1, 0.5, 6),
    Kind(Whom.TO_CENTRAL, How.HOLE): Often(1, 0.5, 6),
    Kind(Whom.TO_CENTRAL, How.RESET): Often(1, 0.5, 6),
    Kind(Whom.TO_HOST, How.HOLE): Often(2, 0.5, 9),
    Kind(Whom.TO_HOST, How.RESET): Often(1, 0.5, 9),
    Kind(Whom.TO_HOST, How.SLOW): Often(1, 0.5, 6),
    Kind(Whom.GATEWAY, How.SLOW): Often(1, 1, 6),
    Kind(Whom.GATEWAY, How.SICK): Often(1, 1, 6),
}
_FREEZES = (0.3, 1.8)
"""Of a worker, in lives of a lease: some wake up to find that it has gone."""


def plan(seed: int, seconds: float, shape: Shape) -> list[Fault]:
    """Faults in the order of their times. All have ended by `seconds`, but for the time that a
    process or a server needs to be up again."""
    dice = random.Random(seed)
    made: list[Fault] = []
    deck: list[Kind] = []
    at_s, struck = 1.0, 0
    while at_s < seconds:
        deck = deck or _deck(dice)
        fault = _fault(deck.pop(), at_s, dice, shape)
        if fault.at_s + fault.lasts_s <= seconds:
            made.append(fault)
        struck += 1
        at_s += dice.uniform(*shape.gap_s)
        if struck % shape.calm_every == 0:
            at_s += shape.calm_s
    return made


def _deck(dice: random.Random) -> list[Kind]:
    """All kinds, shuffled: even a short run sees many of them."""
    cards = [kind for kind, often in _KINDS.items() for _ in range(often.weight)]
    dice.shuffle(cards)
    return cards


def _fault(kind: Kind, at_s: float, dice: random.Random, shape: Shape) -> Fault:
    often = _KINDS[kind]
    lasts_s = dice.uniform(often.least_s, often.most_s)
    if kind == (Whom.WORKER, How.FREEZE):
        lasts_s = dice.uniform(*_FREEZES) * shape.lease_s
    target = dice.randrange(targets(kind.whom, shape))
    return Fault(at_s=at_s, kind=kind, target=target, lasts_s=lasts_s)


def targets(whom: Whom, shape: Shape) -> int:
    """How many there are of it."""
    counts = {
        Whom.WORKER: shape.workers,
        Whom.WEB: shape.webs,
        Whom.TO_REDIS: shape.workers + shape.webs,
        Whom.TO_CENTRAL: shape.workers + shape.webs,
        Whom.TO_HOST: shape.hosts,
        Whom.GATEWAY: shape.empresas,
    }
    return counts.get(whom, 1)
