"""Lucas decides what to answer to a turn. Called by `worker` for every turn, and by `evaluate`.

Pure: the same turn, stock and time give the same decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.agenda.closed import state_of
from bot.agenda.hours import OpeningHours, opening_hours
from bot.answers import with_intent
from bot.complete import completeness
from bot.context import in_context
from bot.dismissed import turned_down
from bot.filters import Filters
from bot.masking import masked
from bot.memory import finds_nothing, remembered, status_after
from bot.reading.intents import Intent
from bot.reading.reader import Reading, read
from bot.rules import courtesy, visits
from bot.rules.asides import with_asides
from bot.rules.compare import asks_to_compare
from bot.rules.details import details, only_of_store
from bot.rules.documents import documents
from bot.rules.financing import financing
from bot.rules.focus import find_target, points
from bot.rules.nothing_found import still_gone
from bot.rules.photos import photos
from bot.rules.price import buy, negotiate
from bot.rules.search import search
from bot.rules.store import store
from bot.rules.talk import Answer, Talk, drawn, text
from bot.rules.trade import sell_car, trade_in
from bot.state import Pending, State, dump, load
from bot.stock import Stock, for_sale
from bot.summary import summary
from bot.values import Dealer, Decision, Incoming, Turn
from bot.voice import spoken
from bot.wording import chosen_car
from schema.events import EventKind

__all__ = ["completeness", "decide", "hours_of"]

_RULES: dict[Intent, Callable[[Talk], Answer]] = {
    **courtesy.RULES,
    **visits.RULES,
    Intent.PHOTOS: photos,
    Intent.DETAILS: details,
    Intent.SEARCH: search,
    Intent.FINANCING: financing,
    Intent.TRADE_IN: trade_in,
    Intent.SELL_CAR: sell_car,
    Intent.NEGOTIATE: negotiate,
    Intent.BUY: buy,
    Intent.LOCATION: store,
    Intent.HOURS: store,
}
_NEEDS_ONE = frozenset((Intent.DETAILS, Intent.PHOTOS, Intent.NEGOTIATE, Intent.BUY))
"""Of a model that fits several cars, these first ask which."""
_NEEDS_ANY = frozenset((Intent.SCHEDULE, Intent.FINANCING))
"""These go on although it is not clear which car of a model is meant, if there is one."""
DRY_LIMIT = 2
_ASKS = {
    Pending.DATE: "date", Pending.TIME: "time", Pending.BUDGET: "budget", Pending.CAR: "car",
    Pending.OWN_CAR: "car",
}  # fmt: skip


def decide(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """What Lucas makes of everything the buyer wrote since his last answer.

    `now` is the dealer's local time. Several messages are answered as one. Never raises for any
    text or state.
    """
    state = load(turn.state)
    if state.quiet is not None:
        return _silent(turn, f"quiet.{state.quiet}")
    if not turn.messages:
        return _silent(turn, "quiet.nothing_new")
    raw = "\n".join(_texts(turn.messages, dealer))
    talk = _talk(turn, raw, state, stock, dealer, now)
    if raw.strip() or talk.chosen is not None:
        main = _intent(talk)
        if main is Intent.SEARCH and talk.reading.intent is Intent.UNCLEAR:
            searched = with_intent(talk.reading, Intent.SEARCH, talk.reading.topics)
            talk = replace(talk, reading=searched)
        own = documents(talk, main) or still_gone(talk, main)
        answer = with_asides(talk, own or _RULES[main](talk), main, raw)
        answer = _person_offered(talk, answer)
    else:
        answer = _wordless(turn, talk)
    return _decision(turn, talk, answer)


def _texts(messages: Sequence[Incoming], dealer: Dealer) -> Iterator[str]:
    """What can be read; a transcript only where the dealer lets Lucas answer voice messages."""
    for message in messages:
        heard = message.kind is not EventKind.AUDIO or dealer.profile.audio
        if message.text and heard:
            yield message.text


def hours_of(dealer: Dealer) -> OpeningHours | None:
    """A dealer's opening hours with his holidays; None where his words cannot be understood."""
    closed = dealer.profile.closed_days(state_of(dealer.endereco))
    return opening_hours(dealer.horario, closed)


def _person_offered(talk: Talk, answer: Answer) -> Answer:
    """Every two turns in a row that found nothing a seller is offered; a yes then means him."""
    ready = finds_nothing(answer) and talk.state.dry % DRY_LIMIT == DRY_LIMIT - 1
    if not ready or answer.handoff or answer.rule == "unclear.offer":
        return answer
    offer = talk.say(
        "Se preferir, chamo um vendedor para procurar com você. Quer?",
        "Quer que eu peça para um vendedor te ajudar a encontrar?",
    )
    return replace(answer, bubbles=(*answer.bubbles, text(offer)), pending=Pending.PERSON)


