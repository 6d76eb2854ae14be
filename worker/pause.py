"""Stops the work for a dealer who is paused. Called by all four jobs before each piece of work.

His events go on being accepted; `worker.announce` wakes the jobs when he is resumed.
"""

from __future__ import annotations

from schema.errors import NotConfigured, TenantPaused, UnknownEmpresa
from tenancy.registry import Registry


async def refuse_paused(registry: Registry, empresa_id: int) -> None:
    """Raises TenantPaused, CentralUnavailable. Whether he can be served at all others find out."""
    try:
        tenant = await registry.tenant(empresa_id)
    except (UnknownEmpresa, NotConfigured):
        return
    if tenant.is_paused:
        raise TenantPaused(empresa_id)
