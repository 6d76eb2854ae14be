"""Names of all that we keep in Redis. The documented contract for gateways in other languages."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

QUEUE = "arq:queue"
"""Where jobs that drain wait."""
DELIVERY_QUEUE = "arq:queue:deliver"
"""Where jobs that deliver wait: gateways that hang take up no place of a drain."""
UNKNOWN_CHANNEL = "helix:unknown_channel"
"""Stream of authentic events that no channel of ours is named in, newest 10,000."""
UNREADABLE = "helix:unreadable"
"""Stream of authentic bodies that are no JSON, newest 1,000."""

INBOX_LIMITS = "helix:inbox_limits"
"""Hash: how many `events` and `bytes` may wait on one inbox; `helix_push` reads it."""

STOPPED_CHANNELS = "helix:channels:stopped"
"""Set of the ids of channels whose credentials their gateways refuse."""


WAIT_FOR_LUCAS = "helix:waits:lucas"
"""Sorted set: empresas whose buyers may wait for Lucas, by the earliest time (ms) since when."""
WAIT_FOR_PERSON = "helix:waits:person"
"""The same for those who may wait for a person."""
NEW_DEAD_LETTERS = "helix:dead:new"
"""Stream: empresa, kind and cause of each dead letter as it was written, the newest thousands."""

_DEAD_LETTERS = re.compile(rb"helix:\{([1-9][0-9]*)\}:dead")
ALL_DEAD_LETTERS = "helix:{*}:dead"
"""Pattern of the names of all streams of dead letters, for SCAN."""


class Task(StrEnum):
    """What a worker does for one empresa at a time; also the names of the arq jobs."""

    DRAIN = "drain_inbox"
    DELIVER = "deliver_replies"
    MEDIA = "fetch_media"
    REMIND = "remind_buyers"


_ANSWERING = frozenset({Task.DRAIN, Task.DELIVER})


def inbox(empresa_id: int) -> str:
    """The stream of events that are not yet in the empresa's database."""
    return f"helix:{{{empresa_id}}}:inbox"


def held(empresa_id: int) -> str:
    """Hash: how many events stand on the inbox, and how many bytes of JSON they are."""
    return f"helix:{{{empresa_id}}}:drain_inbox:held"


def dead_letters(empresa_id: int) -> str:
    """The stream of what failed for good, whole, with its error."""
    return f"helix:{{{empresa_id}}}:dead"


def ignored(empresa_id: int) -> str:
    """The stream of what was ignored and why, the newest few hundred, without personal data."""
    return f"helix:{{{empresa_id}}}:ignored"


def channel_state(empresa_id: int, canal_id: int) -> str:
    """Hash: pace and troubles of what a channel sends."""
    return f"helix:{{{empresa_id}}}:canal:{canal_id}"


def pair_state(empresa_id: int, canal_id: int, buyer: str) -> str:
    """Hash: the same for one buyer on a channel; `buyer` is a digest of his address."""
    return f"helix:{{{empresa_id}}}:canal:{canal_id}:{buyer}"


def hush(empresa_id: int, identifier: str, address: str) -> str:
    """Id of the inbox entry with a seller's newest words to this address; contract.lua sets it."""
    whose = hashlib.sha1(f"{identifier} {address}".encode(), usedforsecurity=False).hexdigest()
    return f"helix:{{{empresa_id}}}:hush:{whose}"


def gateway_state(address: str) -> str:
    """Hash: troubles of a gateway's address, shared by its channels; `address` is a digest."""
    return f"helix:gateway:{address}"


def all_of(empresa_id: int) -> tuple[str, ...]:
    """Patterns, for SCAN, of every key that is one empresa's alone: ours, and arq's of its jobs."""
    return f"helix:{{{empresa_id}}}:*", f"arq:*:helix:{{{empresa_id}}}:*"


def empresa_of(key: bytes) -> int | None:
    """Whose dead letters a key names, None for any other key."""
    found = _DEAD_LETTERS.fullmatch(key)
    return int(found[1]) if found else None


def arq_job(job_id: str) -> str:
    """Where arq looks for a job's body."""
    return f"arq:job:{job_id}"


@dataclass(frozen=True, slots=True)
class TaskKeys:
    """The keys of one task of one empresa."""

    empresa_id: int
    task: Task

    @property
    def lease(self) -> str:
        """Held by the worker that is at it."""
        return f"helix:{{{self.empresa_id}}}:{self.task}:lease"

    @property
    def queue(self) -> str:
        """The arq queue of the task."""
        return DELIVERY_QUEUE if self.task is Task.DELIVER else QUEUE

    @property
    def ring(self) -> str:
        """The id of the arq job that is queued for it."""
        return f"helix:{{{self.empresa_id}}}:{self.task}:ring"

    @property
    def epoch(self) -> str:
        """The number of the last lease given out; it only rises."""
        return f"helix:{{{self.empresa_id}}}:{self.task}:epoch"

    @property
    def failures(self) -> str:
        """How often in a row the way to the work was broken."""
        return f"helix:{{{self.empresa_id}}}:{self.task}:failures"

    @property
    def waits(self) -> tuple[str, ...]:
        """What says since when buyers may wait; of the tasks that answer them."""
        return (WAIT_FOR_LUCAS, WAIT_FOR_PERSON) if self.task in _ANSWERING else ()

    @property
    def due_of_other(self) -> str:
        """Of a task that answers buyers: when a worker must look for the other such task."""
        other = Task.DELIVER if self.task is Task.DRAIN else Task.DRAIN
        return TaskKeys(self.empresa_id, other).due

    @property
    def due(self) -> str:
        """All empresas with work of this task, by the time in ms when a worker must look."""
        return f"helix:due:{self.task}"
