"""What a worker process says of its database connections. Shown in Redis by `worker.presence`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from tenancy.figures import EmpresaFigures, Figures, HostFigures, is_resting

_MOST = 20
"""Empresas named by one process; a person reads the first ten of all."""


class HostLine(BaseModel):
    """One server, as one process sees it."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)

    host: str
    port: int
    budget: int
    idle: int
    in_use: int
    connecting: int
    waiting: int
    breaker: str


class EmpresaLine(BaseModel):
    """One dealer, as one process sees it."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)

    empresa_id: int
    host: str
    port: int
    idle: int
    in_use: int
    waiting: int
    breaker: str
    waits: int
    waited_s: float


class Report(BaseModel):
    """A whole process. Read with what other releases left out or added."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hosts: tuple[HostLine, ...] = ()
    slowest: tuple[EmpresaLine, ...] = ()
    resting: tuple[EmpresaLine, ...] = ()
    known: int = 0
    active: int = 0
    stale: int = 0


def report_of(figures: Figures) -> Report:
    """At this moment; of bounded size."""
    resting = [one for one in figures.empresas if is_resting(one.breaker)]
    return Report(
        hosts=tuple(_host(one) for one in figures.hosts),
        slowest=_lines([one for one in figures.empresas if one.waits]),
        resting=_lines(resting),
        known=figures.known,
        active=figures.active,
        stale=figures.stale,
    )


def _host(figures: HostFigures) -> HostLine:
    return HostLine.model_validate(figures)


def _lines(figures: Sequence[EmpresaFigures]) -> tuple[EmpresaLine, ...]:
    return tuple(EmpresaLine.model_validate(one) for one in figures[:_MOST])
