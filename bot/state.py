"""What Lucas remembers of a conversation. Stored by `worker` as JSON, read by `lucas`.

Tolerant: what another release wrote and this one cannot read is forgotten, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.filters import Filters

VERSION = 1
REMEMBERED_BUBBLES = 30
"""How many of his last bubbles Lucas knows, so as not to repeat himself word for word."""


class Pending(StrEnum):
    """What Lucas has asked or offered, so that a bare yes or a bare number has a meaning."""

    BUDGET = "budget"
    GEARBOX = "gearbox"
    CAR = "car"
    PHOTOS = "photos"
    PERSON = "person"
    OWN_CAR = "own_car"
    DATE = "date"
    TIME = "time"
    CHEAPER = "cheaper"
    DOWN_PAYMENT = "down_payment"
    COMING = "coming"
    """A reminder asked whether he comes."""
    MOVE_OR_CANCEL = "move_or_cancel"


class Draft(BaseModel):
    """An appointment that still lacks something: what was said so far carries over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = "visita"
    day: date | None = None
    at: time | None = None
    car: int | None = None
    moving: bool = False
    """It moves the stored appointment."""
    next_week: bool = False
    """It shall be in the week after this one, whatever day."""
    offered: date | None = None
    """The one day that Lucas proposed: a yes means it."""
    told: bool = False
    """Nothing is in the making: only the hours of this day were asked for."""
    idle: int = 0
    """Turns since that were about something else."""


class Deal(BaseModel):
    """What was collected for a seller: the trade-in and the financing, in the buyer's words."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    own_car: str | None = None
    own_km: str | None = None
    down_payment: str | None = None
    months: str | None = None
    offer: int | None = None


class State(BaseModel):
    """The memory of one conversation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = VERSION
    seed: int = Field(0, ge=0)
    """Of this talk: where Lucas begins among wordings that say the same. 0: none drawn yet."""
    greeted: bool = False
    filters: Filters = Filters()
    broader: Filters = Filters()
    """The wish before a model was named that is one of its cars: `esse não` goes back to it."""
    offered: tuple[int, ...] = Field((), max_length=50)
    """Ids of the cars last shown, in the order shown."""
    focus: int | None = None
    """Id of the car that is spoken of."""
    topics: tuple[str, ...] = ()
    """What was last asked about a car, for `e o prata?`."""
    last_intent: str | None = None
    refused: bool = False
    """He was just told that nothing is said of other people."""
    pending: Pending | None = None
    stuck: int = Field(0, ge=0)
    """Turns in a row that Lucas did not understand."""
    dry: int = Field(0, ge=0)
    """Turns in a row that found nothing for him, understood or not."""
    recent: tuple[str, ...] = ()
    """Digests of the last bubbles."""
    name: str | None = Field(None, max_length=40)
    """How the buyer says that he is called."""
    draft: Draft | None = None
    deal: Deal = Deal()
    to_check: tuple[str, ...] = Field((), max_length=5)
    """What Lucas said that the team will check, for the seller's summary."""
    seen: tuple[int, ...] = Field((), max_length=50)
    """Ids of the cars that were shown or spoken of, the last first: for the seller's summary."""
    quiet: str | None = None
    """Why Lucas is silent (human, complaint, opt_out) until a person gives the talk back."""


def load(raw: Mapping[str, Any]) -> State:
    """Read a stored state; fields that do not fit are left at their start values."""
    try:
        return State.model_validate(dict(raw))
    except ValidationError as error:
        bad = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
    return State.model_validate({key: value for key, value in raw.items() if key not in bad})


def dump(state: State) -> dict[str, Any]:
    """The state as JSON-ready dict, in this release's version."""
    return state.model_copy(update={"version": VERSION}).model_dump(mode="json")


def resumed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The state after a person gave the conversation back: Lucas may speak again."""
    return dump(load(raw).model_copy(update={"quiet": None, "stuck": 0, "pending": None}))
