"""Alarms and waits in Prometheus's form, read from Redis at a scrape. Used by `worker.health`.

Of all processes, so each worker says the same. Labels are bounded: of the dealers only those whose
buyers wait longest are named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.asyncio import Redis

from worker.alarm.book import alarms
from worker.alarm.fleet import backlog
from worker.alarm.values import Kind
from worker.alarm.waits import known_waits
from worker.presence import Workers

_NAMED = 20


@dataclass(frozen=True, slots=True)
class _Read:
    alarms: Counter[Kind] = field(default_factory=Counter)
    waits_s: list[tuple[int, str, float]] = field(default_factory=list)
    """Empresa, whom for, seconds: the longest first."""
    workers: int = 0
    backlog: int = 0


class AlarmCollector(Collector):
    """Says what was read last; nothing while nothing is known."""

    def __init__(self) -> None:
        self._last: _Read | None = None

    async def read(self, redis: Redis) -> None:
        """Raises RedisError."""
        seconds, micros = await redis.time()
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        waits = [
            (id_, whom, (now_ms - since_ms) / 1000)
            for id_, wait in (await known_waits(redis)).items()
            for whom, since_ms in (("lucas", wait.lucas_ms), ("person", wait.person_ms))
            if since_ms is not None
        ]
        known = await alarms(redis)
        self._last = _Read(
            Counter(one.kind for one in known.values() if one.opened_ms is not None),
            sorted(waits, key=lambda one: one[2], reverse=True),
            len(await Workers(redis).names()),
            sum((await backlog(redis)).values()),
        )

    def forget(self) -> None:
        """Redis does not answer."""
        self._last = None

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        if self._last is None:
            return
        open_ = GaugeMetricFamily("helix_alarms_open", "Alarms that are open.", labels=["kind"])
        for kind in Kind:
            open_.add_metric([kind.value], self._last.alarms[kind])
        yield open_
        waits = GaugeMetricFamily(
            "helix_buyer_waits_seconds",
            "The longest wait of a dealer's buyers above the limit; the longest dealers.",
            labels=["empresa", "whom"],
        )
        for empresa_id, whom, waited_s in self._last.waits_s[:_NAMED]:
            waits.add_metric([str(empresa_id), whom], waited_s)
        yield waits
        oldest = GaugeMetricFamily(
            "helix_oldest_wait_seconds", "The longest of all dealers.", labels=["whom"]
        )
        for whom in ("lucas", "person"):
            times = [one[2] for one in self._last.waits_s if one[1] == whom]
            oldest.add_metric([whom], max(times, default=0.0))
        yield oldest
        yield GaugeMetricFamily("helix_workers", "Worker processes.", value=self._last.workers)
        yield GaugeMetricFamily(
            "helix_backlog_events", "Events on all inboxes.", value=self._last.backlog
        )
