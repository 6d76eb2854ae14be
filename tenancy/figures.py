"""How this process stands with each database server and dealer: for metrics and for people.

Made from the pools and meters on demand; used by `tenancy.metrics` and by the worker room.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenancy.breaker import State
from tenancy.pools import TenantPoolManager
from tenancy.registry import Registry

_OLD_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFigures:
    """A server, as this process sees it. `waiting`: tasks that wait for a connection."""

    host: str
    port: int
    budget: int
    idle: int
    in_use: int
    connecting: int
    waiting: int
    breaker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmpresaFigures:
    """A dealer's pool. `waited_s` and `waits`: all that was ever waited for its connections."""

    empresa_id: int
    host: str
    port: int
    idle: int
    in_use: int
    waiting: int
    breaker: str
    waits: int
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything at one moment."""

    hosts: tuple[HostFigures, ...]
    empresas: tuple[EmpresaFigures, ...]
    """Those with a pool, the one that waited longest first."""
    known: int
    """Empresas whose registry row is at hand."""
    stale: int
    """Rows not confirmed for a minute: the central database may be down."""

    @property
    def active(self) -> int:
        """Empresas with an open connection."""
        return sum(bool(one.idle + one.in_use) for one in self.empresas)


def figures(pools: TenantPoolManager, registry: Registry) -> Figures:
    """Costs about a microsecond per empresa; nothing in it waits."""
    hosts = []
    for (host, port), gate in pools.gates().items():
        there = [pool for target, pool in pools.all_pools() if target.address == (host, port)]
        hosts.append(
            HostFigures(
                host=host,
                port=port,
                budget=gate.budget,
                idle=sum(pool.idle for pool in there),
                in_use=sum(pool.in_use for pool in there),
                connecting=sum(pool.connecting for pool in there),
                waiting=sum(pool.waiting for pool in there),
                breaker=gate.breaker.state.value,
            )
        )
    empresas = [
        EmpresaFigures(
            empresa_id=target.empresa_id or 0,
            host=target.host,
            port=target.port,
            idle=pool.idle,
            in_use=pool.in_use,
            waiting=pool.waiting,
            breaker=pool.breaker.state.value,
            waits=pool.waits,
            waited_s=pool.waited_s,
        )
        for target, pool in pools.all_pools(retired=False)
    ]
    empresas.sort(key=lambda one: one.waited_s, reverse=True)
    return Figures(
        hosts=tuple(hosts),
        empresas=tuple(empresas),
        known=len(registry.versions()),
        stale=registry.old(_OLD_S),
    )


def is_resting(breaker: str) -> bool:
    """Whether a breaker keeps callers away."""
    return breaker != State.CLOSED.value
