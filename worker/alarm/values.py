"""What the watcher finds, and what it tells. Ids and figures only: nothing of a buyer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

Fact = int | float | str


class Kind(StrEnum):
    """What is wrong. A bounded set: a label of metrics, and stable for whoever receives it."""

    BUYER_WAITS = "buyer_waits"
    """A buyer waits for Lucas. Of an empresa."""
    PERSON_WAITS = "person_waits"
    """A buyer who was handed to a person has heard of nobody. Of an empresa."""
    DEAD_LETTERS = "dead_letters"
    """New ones. Of a cause."""
    CHANNEL_SILENT = "channel_silent"
    """Nothing has come for much longer than usual."""
    CHANNEL_STOPPED = "channel_stopped"
    """The gateway refuses its credentials."""
    EMPRESA_DATABASE = "empresa_database"
    """Its database refuses us, or does not answer."""
    DATABASE_SERVER = "database_server"
    """It does not answer."""
    CENTRAL_DATABASE = "central_database"
    """It does not answer."""
    WORKERS = "workers"
    """Too few processes, or none."""
    REDIS_FULL = "redis_full"
    """Its memory."""
    INBOX_FULL = "inbox_full"
    """Of an empresa: above the limit its events are refused."""


FLEET = frozenset({Kind.EMPRESA_DATABASE, Kind.DATABASE_SERVER, Kind.CENTRAL_DATABASE,
                   Kind.WORKERS})  # fmt: skip
"""Kinds that a restart brings about for a moment: they count once they have lasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something is wrong at this moment."""

    kind: Kind
    subject: str
    """Which of its kind: an id of an empresa, channel or cause, a server, or ''."""
    text: str
    """One line for a person."""
    empresa_id: int | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name of its alarm."""
        return f"{self.kind}:{self.subject}"


class Alarm(BaseModel):
    """What has been found and is not over, as it stands in Redis. Times in ms, Redis's clock."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Kind
    subject: str
    text: str
    empresa_id: int | None = None
    facts: dict[str, Fact] = {}
    first_ms: int
    seen_ms: int
    opened_ms: int | None = None
    """None: it has not lasted long enough to be told."""
    told_ms: int = 0


class Event(StrEnum):
    """What a notice says of an alarm."""

    OPENED = "opened"
    STILL = "still"
    OVER = "over"


class Notice(BaseModel):
    """One message to people. The shape is that of the webhook, see docs/operating.md."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The same when it is posted again."""
    event: Event
    kind: Kind
    subject: str
    empresa_id: int | None
    text: str
    facts: dict[str, Fact]
    since_ms: int
    at_ms: int
