"""The figures in Prometheus's form. Registered by the worker's health server.

Labels are bounded: servers are few, and of the dealers only those that waited longest are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from tenancy.figures import Figures, is_resting
from tenancy.meter import BOUNDS_S, PROCESS, HostMeter, Times, host_meter

_NAMED = 20
"""Dealers with a label of their own; all others are summed up as `other`."""


class TenancyCollector(Collector):
    """Asks for the figures at each scrape."""

    def __init__(self, ask: Callable[[], Figures]) -> None:
        self._ask = ask

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        now = self._ask()
        meters = {f"{one.host}:{one.port}": host_meter((one.host, one.port)) for one in now.hosts}
        yield from _gauges(now)
        yield from _counters(meters)
        yield _histogram("acquire", "Waits for a connection, reuse of an idle one as 0.", meters)
        yield _histogram("connect", "New connections, with login and proof of identity.", meters)
        yield from _process(now)
        yield _waits(now)


def _gauges(now: Figures) -> Iterator[Metric]:
    connections = GaugeMetricFamily(
        "helix_db_connections", "Connections to a server.", labels=["host", "state"]
    )
    budget = GaugeMetricFamily("helix_db_budget", "Most connections to it.", labels=["host"])
    waiting = GaugeMetricFamily("helix_db_waiters", "Tasks that wait for one.", labels=["host"])
    breaker = GaugeMetricFamily("helix_db_breaker_open", "1 while it rests.", labels=["host"])
    for one in now.hosts:
        name = f"{one.host}:{one.port}"
        connections.add_metric([name, "idle"], one.idle)
        connections.add_metric([name, "in_use"], one.in_use)
        connections.add_metric([name, "connecting"], one.connecting)
        budget.add_metric([name], one.budget)
        waiting.add_metric([name], one.waiting)
        breaker.add_metric([name], int(is_resting(one.breaker)))
    yield from (connections, budget, waiting, breaker)


def _counters(meters: Mapping[str, HostMeter]) -> Iterator[Metric]:
    closed = CounterMetricFamily(
        "helix_db_closed", "Connections closed by us.", labels=["host", "reason"]
    )
    kills = CounterMetricFamily(
        "helix_db_kills", "Statements ended on the server.", labels=["host", "result"]
    )
    timeouts = CounterMetricFamily(
        "helix_db_statement_timeouts", "Statements over their time.", labels=["host"]
    )
    unknown = CounterMetricFamily(
        "helix_db_commit_unknown", "Commits whose answer got lost.", labels=["host"]
    )
    for name, meter in meters.items():
        for reason, count in meter.gone.items():
            closed.add_metric([name, reason.value], count)
        for result, count in meter.kills.items():
            kills.add_metric([name, result], count)
        timeouts.add_metric([name], meter.statement_timeouts)
        unknown.add_metric([name], meter.commits_unknown)
    yield from (closed, kills, timeouts, unknown)


def _histogram(what: str, text: str, meters: Mapping[str, HostMeter]) -> Metric:
    family = HistogramMetricFamily(f"helix_db_{what}_seconds", text, labels=["host"])
    for name, meter in meters.items():
        acquire = what == "acquire"
        times = meter.waited if acquire else meter.connected
        family.add_metric(
            [name], _buckets(times, at_once=meter.reused if acquire else 0), times.total_s
        )
    return family


def _buckets(times: Times, *, at_once: int) -> list[tuple[str, float]]:
    """Each with all that are below it, as Prometheus wants them."""
    sum_, buckets = at_once, []
    for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], times.counts, strict=True):
        sum_ += count
        buckets.append((bound, float(sum_)))
    return buckets


def _process(now: Figures) -> Iterator[Metric]:
    yield GaugeMetricFamily("helix_tenants_known", "Registry rows at hand.", value=now.known)
    yield GaugeMetricFamily("helix_tenants_active", "Dealers with a connection.", value=now.active)
    yield GaugeMetricFamily(
        "helix_tenants_resting",
        "Dealers whose own breaker is open.",
        value=sum(is_resting(one.breaker) for one in now.empresas),
    )
    yield GaugeMetricFamily("helix_tenants_stale", "Rows not confirmed lately.", value=now.stale)
    reloads = CounterMetricFamily("helix_tenant_reloads", "Rows read again.", labels=["cause"])
    for cause, count in PROCESS.reloads.items():
        reloads.add_metric([cause], count)
    yield reloads
    yield CounterMetricFamily(
        "helix_tenant_identity_mismatches",
        "Rows that led to another dealer's database: alarm on 1.",
        value=PROCESS.mismatches,
    )


def _waits(now: Figures) -> Metric:
    family = GaugeMetricFamily(
        "helix_tenant_waited_seconds",
        "All that was waited for a dealer's connections so far; the longest, then the rest.",
        labels=["empresa"],
    )
    for one in now.empresas[:_NAMED]:
        family.add_metric([str(one.empresa_id)], one.waited_s)
    family.add_metric(["other"], sum(one.waited_s for one in now.empresas[_NAMED:]))
    return family
