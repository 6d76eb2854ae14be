"""What the delivery counts, in Prometheus's form. Labels are bounded sets. Called by `results`.

`worker.health` serves them and asks Redis for what holds across all processes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from worker.deliver.gate import Cause, Change

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_AGES = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)

_SENDS = Counter("helix_sends_total", "Sends by gateway and outcome.", ["gateway", "outcome"])
_TOOK = Histogram("helix_send_seconds", "One send, any outcome.", ["gateway"], buckets=_SECONDS)
_AGE = Histogram(
    "helix_reply_age_seconds",
    "From Lucas's decision until the reply was sent.",
    ["gateway"],
    buckets=_AGES,
)
_WAITS = Counter("helix_send_waits_total", "Replies that had to wait, by cause.", ["cause"])
_CHANGES = Counter(
    "helix_channel_changes_total",
    "Channels that stopped, resumed, rest or are slowed down.",
    ["gateway", "change"],
)
CHANNELS_STOPPED = Gauge(
    "helix_channels_stopped",
    "Channels whose credentials are refused, in all processes: alarm on 1.",
)


def outcome(gateway: str, what: str) -> None:
    """sent, template, refused, later, unknown, stopped, handed_over."""
    _SENDS.labels(gateway, what).inc()


def waits(cause: Cause) -> None:
    """A reply or its channel waits."""
    _WAITS.labels(cause.value).inc()


def channel(gateway: str, change: Change) -> None:
    """What a send's outcome has changed for the channel."""
    _CHANGES.labels(gateway, change.value).inc()


def age(gateway: str, written_at: datetime | None, sent_at: datetime) -> None:
    """How old a reply was when it went out."""
    if written_at is not None:
        _AGE.labels(gateway).observe(max(0.0, (sent_at - written_at).total_seconds()))


@contextmanager
def timed(gateway: str) -> Iterator[None]:
    """Around one send."""
    begun = time.monotonic()
    try:
        yield
    finally:
        _TOOK.labels(gateway).observe(time.monotonic() - begun)
