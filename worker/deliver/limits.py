"""How fast a number may send, and what it sends outside the 24-hour window. Called by `sender`.

The defaults follow from what the gateway is like; `canais.limites` changes single values, as JSON:
{"per_second": 20} for a coexistence number. Pure: the state is Redis's, see `worker.deliver.gate`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.traits import Traits
from schema.channels import Channel
from schema.errors import NotConfigured
from schema.replies import Template

_BURST_SHARE = 8
_JITTER = 0.2


class Limits(BaseModel):
    """Keys of `canais.limites`. A limit that is None is not kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    per_second: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Messages of the whole number in any one second."""
    pair_every_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    """One message to the same buyer in this time ..."""
    pair_burst: Annotated[int, Field(ge=1, le=1000)] = 45
    """... but so many at once, borrowed from the time after."""
    gap_s: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(le=600)]] | None = None
    """Between two messages of the number, whoever gets them: at least, at most."""
    typing_per_s: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Characters that a person would type in a second."""
    typing_longest_s: Annotated[float, Field(ge=0, le=25)] = 5.0
    """WhatsApp shows `typing` for 25 s at most."""
    new_contacts_per_min: Annotated[float, Field(gt=0, le=1000)] | None = None
    """First answers to buyers whom the number has never written to."""
    window_template: Template | None = None
    """An approved template without parameters; what goes out when the 24-hour window is shut."""
    reminder_template: Template | None = None
    """The same for a reminder of an appointment; {{1}} is what for, {{2}} the day, {{3}} the time.
    None: a reminder is like any reply."""


OFFICIAL: Mapping[str, object] = {"per_second": 80.0, "pair_every_s": 6.0}
"""Meta's own: Cloud API, "Throughput" and "Pair rate limits"."""
AS_A_PERSON: Mapping[str, object] = {
    "gap_s": (1.0, 3.0),
    "typing_per_s": 40.0,
    "new_contacts_per_min": 10.0,
}
"""An unofficial client that sends faster than people do is banned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one reply asks of the gate, in milliseconds. 0: no limit of this kind."""

    every_ms: float
    at_once: float
    pair_every_ms: float
    pair_at_once: float
    new_every_ms: float
    new_at_once: float
    typing_ms: float


def limits_of(channel: Channel, traits: Traits) -> Limits:
    """The defaults with what the channel changes. Raises NotConfigured."""
    defaults = AS_A_PERSON if traits.paced else OFFICIAL
    try:
        return Limits.model_validate({**defaults, **channel.limits})
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, where["loc"]))
        raise NotConfigured(
            channel.empresa_id, f"canais.limites of channel {channel.id}: {name}: {where['msg']}"
        ) from None


def pace_of(limits: Limits, *, reply_id: int, length: int, is_first: bool) -> Pace:
    """For one reply: `length` of its text, `is_first` to this buyer.

    People are not regular, so gaps and typing vary; the same reply always gets the same.
    """
    every_ms, at_once = _throughput(limits, _share(reply_id, "gap"))
    new = limits.new_contacts_per_min if is_first else None
    return Pace(
        every_ms=every_ms,
        at_once=at_once,
        pair_every_ms=1000 * (limits.pair_every_s or 0),
        pair_at_once=limits.pair_burst,
        new_every_ms=60_000 / new if new else 0,
        new_at_once=new or 0,
        typing_ms=_typing_ms(limits, length, _share(reply_id, "typing")),
    )


def _throughput(limits: Limits, share: float) -> tuple[float, float]:
    """Interval and burst. Both together never exceed `per_second` in any one second."""
    every_ms, at_once = 0.0, 1.0
    if limits.per_second:
        at_once = max(1.0, limits.per_second // _BURST_SHARE)
        # A burst at the start of a second, then the even pace until its end.
        every_ms = 1000 / (limits.per_second - at_once + 1)
    if limits.gap_s:
        least_s, most_s = limits.gap_s
        every_ms = max(every_ms, 1000 * (least_s + (most_s - least_s) * share))
        at_once = 1.0
    return every_ms, at_once


def _typing_ms(limits: Limits, length: int, share: float) -> float:
    if limits.typing_per_s is None:
        return 0
    typed_s = length / limits.typing_per_s * (1 - _JITTER + 2 * _JITTER * share)
    return 1000 * min(limits.typing_longest_s, typed_s)


def _share(reply_id: int, what: str) -> float:
    """From 0 up to 1, spread evenly over ids."""
    digest = hashlib.blake2b(f"{what}:{reply_id}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32
