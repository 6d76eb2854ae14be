"""Keeps erased messages from coming back by a late repetition. Called by the drain.

Costs a dealer of whom nothing was erased one small query a lease.
"""

from __future__ import annotations

from collections.abc import Sequence

from schema.errors import SecretUnreadable
from tenancy.lease import TenantConnection
from worker.drain.arrival import Arrival
from worker.lgpd.digests import DigestKeys

ANY_ERASED = "SELECT EXISTS (SELECT 1 FROM _apagadas)"
"""Holds for as long as a lease: whoever erases has all leases."""
_THESE = "SELECT digest FROM _apagadas WHERE digest IN %(digests)s"


class ErasedMessages:
    """Asks the dealer's own database. One per process."""

    def __init__(self, keys: DigestKeys) -> None:
        self._keys = keys

    async def without(
        self, conn: TenantConnection, arrivals: Sequence[Arrival]
    ) -> Sequence[Arrival]:
        """Those that are no erased message, and about none. Raises CentralUnavailable,
        SecretUnreadable: rather wait than bring somebody back."""
        digests = await self._keys.known(conn.empresa_id)
        if digests is None:
            raise SecretUnreadable(
                f"the database of empresa {conn.empresa_id} has erased messages, and lgpd_chaves"
                " no key for them: put its row back"
            )
        names = {arrival.key: digests.message(*arrival.key) for arrival in arrivals}
        rows = await conn.fetch_all(_THESE, {"digests": sorted(names.values())})
        erased = {digest for (digest,) in rows}
        return [arrival for arrival in arrivals if names[arrival.key] not in erased]
