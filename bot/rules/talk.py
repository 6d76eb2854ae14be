"""What a rule is given and what it gives back. Used by every module of `rules`, made by `lucas`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b

from bot.agenda.hours import OpeningHours
from bot.filters import Filters
from bot.reading.reader import Reading
from bot.state import Deal, Draft, Pending, State
from bot.stock import Listing, Stock
from bot.values import AgendaChange, Appointment, Bubble, Dealer, Fact, OptOut
from bot.wording import car_option, fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One turn, read: all that a rule may look at."""

    reading: Reading
    stock: Stock
    dealer: Dealer
    now: datetime
    """The dealer's local time."""
    state: State
    target: Listing | None
    """The car for sale that the turn is about, if that is clear."""
    chosen: Listing | None = None
    """The car that was chosen among the options that we gave; it may be sold by now."""
    pointed: bool = False
    """The turn points at a car shown before, by its place, price or looks."""
    raw: str = ""
    """The buyer's words as he wrote them, without documents; for names."""
    buyer_name: str | None = None
    hours: OpeningHours | None = None
    """None where the dealer's words cannot be understood: then nobody is promised a time."""
    appointment: Appointment | None = None
    taken: frozenset[datetime] = frozenset()

    def say(self, *variants: str) -> str:
        """A wording that was not used lately; with which one a talk begins is the talk's own."""
        first = self.state.seed % len(variants)
        turned = (*variants[first:], *variants[:first])
        fresh = (variant for variant in turned if digest(variant) not in self.state.recent)
        return next(fresh, turned[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a rule decided. Fields that stay None leave the memory as it was."""

    rule: str
    bubbles: tuple[Bubble, ...]
    considered: tuple[int, ...] = ()
    offered: tuple[int, ...] | None = None
    focus: int | None = None
    filters: Filters | None = None
    pending: Pending | None = None
    topics: tuple[str, ...] | None = None
    draft: Draft | None = None
    """The appointment that still lacks something; None ends what was in the making."""
    deal: Deal | None = None
    agenda: AgendaChange | None = None
    opt_out: OptOut | None = None
    to_check: str | None = None
    """What was promised to be checked, in words for the seller."""
    handoff: str | None = None
    negotiating: bool = False
    quiet: str | None = None
    refused: bool = False
    """Something of other people was asked for."""
    understood: bool = True
    fell_out: dict[str, int] = field(default_factory=dict)
    """How many cars for sale each wish ruled out."""
    aside: tuple[str, ...] = field(default=())
    """Wordings whose digests are remembered besides the bubbles."""


def drawn(first_words: str, now: datetime) -> int:
    """The seed of a talk that begins with these words at this time: always the same for both."""
    told = blake2b(f"{now.isoformat()} {first_words}".encode(), digest_size=4).digest()
    return int.from_bytes(told) or 1


def digest(text: str) -> str:
    """A short key of a wording, for the memory of what was said."""
    return blake2b(text.encode(), digest_size=6).hexdigest()


def text(body: str, cars: Sequence[Listing] = (), *, priced: bool = True) -> Bubble:
    """A text bubble that states facts about these cars."""
    facts: tuple[Fact, ...] = tuple(fact(item, priced=priced) for item in cars)
    return Bubble(text=body, facts=facts)


def offer(body: str, cars: Sequence[Listing]) -> Bubble:
    """A text that shows these cars in this order; of several, each can be chosen by its number."""
    told = text(body, cars)
    return replace(told, options=tuple(map(car_option, cars))) if len(cars) > 1 else told
