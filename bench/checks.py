"""What must be true of the databases after a contest: each message there, once, in order, answered.

Called by `bench.contest`; asks the databases as they are, knows nothing of who filled them.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.ground import Ground
from bench.load import place_of
from bench.sizes import Shape

_RECEIVED = """
    SELECT conversation_id, external_id FROM mensagens WHERE tipo = 'recebida' ORDER BY id
"""
_UNANSWERED = """
    SELECT COUNT(*) FROM conversations c
     WHERE c.responder_em IS NOT NULL
        OR (SELECT MAX(m.id) FROM mensagens m
             WHERE m.conversation_id = c.id AND m.tipo = 'recebida')
         > COALESCE((SELECT MAX(m.id) FROM mensagens m
             WHERE m.conversation_id = c.id AND m.tipo = 'enviada'
               AND m.status IN ('pendente', 'enviada', 'entregue', 'lida')), 0)
"""
_REPLIES = """
    SELECT COALESCE(SUM(decisao IS NOT NULL), 0), COALESCE(SUM(status = 'pendente'), 0),
           COALESCE(SUM(status = 'cancelada'), 0)
      FROM mensagens WHERE tipo = 'enviada'
"""


class WrongResult(Exception):
    """A contestant lost, doubled or mixed something up: its speed means nothing."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the databases of all empresas hold."""

    turns: int = 0
    """Answers given, those that were withdrawn included."""
    pending: int = 0
    """Reply rows that are still to be sent."""
    withdrawn: int = 0
    """Reply rows taken back since the buyer wrote again before they were sent."""
    disordered: int = 0
    """Conversations whose messages are not stored in the order in which they came."""


async def check(ground: Ground, shape: Shape, *, ordered: bool) -> Outcome:
    """Raises WrongResult; `ordered`: also when messages are stored out of order."""
    outcome = Outcome()
    for empresa_id in ground.empresa_ids[: shape.empresas]:
        await _check_one(ground, shape, empresa_id, outcome)
    if ordered and outcome.disordered:
        raise WrongResult(f"{outcome.disordered} conversations are out of order")
    return outcome


async def _check_one(ground: Ground, shape: Shape, empresa_id: int, outcome: Outcome) -> None:
    places: dict[int, list[int]] = {}
    buyers: dict[int, int] = {}
    for row, external_id in await ground.rows(empresa_id, _RECEIVED):
        conversation, place = place_of(external_id)
        places.setdefault(conversation, []).append(place)
        if buyers.setdefault(conversation, row) != row:
            raise WrongResult(f"empresa {empresa_id}: one buyer has two conversations")
    expected = list(range(shape.messages))
    if sorted(places) != list(range(shape.conversations)):
        raise WrongResult(f"empresa {empresa_id}: {len(places)} of {shape.conversations} buyers")
    for conversation, found in places.items():
        if sorted(found) != expected:
            raise WrongResult(
                f"empresa {empresa_id}: buyer {conversation} has {len(found)} messages"
                f" ({len(set(found))} different) in place of {shape.messages}"
            )
        outcome.disordered += found != expected
    ((unanswered,),) = await ground.rows(empresa_id, _UNANSWERED)
    if unanswered:
        raise WrongResult(f"empresa {empresa_id}: {unanswered} conversations wait for an answer")
    ((turns, pending, withdrawn),) = await ground.rows(empresa_id, _REPLIES)
    outcome.turns += int(turns)
    outcome.pending += int(pending)
    outcome.withdrawn += int(withdrawn)
