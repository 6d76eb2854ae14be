"""Takes a turn anew whose answer is no longer true when it is to be sent. Called by the delivery.

Example: the car that a waiting reply offers was sold a minute ago. A reminder is of no turn of the
buyer's: it is written anew by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tenancy.lease import TenantConnection
from worker.drain import conversations, messages, reminders
from worker.drain.undo import undo_turn
from worker.fence import after_the_drain, pass_fence
from worker.queue.keys import Task

_WITHDRAW = """
    UPDATE mensagens SET status = 'cancelada', erro = 'o carro mudou antes do envio'
     WHERE id IN %(ids)s AND status IN ('pendente', 'enviando')
"""


async def take_anew(
    conn: TenantConnection,
    conversation_id: int,
    stale: Sequence[int],
    *,
    epoch: int,
    due_at: datetime,
) -> set[Task]:
    """Withdraws the turn and makes it due at `due_at`, in the caller's transaction.

    `stale`: ids of the replies that are no longer true. Returns the tasks that have to go on from
    here. No drain among them: the turn had begun to go out, then only those are withdrawn. Raises
    LeaseLost when the lease `epoch` has gone to another worker, which may be sending one of them.
    """
    await after_the_drain(conn)
    await pass_fence(conn, Task.DELIVER, epoch)
    ours = await reminders.among(conn, stale)
    if ours:
        await reminders.take_anew(conn, sorted(ours))
    of_turns = [reply for reply in stale if reply not in ours]
    tasks = {Task.REMIND} if ours else set()
    if of_turns:
        tasks |= await _turn_anew(conn, conversation_id, of_turns, due_at=due_at)
    return tasks


async def _turn_anew(
    conn: TenantConnection, conversation_id: int, stale: Sequence[int], *, due_at: datetime
) -> set[Task]:
    conversation = await conversations.by_id(conn, conversation_id)
    undone = conversation.turno_anterior is not None and await messages.withdraw_unsent(
        conn, [conversation.id], and_unconfirmed=True
    )
    if not undone:
        await conn.execute(_WITHDRAW, {"ids": list(stale)})
        return set()
    moved = await undo_turn(conn, conversation)
    conversation.responder_em = due_at
    await conversations.save(conn, [conversation])
    return {Task.DRAIN, Task.REMIND} if moved else {Task.DRAIN}
