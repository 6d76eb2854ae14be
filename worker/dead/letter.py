"""A dead letter as a value. Made from stream entries by `worker.dead.find`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from worker.queue.causes import cause_in
from worker.queue.keys import UNKNOWN_CHANNEL, UNREADABLE, dead_letters
from worker.queue.lease import StreamEntry


class Kind(StrEnum):
    """What failed."""

    EVENT = "event"
    TURN = "turn"
    REPLY = "reply"
    LATE = "late"
    """A turn or reply that came too late: a person must write."""
    UNKNOWN_CHANNEL = "unknown-channel"
    UNREADABLE = "unreadable"
    OTHER = "other"
    """Something that this release does not know."""


@dataclass(frozen=True, slots=True)
class Source:
    """One stream of dead letters."""

    name: str
    """The empresa's id, `unknown` or `unreadable`: the first part of a letter's id."""
    stream: str
    empresa_id: int | None = None


UNKNOWN = Source("unknown", UNKNOWN_CHANNEL)
BODIES = Source("unreadable", UNREADABLE)
_SHARED = {source.name: source for source in (UNKNOWN, BODIES)}


def of_empresa(empresa_id: int) -> Source:
    """The stream of a dealer."""
    return Source(str(empresa_id), dead_letters(empresa_id), empresa_id)


@dataclass(frozen=True, slots=True)
class LetterId:
    """`42:1795400000000-0`: where it lies, and its id there."""

    source: Source
    stream_id: str

    def __str__(self) -> str:
        return f"{self.source.name}:{self.stream_id}"

    @classmethod
    def read(cls, text: str) -> LetterId:
        """Raises ValueError when it is no id of a dead letter."""
        name, _, stream_id = text.partition(":")
        ms, _, seq = stream_id.partition("-")
        digits = (ms, seq)
        if not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in digits):
            raise ValueError(
                f"{text!r} is no id of a dead letter; `helix dead list --each` has them"
            )
        if name in _SHARED:
            return cls(_SHARED[name], stream_id)
        if not (name.isascii() and name.isdigit() and len(name) <= 18 and int(name) > 0):
            raise ValueError(f"{name!r} is no empresa, {UNKNOWN.name} or {BODIES.name}")
        return cls(of_empresa(int(name)), stream_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What failed, with its cause. Holds personal data in `event`, `body` and `error`."""

    id: LetterId
    kind: Kind
    cause: str
    error: str = field(repr=False)
    event: bytes | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    conversation_id: int | None = None
    turn: int | None = None
    """Its number in the conversation; letters of earlier releases do not say."""
    mensagem_id: int | None = None
    tries: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    """When each failed (ms) and of what; none where one was enough."""
    origin: str | None = None
    """Of an event: the id that an inbox gave it first."""
    canal_id: int | None = None
    """The channel that it came in by, where it is not a dealer's."""

    @property
    def at_ms(self) -> int:
        """When it was given up, by Redis's clock."""
        return int(self.id.stream_id.partition("-")[0])

    @property
    def empresa_id(self) -> int | None:
        """None where no dealer is known."""
        return self.id.source.empresa_id

    @property
    def group(self) -> str:
        """Short name of all letters of this kind and cause."""
        return group_of(self.kind, self.cause)


def group_of(kind: str, cause: str) -> str:
    """Short name of a kind and cause: what `--cause` takes."""
    return hashlib.sha256(f"{kind}\0{cause}".encode()).hexdigest()[:8]


def read_letter(source: Source, entry: StreamEntry) -> Letter:
    """A stream entry as a value; never raises, whoever wrote it."""
    entry_id, fields = entry
    text = {name: _text(fields, name) for name in (b"kind", b"cause", b"error", b"channel")}
    kind = _kind(source, text[b"kind"])
    error = text[b"error"]
    if kind is Kind.UNKNOWN_CHANNEL:
        error = f"nobody has channel {text[b'channel']!r} of gateway {_text(fields, b'gateway')!r}"
    return Letter(
        id=LetterId(source, entry_id.decode()),
        kind=kind,
        cause=text[b"cause"] or cause_in(error),
        error=error,
        event=fields.get(b"event"),
        body=fields.get(b"body"),
        conversation_id=_number(fields, b"conversation_id"),
        turn=_number(fields, b"turn"),
        mensagem_id=_number(fields, b"mensagem_id"),
        origin=_text(fields, b"id") or None,
        canal_id=_number(fields, b"canal_id"),
        tries=_tries(fields.get(b"tries", b"[]")),
    )


def _tries(raw: bytes) -> tuple[tuple[int, str], ...]:
    try:
        return tuple((int(one["at"]), str(one["error"])) for one in orjson.loads(raw))
    except (ValueError, TypeError, KeyError):
        return ()


def _kind(source: Source, text: str) -> Kind:
    if source is UNKNOWN:
        return Kind.UNKNOWN_CHANNEL
    if source is BODIES:
        return Kind.UNREADABLE
    known = (Kind.EVENT, Kind.TURN, Kind.REPLY, Kind.LATE)
    return Kind(text) if text in known else Kind.OTHER


def _text(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode(errors="replace")


def _number(fields: Mapping[bytes, bytes], name: bytes) -> int | None:
    raw = fields.get(name, b"")
    return int(raw) if raw.isdigit() and len(raw) <= 18 else None
