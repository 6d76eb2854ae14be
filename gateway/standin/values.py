"""What a stand-in keeps and what can be made to go wrong. Called by the stand-ins and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message of ours that reached the buyer's phone."""

    to: str
    """The address exactly as we gave it."""
    kind: str
    text: str | None
    media: str | None
    id: str
    at: float
    """Unix seconds."""
    quoted_id: str | None = None
    our_ref: str | None = None
    content: Mapping[str, object] = field(default_factory=dict)
    """The object as we sent it: options, place, file name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One attempt to hand a webhook body to us; status 0: no answer came."""

    body: Mapping[str, object]
    attempt: int
    status: int
    begun_at: float
    answered_at: float
    """Unix seconds, both; when no answer came, when we stopped waiting for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error answer; the message goes nowhere."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The message reaches the phone and the connection breaks before we hear of it."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """The connection breaks before the message is read: it goes nowhere."""


@dataclass(frozen=True, slots=True)
class Hang:
    """The message goes nowhere and no answer ever comes."""


Fault = Refusal | LostAnswer | CutOff | Hang
