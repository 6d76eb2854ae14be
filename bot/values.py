"""What goes into a decision of Lucas and what comes out. Built and stored by `worker`.

All values are frozen; the state is plain JSON with a version, so that it survives restarts and
releases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bot.profile import Profile
from schema.events import EventKind
from schema.replies import Location, Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """A row of `cars` with its photos in order. Only cars for sale are handed to Lucas to offer."""

    id: int
    marca: str
    modelo: str
    ano: int | None
    ano_modelo: int | None
    preco: Decimal
    km: int | None
    cor: str | None
    combustivel: str | None
    cambio: str | None
    descricao: str | None
    status: str = "available"
    fotos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """What Lucas may say about the store itself."""

    nome: str
    endereco: str | None = None
    telefone: str | None = None
    horario: str | None = None
    profile: Profile = field(default_factory=Profile)


class VisitKind(StrEnum):
    """The values of `agendamentos.tipo`, spelled as the column spells them."""

    TEST_DRIVE = "test_drive"
    VISITA = "visita"
    ENTREGA = "entrega"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An active row of `agendamentos`, or one that is to become one."""

    kind: VisitKind
    at: datetime
    """In the dealer's zone, which is how `data_agendada` is stored."""
    car_id: int | None = None
    id: int | None = None
    """None until it is stored."""
    confirmed: bool = field(default=False, compare=False)
    """Whether the buyer or a person of the shop has confirmed it."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"appointment needs a time zone: {self.at!r}")


class AgendaAction(StrEnum):
    """What is done to the one active appointment of a buyer."""

    BOOK = "book"
    MOVE = "move"
    """The stored row gets the new time, kind and car: never two active."""
    CANCEL = "cancel"
    CONFIRM = "confirm"
    """The buyer says that he comes; day, time and car stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaChange:
    """What a turn changes in the agenda; committed with the turn or not at all."""

    action: AgendaAction
    appointment: Appointment
    """As it shall be; with CANCEL and CONFIRM, the stored one."""


class OptOut(StrEnum):
    """How much the buyer wants to hear no more."""

    NOTICES = "avisos"
    """Nothing that he did not ask for: no reminders, no offers. Answers go on."""
    ALL = "tudo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What brought a buyer here: the ad that he clicked on, or a portal where he left his name."""

    source: str | None = None
    """The portal, for people."""
    car_ref: str | None = None
    """The car that he asked for there, as the portal names it."""
    source_id: str | None = None
    """The ad's id at Meta."""
    headline: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message of the buyer that this turn has to answer, oldest first in the turn."""

    kind: EventKind
    text: str | None
    quoted_car_id: int | None = None
    """The car that a quoted message of ours was about, when the buyer answers to one."""
    option_id: str | None = None
    """The option of ours that he chose (`Option.id`)."""
    """The car that a quoted message of ours was about, or that a lead asks for."""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Everything the buyer has written since Lucas's last answer."""

    messages: tuple[Incoming, ...]
    state: dict[str, Any]
    """`conversations.estado` as Lucas left it; {} for a first contact."""
    status: str = "novo"
    """`conversations.status` before the turn."""
    buyer_name: str | None = None
    appointment: Appointment | None = None
    """The buyer's one active appointment."""
    taken: frozenset[datetime] = frozenset()
    """Times at which the store can take no further buyer, in the dealer's zone."""


class BubbleKind(StrEnum):
    """What a bubble is made of; the same words as `ReplyKind`."""

    TEXT = "text"
    IMAGE = "image"
    DOCUMENT = "document"
    LOCATION = "location"
    BUTTONS = "buttons"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A statement about a car that must still be true when the bubble is sent."""

    car_id: int
    preco: Decimal | None = None
    status: str = "available"
    ano: int | None = None
    ano_modelo: int | None = None
    km: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One outbound message: a text, a photo or document with an optional caption, a place, or a
    text with something to tap."""

    kind: BubbleKind = BubbleKind.TEXT
    text: str | None = None
    media_url: str | None = None
    facts: tuple[Fact, ...] = ()
    options: tuple[Option, ...] = ()
    """What can be tapped. On a plain text: what it offers, so that a bare number or title that
    answers it is known to mean one of these."""
    button: str | None = None
    """What opens a list."""
    file_name: str | None = None
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What Lucas makes of a turn. No bubbles: he keeps quiet, and `rule` says why."""

    bubbles: tuple[Bubble, ...]
    state: dict[str, Any]
    status: str
    """`conversations.status` after the turn."""
    rule: str
    """The name of the rule that spoke, e.g. `search.found`."""
    understood: dict[str, Any] = field(default_factory=dict)
    """Intents and filters as read, JSON-ready: the why of an answer."""
    considered: tuple[int, ...] = ()
    """Ids of the cars that were looked at and matched, best first."""
    handoff: str | None = None
    """Why a person is called in; None: no one is."""
    summary: str | None = None
    """Five lines in Portuguese for the seller; with a hand-over, an appointment, news of a deal."""
    agenda: AgendaChange | None = None
    opt_out: OptOut | None = None
    asks: str | None = None
    """The slot that the reply asks for: date, time, car, budget, person, ... or none."""
    fell_out: dict[str, int] = field(default_factory=dict)
    """How many cars for sale each wish ruled out, e.g. {"price_max": 12, "body": 3}."""


class Completeness(StrEnum):
    """How finished a message looks: it decides how long Lucas waits for more."""

    COMPLETE = "complete"
    FRAGMENT = "fragment"
    GREETING = "greeting"
