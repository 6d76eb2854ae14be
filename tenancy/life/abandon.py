"""Takes back what was begun on a dealer and was killed. Used by `helix empresa abandon`."""

from __future__ import annotations

from schema.errors import NotConfigured
from tenancy.life import backup, delete, move, restore
from tenancy.life.ledger import Kind, Operation
from tenancy.life.tools import Tools

_NO_WAY_BACK = {Kind.RESTORE: "switched", Kind.MOVE: "switched", Kind.DELETE: "exported"}
"""The step after which an operation can only go on. A backup changes nothing of the dealer."""
_WHY = "abandoned by a person"


async def abandon(tools: Tools, empresa_id: int) -> Operation:
    """The dealer goes on where he was. Returns what was taken back.

    Raises NotConfigured when nothing is open, or it is past its point of no return.
    """
    async with tools.ledger.alone(empresa_id):
        operation = await tools.ledger.open_one(empresa_id)
        if operation is None:
            raise NotConfigured(empresa_id, "nothing was begun on it that is not at its end")
        if _NO_WAY_BACK.get(operation.kind) in operation.done:
            raise NotConfigured(
                empresa_id, f"its {operation.kind} can only go on: repeat that command"
            )
        if operation.kind is Kind.MOVE:
            await move.undo(tools, operation, _WHY)
        elif operation.kind is Kind.RESTORE:
            await restore.undo(tools, operation, _WHY)
        elif operation.kind is Kind.DELETE:
            await delete.undo(tools, operation, _WHY)
        else:
            await backup.undo(tools, operation, _WHY)
        return operation
