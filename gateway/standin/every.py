"""All stand-ins by the gateway that they stand for. Called by the process, the demo and the tests.

A new gateway's stand-in is one more entry of STANDINS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.cloud_api.standin import CloudStandin
from gateway.evolution.standin import EvolutionStandin
from gateway.standin.base import Standin
from gateway.waha.standin import WahaStandin

_ALL: tuple[type[Standin], ...] = (CloudStandin, EvolutionStandin, WahaStandin)

STANDINS: Mapping[str, type[Standin]] = MappingProxyType({each.kind: each for each in _ALL})
"""By `canais.tipo`."""


def stand_in(
    kind: str,
    secrets: Mapping[str, str],
    *,
    channel: str | None = None,
    webhook_url: str | None = None,
    port: int = 0,
    pace: float = 1.0,
) -> Standin:
    """A gateway's stand-in, not yet started; KeyError for a gateway that has none.

    `secrets` are those of its `needs` and `may_have`; without `channel` it has one of its own.
    """
    build: Callable[..., Standin] = STANDINS[kind]
    named = {} if channel is None else {"channel": channel}
    return build(**secrets, **named, webhook_url=webhook_url, port=port, pace=pace)
