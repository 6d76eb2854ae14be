"""Lucas decides what to answer to a turn. Called by `worker` for every turn, and by `evaluate`.

Pure: the same turn, stock and time give the same decision.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.complete import completeness
from bot.filters import Filters
from bot.reading.intents import Intent
from bot.reading.reader import Reading, read
from bot.rules import courtesy, deals
from bot.rules.courtesy import asks_for_other_store
from bot.rules.details import details
from bot.rules.focus import find_target, names_a_car, points
from bot.rules.photos import photos
from bot.rules.search import search
from bot.rules.store import address, hours, store
from bot.rules.talk import Answer, Talk, digest, text
from bot.state import REMEMBERED_BUBBLES, State, dump, load
from bot.stock import Stock, for_sale
from bot.values import Bubble, BubbleKind, Dealer, Decision, Turn
from bot.wording import chosen_car
from schema.events import EventKind

__all__ = ["completeness", "decide"]

_RULES: dict[Intent, Callable[[Talk], Answer]] = {
    **courtesy.RULES,
    **deals.RULES,
    Intent.PHOTOS: photos,
    Intent.DETAILS: details,
    Intent.SEARCH: search,
    Intent.LOCATION: store,
    Intent.HOURS: store,
}
_NEEDS_AVAILABLE = frozenset(
    (
        Intent.DETAILS, Intent.PHOTOS, Intent.NEGOTIATE, Intent.BUY, Intent.SCHEDULE,
        Intent.FINANCING,
    )
)  # fmt: skip
_FOLLOW_UP = re.compile(r"^e (?:o|a|do|da|no|na|ess[ea]|dess[ea]|del[ea]|el[ea]|aquel[ea])\b")
_FOLLOW_UP_ANY = re.compile(r"^(?:e|ess[ea]|el[ea]|est[ea]|o|a)\b")
_PRICE = re.compile(r"\b(?:quanto (?:custa|e|esta|fica|sai)|preco|valor)\b")
_VISITS = (Intent.SCHEDULE, Intent.RESCHEDULE)
_AGAIN = ("Reforçando: ", "Só retomando: ", "Como comentei: ", "Pra confirmar: ", "De novo: ")
_NAME_LIMIT = 30


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
    raw = "\n".join(message.text for message in turn.messages if message.text)
    reading = _in_context(read(raw, stock, this_year=now.year), state, stock, dealer)
    quoted = next((m.quoted_car_id for m in reversed(turn.messages) if m.quoted_car_id), None)
    options = (chosen_car(message.option_id) for message in reversed(turn.messages))
    chosen = next((car for car in map(stock.known, filter(None, options)) if car is not None), None)
    talk = Talk(
        reading=reading,
        stock=stock,
        dealer=dealer,
        now=now,
        state=state,
        pointed=points(reading, state, stock),
        target=find_target(reading, state, stock, quoted) if chosen is None else for_sale(chosen),
        chosen=chosen,
        buyer_name=turn.buyer_name,
    )
    said = raw.strip() or talk.chosen is not None
    answer = _answer(talk) if said else _wordless(turn, talk)
    return _decision(turn, talk, answer)


def _wordless(turn: Turn, talk: Talk) -> Answer:
    """A click on an ad or a lead without words is a hello; anything else cannot be opened here."""
    kinds = {message.kind for message in turn.messages}
    brought = kinds <= {EventKind.REFERRAL_TEXT, EventKind.LEAD}
    return courtesy.greeting(talk) if brought else courtesy.media(talk)


def _silent(turn: Turn, rule: str) -> Decision:
    return Decision(bubbles=(), state=dict(turn.state), status=turn.status, rule=rule)


def _in_context(reading: Reading, state: State, stock: Stock, dealer: Dealer) -> Reading:
    """What a turn means in this conversation, where the words alone mislead."""
    if asks_for_other_store(reading.text.flat, dealer):
        return _with_intent(reading, Intent.OFF_TOPIC, ())
    last = state.last_intent
    if last in _VISITS and reading.intent in (Intent.UNCLEAR, Intent.SEARCH, Intent.HOURS):
        return _with_intent(reading, Intent.SCHEDULE, ()) if _only_when(reading) else reading
    if reading.intent is Intent.SEARCH and _asks_about_one(reading, state, stock):
        return _with_intent(reading, Intent.DETAILS, reading.topics)
    if last in (Intent.DETAILS, Intent.PHOTOS) and _same_of_another(reading, state, stock):
        return _with_intent(reading, Intent(last), state.topics)
    return reading


def _only_when(reading: Reading) -> bool:
    return reading.when and reading.filters.empty()


def _asks_about_one(reading: Reading, state: State, stock: Stock) -> bool:
    """`é automático?` of the car spoken of is a question; of a list it would be a wish."""
    wish = reading.filters
    if not reading.topics or wish.model or wish.brand or wish.body or wish.price_max:
        return False
    pointed = state.focus is not None or names_a_car(reading, state, stock)
    asks = reading.text.question or _FOLLOW_UP_ANY.match(reading.text.flat)
    return bool(pointed and asks and not _PRICE.search(reading.text.flat))


def _same_of_another(reading: Reading, state: State, stock: Stock) -> bool:
    """`e o prata?`, `e do kwid tem?`: the question before is asked again of another car."""
    if reading.intent not in (Intent.SEARCH, Intent.UNCLEAR, Intent.DETAILS) or reading.topics:
        return False
    flat = reading.text.flat
    again = bool(_FOLLOW_UP.match(flat)) and names_a_car(reading, state, stock)
    return again and not _PRICE.search(flat)


def _with_intent(reading: Reading, intent: Intent, topics: tuple[str, ...]) -> Reading:
    others = tuple(other for other in reading.intents if other is not intent)
    return replace(reading, intents=(intent, *others), topics=topics)


def _answer(talk: Talk) -> Answer:
    rule = _RULES[_intent(talk)]
    return _with_asides(talk, rule(talk))


def _intent(talk: Talk) -> Intent:
    """The intent that counts here: a sold car is said first; a bare number is a budget."""
    reading = talk.reading
    named = reading.filters.model or talk.chosen is not None
    if reading.intent in _NEEDS_AVAILABLE and named and talk.target is None:
        return Intent.SEARCH
    if reading.intent is Intent.UNCLEAR and (talk.pointed or talk.chosen is not None):
        return Intent.SEARCH
    if reading.intent is Intent.UNCLEAR and (reading.loose or reading.free or reading.reference):
        useful = talk.state.pending is not None or talk.state.offered
        return Intent.SEARCH if useful else Intent.UNCLEAR
    return reading.intent


def _with_asides(talk: Talk, answer: Answer) -> Answer:
    """General questions tacked on to a search are answered too."""
    if talk.reading.intent not in (Intent.SEARCH, Intent.DETAILS, Intent.PHOTOS):
        return answer
    extras: list[str] = []
    if talk.reading.has(Intent.LOCATION):
        extras.append(address(talk))
    if talk.reading.has(Intent.HOURS):
        extras.append(hours(talk))
    if talk.reading.has(Intent.TRADE_IN):
        extras.append("Sobre a troca: depende da avaliação do seu carro pela equipe da loja.")
    if talk.reading.has(Intent.FINANCING):
        extras.append("Sobre financiamento: as condições saem da análise de crédito do banco.")
    if not extras:
        return answer
    return replace(answer, bubbles=(*answer.bubbles, text("\n".join(extras))))


def _decision(turn: Turn, talk: Talk, answer: Answer) -> Decision:
    bubbles = _fresh(_greeted(talk, answer), talk.state)
    return Decision(
        bubbles=bubbles,
        state=dump(_remembered(talk, answer, bubbles)),
        status=_status(turn.status, answer),
        rule=answer.rule,
        understood=_understood(talk),
        considered=answer.considered,
        handoff=answer.handoff,
    )


def _understood(talk: Talk) -> dict[str, Any]:
    return {
        "intent": talk.reading.intent.value,
        "intents": [intent.value for intent in talk.reading.intents],
        "filters": talk.reading.filters.spoken(),
        "topics": list(talk.reading.topics),
    }


def _greeted(talk: Talk, answer: Answer) -> tuple[Bubble, ...]:
    """The first answer says hello and whose Lucas it is; an opt-out gets no hello."""
    if talk.state.greeted or answer.quiet == "opt_out" or not answer.bubbles:
        return answer.bubbles
    hello = f"{_hello(talk)} Aqui é o Lucas, da {talk.dealer.nome}."
    first, *rest = answer.bubbles
    if first.kind is not BubbleKind.TEXT:
        return (text(hello), *answer.bubbles)
    return (replace(first, text=f"{hello} {first.text}"), *rest)


def _hello(talk: Talk) -> str:
    for hour, greeting in ((5, "Oi, boa noite"), (12, "Oi, bom dia"), (18, "Oi, boa tarde")):
        if talk.now.hour < hour:
            return greeting + _name(talk.buyer_name)
    return "Oi, boa noite" + _name(talk.buyer_name)


def _name(raw: str | None) -> str:
    """A first name that looks like one; WhatsApp names are free text."""
    first = (raw or "").split()[:1]
    plain = bool(first) and first[0].isalpha() and 1 < len(first[0]) <= _NAME_LIMIT
    return f", {first[0].capitalize()}!" if plain else "!"


def _fresh(bubbles: tuple[Bubble, ...], state: State) -> tuple[Bubble, ...]:
    """No text goes out word for word as one of the last ones did."""
    return tuple(_unsaid(bubble, state) for bubble in bubbles)


def _unsaid(bubble: Bubble, state: State) -> Bubble:
    if bubble.kind is not BubbleKind.TEXT or bubble.text is None:
        return bubble
    for prefix in ("", *_AGAIN):
        if digest(prefix + bubble.text) not in state.recent:
            return replace(bubble, text=prefix + bubble.text)
    return bubble


def _remembered(talk: Talk, answer: Answer, bubbles: tuple[Bubble, ...]) -> State:
    state = talk.state
    said = [digest(bubble.text) for bubble in (*answer.bubbles, *bubbles) if bubble.text]
    said += [digest(aside) for aside in answer.aside]
    focus = state.focus if answer.focus is None else answer.focus
    return state.model_copy(
        update={
            "greeted": True,
            "filters": _kept(state.filters, answer.filters),
            "offered": state.offered if answer.offered is None else answer.offered,
            "focus": focus if focus is not None and focus >= 0 else None,
            "topics": state.topics if answer.topics is None else answer.topics,
            "last_intent": talk.reading.intent.value,
            "pending": answer.pending,
            "stuck": 0 if answer.understood else state.stuck + 1,
            "recent": tuple(dict.fromkeys((*said, *state.recent)))[: REMEMBERED_BUBBLES * 2],
            "quiet": answer.quiet,
        }
    )


def _kept(before: Filters, after: Filters | None) -> Filters:
    return before if after is None else after


def _status(before: str, answer: Answer) -> str:
    """`fechado` is a person's word; a running negotiation is not taken back."""
    if answer.quiet == "opt_out":
        return "perdido"
    if before == "fechado":
        return before
    if answer.negotiating:
        return "negociando"
    return before if before == "negociando" else "em_andamento"