def _talk(turn: Turn, raw: str, state: State, stock: Stock, dealer: Dealer, now: datetime) -> Talk:
    if not state.greeted and not state.seed:
        state = state.model_copy(update={"seed": drawn(raw, now)})
    raw = masked(raw)  # nothing beyond this line sees a document, a card or a plate
    aside = turned_down(raw, state, stock, this_year=now.year)
    state = state if aside is None else aside.state
    reading = read(raw if aside is None else aside.words, stock, this_year=now.year)
    if aside is not None and aside.anew:
        reading = with_intent(reading, Intent.SEARCH, reading.topics)
        exclude = aside.exclude.without(reading.filters).joined(reading.filters.exclude)
        wish = reading.filters.model_copy(update={"exclude": exclude})
        reading = replace(reading, filters=wish)
    reading = in_context(reading, state, stock, dealer, turn.appointment, raw=raw)
    quoted = next((m.quoted_car_id for m in reversed(turn.messages) if m.quoted_car_id), None)
    options = (chosen_car(message.option_id) for message in reversed(turn.messages))
    chosen = next((car for car in map(stock.known, filter(None, options)) if car is not None), None)
    return Talk(
        reading=reading,
        raw=raw,
        stock=stock,
        dealer=dealer,
        now=now,
        state=state,
        pointed=points(reading, state, stock),
        target=find_target(reading, state, stock, quoted) if chosen is None else for_sale(chosen),
        chosen=chosen,
        buyer_name=turn.buyer_name,
        hours=hours_of(dealer),
        appointment=turn.appointment,
        taken=turn.taken,
    )


def _wordless(turn: Turn, talk: Talk) -> Answer:
    """A click on an ad or a lead without words is a hello; anything else cannot be opened here."""
    kinds = {message.kind for message in turn.messages}
    brought = kinds <= {EventKind.REFERRAL_TEXT, EventKind.LEAD}
    return courtesy.greeting(talk) if brought else courtesy.media(talk)


def _silent(turn: Turn, rule: str) -> Decision:
    return Decision(bubbles=(), state=dict(turn.state), status=turn.status, rule=rule)


def _intent(talk: Talk) -> Intent:
    """The intent that counts here: a sold car is said first; a bare number is a budget."""
    reading = talk.reading
    named = reading.filters.model or talk.chosen is not None
    if named and talk.target is None and (talk.chosen is not None or _must_choose(talk)):
        return Intent.SEARCH
    of_a_car = reading.intent is Intent.DETAILS and not only_of_store(reading.topics)
    if of_a_car and talk.target is None and talk.state.offered:
        return Intent.SEARCH  # `tem com GNV?` of a list: which of them has it
    unclear = reading.intent is Intent.UNCLEAR
    if unclear and courtesy.brings_along(reading.text.flat):
        return Intent.UNCLEAR
    if unclear and (talk.pointed or talk.chosen is not None or asks_to_compare(reading.text.flat)):
        return Intent.SEARCH
    if reading.intent is Intent.UNCLEAR and (reading.loose or reading.free or reading.reference):
        useful = talk.state.pending is not None or talk.state.offered
        return Intent.SEARCH if useful else Intent.UNCLEAR
    return reading.intent


def _must_choose(talk: Talk) -> bool:
    if talk.reading.intent is Intent.SCHEDULE and talk.appointment is not None:
        return not talk.reading.when_said.says_something()
    if talk.reading.intent in _NEEDS_ONE:
        return True
    named = Filters(model=talk.reading.filters.model)
    return talk.reading.intent in _NEEDS_ANY and not talk.stock.matching(named)


def _decision(turn: Turn, talk: Talk, answer: Answer) -> Decision:
    bubbles = spoken(talk, answer)
    after = remembered(talk, answer, bubbles)
    return Decision(
        bubbles=bubbles,
        state=dump(after),
        status=status_after(turn.status, answer),
        rule=answer.rule,
        understood=_understood(talk.reading),
        considered=answer.considered,
        fell_out=answer.fell_out,
        handoff=answer.handoff,
        summary=summary(talk, answer, after) if _tells_sellers(answer) else None,
        agenda=answer.agenda,
        opt_out=answer.opt_out,
        asks=None if answer.pending is None else _ASKS.get(answer.pending),
    )


def _tells_sellers(answer: Answer) -> bool:
    """True when there is news for a seller: a call, the agenda, a deal, something to check."""
    return bool(
        answer.handoff or answer.agenda or answer.deal or answer.negotiating or answer.to_check
    )


def _understood(reading: Reading) -> dict[str, Any]:
    """What was read, as it is stored: values that Lucas knows, never the buyer's own words."""
    when = reading.when_said
    return {
        "intent": reading.intent.value,
        "intents": [intent.value for intent in reading.intents],
        "filters": reading.filters.spoken(),
        "topics": list(reading.topics),
        "pointer": None if reading.reference is None else reading.reference.how.value,
        "likes": [model.spoken() for model in reading.likes],
        "offers": list(reading.offers),
        "when": repr(when) if when.says_something() else None,
    }
