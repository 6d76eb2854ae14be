"""Slows the turns of a conversation whose buyer floods. Called by `worker.drain.transaction`.

GCRA: `ritmo_em` is when all turns so far would have been taken at an even pace. So many turns as a
minute has may follow each other at once; then each waits its time, and answers all that came
meanwhile. Every turn counts, also one that is withdrawn later: it has cost as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from worker.drain.conversations import Conversation


def in_pace(due: Sequence[Conversation], *, per_min: int, now: datetime) -> list[Conversation]:
    """Whose turn is taken now; the others get a later `responder_em`. 0: no limit."""
    if not per_min:
        return list(due)
    every = timedelta(minutes=1) / per_min
    ahead = every * (per_min - 1)
    taken = []
    for conversation in due:
        reached = max(conversation.ritmo_em or now, now)
        if reached - now > ahead:
            conversation.responder_em = reached - ahead
        else:
            conversation.ritmo_em = reached + every
            taken.append(conversation)
    return taken
