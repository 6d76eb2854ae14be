"""Whether somebody beside the workers may write to a dealer's database now. Called by the import of
stock files, before it begins and once more before it commits.

A dealer whom a person paused may be written to: only his buyers' work stands still. While a move, a
restore or a deletion holds him, what is written might be lost with the database that it leaves.
"""

from __future__ import annotations

from schema.errors import NotConfigured, TryAgain, UnknownEmpresa
from tenancy.central import Central
from tenancy.registry import DELETED, SUSPENDED

_STATE = """
    SELECT e.status,
           (SELECT o.tipo FROM operacoes_empresa o
             WHERE o.empresa_id = e.id AND o.estado = 'aberta' AND o.segura = 1
             ORDER BY o.id LIMIT 1)
      FROM empresas e WHERE e.id = %(id)s
"""


async def refuse_unwritable(central: Central, empresa_id: int) -> None:
    """As the row is now. Raises TryAgain while an operation holds the dealer, NotConfigured for one
    that is disabled or deleted, UnknownEmpresa, CentralUnavailable."""
    async with central.connection() as conn:
        row = await conn.fetch_one(_STATE, {"id": empresa_id})
    if row is None:
        raise UnknownEmpresa(empresa_id)
    status, operation = row
    if operation is not None:
        raise TryAgain(
            f"a {operation} of empresa {empresa_id} is under way and holds its database; nothing"
            f" was stored: again after its end"
        )
    if status == DELETED:
        raise NotConfigured(empresa_id, "it is deleted")
    if status == SUSPENDED:
        raise NotConfigured(
            empresa_id, f"it is disabled; first `helix empresa enable {empresa_id}`"
        )
