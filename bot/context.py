"""Says what a turn means in this conversation, where its words alone mislead. Called by `lucas`."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.answers import as_an_answer, with_intent, without_own_car
from bot.bargained import named_price
from bot.called_off import calls_off
from bot.continued import allowed_again, continued
from bot.filters import Filters
from bot.moved import moves
from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.reading.references import Pointing
from bot.reading.text import Text
from bot.rules import coming
from bot.rules.booked import asks_what_is_booked
from bot.rules.details import only_of_store
from bot.rules.focus import names_a_car
from bot.rules.off_topic import (
    asks_for_other_store,
    bad_service,
    insists_on_others,
    is_rude,
)
from bot.shown import about_the_shown
from bot.state import Pending, State
from bot.stock import Stock
from bot.values import Appointment, Dealer
from bot.whereabouts import asks_if_there

_FOLLOW_UP = re.compile(
    r"^(?:(?:e|agora|entao|ai) )+(?:o|a|do|da|no|na|ess[ea]|dess[ea]|del[ea]|el[ea]|aquel[ea])\b|"
    r"^(?:(?:as|os|a|o|e|agora|tambem|quero|manda|mostra|me|ver) )*(?:d[oa]|dess[ea]|daquel[ea])\b|"
    r"^[oa] \w+ (?:agora|tambem)$"
)
_FOLLOW_UP_ANY = re.compile(r"^(?:e|ess[ea]|el[ea]|est[ea]|o|a)\b")
PRICE = re.compile(
    r"\b(?:quanto (?:(?:e )?que )?(?:(?:el[ea]|ess[ea]) )?(?:custa|e|esta|fica|sai)"
    r"(?! (?:rodad\w+|de km|d[ea] volta))|preco|valor|"
    r"por quanto(?! tempo))\b"
)
_PARTING = re.compile(
    r"\bate (?:amanha|hoje|la|mais|logo|breve|sabado|segunda|terca|quarta|quinta|sexta|domingo)\b"
)
_ACK = re.compile(
    r"(?:(?:ok |certo )?(?:aguardo|no aguardo|fico no aguardo)|beleza|bele|certo|ok|okay|ta bom|"
    r"esta bom|entendi|show|tranquilo|joia|perfeito)(?: "
    r"(?:entao|valeu|obrigado))?"
)
_ANY_WILL_DO = re.compile(
    r"(?:tanto faz|qualquer (?:um|uma)|pode ser qualquer (?:um|uma)|indiferente|nao tenho "
    r"preferencia)"
)
_ASKS_HOURS = re.compile(r"\b(?:abr\w+|fech\w+|atend\w+|funciona\w*|aberto|ate que horas)\b")
_COMES_FOR = re.compile(
    r"\b(?:e|seria|vou|quero|queria|so) (?:so )?(?:pra )?(?:ver|testar|andar|conhecer|olhar)\b"
)
_RATHER = re.compile(
    r"\b(?:melhor|mesm[oa] (?:hora|horario)|prefiro|pode ser|passa|muda|troca|da pra ser)\b"
)
"""Beside a hello or thanks: another time for what is booked."""
_ANOTHER = re.compile(r"\b(?:outr[oa]s?|parecid[oa]s?|algo|algum|alguma)\b")
_WANTS_ONE = re.compile(
    r"(?:quero|queria|procuro|busco|tem|tinha|preciso)(?: de)?(?: ver)? (?:um|uma|algum|alguma)\b"
)
"""A wish of its own, also while an appointment is in the making."""
_MAY_MEAN_WHEN = frozenset(
    (
        Intent.UNCLEAR, Intent.SEARCH, Intent.YES, Intent.NO, Intent.THANKS, Intent.GREETING,
        Intent.HOURS, Intent.BYE, Intent.BUY,
    )
)  # fmt: skip


def in_context(
    reading: Reading,
    state: State,
    stock: Stock,
    dealer: Dealer,
    stored: Appointment | None,
    *,
    raw: str,
) -> Reading:
    """The same reading, with the intent and the time that are meant here."""
    if calls_off(reading, state, stored):
        return with_intent(reading, Intent.CANCEL_SCHEDULE, ())
    comes = coming.meant(reading, raw, state, stored)
    if comes is not None:
        return with_intent(reading, comes, ())
    aside = _of_the_store_itself(reading, dealer, state) or _acknowledges(reading, state)
    if aside is not None:
        return aside
    if reading.intent is Intent.UNCLEAR and reading.down_payment and state.focus is not None:
        return with_intent(reading, Intent.FINANCING, ())  # `tenho 20 mil de entrada`
    reading = named_price(reading, state, stock)
    reading = without_own_car(as_an_answer(reading, state), state)
    reading = allowed_again(reading, state)
    if state.offered and _ANY_WILL_DO.fullmatch(reading.text.flat):
        return with_intent(reading, Intent.SEARCH, ())
    if not names_a_car(reading, state, stock):
        reading = continued(reading, state, stock)
    visit = _visit(reading, state, stored, points=names_a_car(reading, state, stock))
    if visit is not None:
        return with_intent(reading, visit, ())
    return _of_the_shown(reading, state, stock, raw)


def _acknowledges(reading: Reading, state: State) -> Reading | None:
    """`beleza`, `ok entendi`: an answer while something is asked for, else thanks."""
    if not _ACK.fullmatch(reading.text.flat) or not state.greeted or reading.text.question:
        return None
    waits = state.pending not in (None, Pending.CAR, Pending.BUDGET, Pending.GEARBOX)
    return reading if waits else with_intent(reading, Intent.THANKS, ())


def _of_the_shown(reading: Reading, state: State, stock: Stock, raw: str) -> Reading:
    """What is meant of cars that he has seen: which of them, is it this, the same of another."""
    shown = about_the_shown(reading, state, stock, raw)
    if shown is not reading:
        return shown
    if _wishes_for_any_having(reading, state) and not names_a_car(reading, state, stock):
        return with_intent(reading, Intent.SEARCH, reading.topics)
    if reading.intent is Intent.SEARCH and _asks_about_one(reading, state, stock):
        return with_intent(reading, Intent.DETAILS, reading.topics)
    last = state.last_intent
    if last in (Intent.DETAILS, Intent.PHOTOS) and _same_of_another(reading, state, stock):
        return with_intent(reading, Intent(last), state.topics)
    return reading


def _of_the_store_itself(reading: Reading, dealer: Dealer, state: State) -> Reading | None:
    """Ill words and other dealers: no wish for a car, whatever a word of it sounds like."""
    flat = reading.text.flat
    if bad_service(flat) and reading.intent is not Intent.OPT_OUT:
        return with_intent(reading, Intent.COMPLAINT, ())
    plain = reading.intent not in (Intent.OPT_OUT, Intent.HUMAN, Intent.COMPLAINT)
    if plain and is_rude(flat):
        return with_intent(replace(reading, filters=Filters()), Intent.OFF_TOPIC, ())
    if asks_for_other_store(flat, dealer) or insists_on_others(reading, state):
        return with_intent(replace(reading, filters=Filters()), Intent.OFF_TOPIC, ())
    if asks_if_there(reading, dealer.endereco):
        return with_intent(replace(reading, filters=Filters()), Intent.LOCATION, ())
    return None


def _visit(
    reading: Reading, state: State, stored: Appointment | None, *, points: bool
) -> Intent | None:
    """The intent that these words have because of an appointment, made or in the making."""
    flat = reading.text.flat
    if stored is None and (state.draft is None or state.draft.told):
        when = reading.when_said
        whole = (when.day is not None or state.draft is not None) and when.time is not None
        return Intent.SCHEDULE if whole and reading.intent is Intent.UNCLEAR else None
    has_one = stored is not None
    if asks_what_is_booked(flat, has_one=has_one) and Intent.CANCEL_SCHEDULE not in reading.intents:
        return Intent.SCHEDULE
    change = Intent.RESCHEDULE if stored is not None else Intent.SCHEDULE
    if reading.intent is Intent.SCHEDULE and stored is not None:
        this = reading.reference is not None and reading.reference.how is Pointing.THIS
        another = this and state.focus not in (None, stored.car_id)
        named = bool(reading.filters.model) or another
        return change if _says_when(reading) and not named else None
    if _COMES_FOR.search(flat) and reading.filters.model and reading.intent is Intent.SEARCH:
        return Intent.SCHEDULE
    agrees = reading.intent is Intent.YES and state.pending is Pending.DATE
    if agrees and state.draft is not None:
        return change
    in_the_making = state.draft is not None and state.draft.idle == 0
    bare = reading.intent in (Intent.SEARCH, Intent.UNCLEAR) and not reading.text.question
    bare = bare and not _WANTS_ONE.match(flat)
    if in_the_making and points and bare and not reading.topics:
        return change  # `o diesel`, after being asked which one
    if reading.filters.model or not reading.filters.empty():
        return None
    moved = stored is not None and moves(reading, stored)
    if not moved and (reading.intent not in _MAY_MEAN_WHEN or not _says_when(reading)):
        return None
    if _PARTING.search(flat) or _ASKS_HOURS.search(flat):
        return None
    asked = state.draft is not None and state.draft.idle == 0
    polite = reading.intent in (Intent.THANKS, Intent.GREETING, Intent.BYE, Intent.BUY)
    return change if asked or moved or not polite or _RATHER.search(flat) else None


def _says_when(reading: Reading) -> bool:
    return reading.when_said.says_something()


def _asks_about_one(reading: Reading, state: State, stock: Stock) -> bool:
    """`é automático?` of the car spoken of is a question; of a list it would be a wish."""
    wish = reading.filters
    if not reading.topics or wish.model or wish.brand or wish.body or wish.price_max:
        return False
    if wish.sort is not None and _ANOTHER.search(reading.text.flat):
        return False  # `tem parecido com menos km?`
    pointed = state.focus is not None or names_a_car(reading, state, stock)
    asks = reading.text.question or _FOLLOW_UP_ANY.match(reading.text.flat)
    return bool(pointed and asks and not PRICE.search(reading.text.flat))


_FOR_ANY = re.compile(
    r"\b(?:quais|(?:algum|alguma|qual|quais|que|um) (?:\w+ )?(?:carros?|modelos?|opcao|opcoes)|"
    r"(?:algum|alguma|um|uma) (?:com|que)|carros? (?:com|que|de))\b"
)
_HAVE_YOU = re.compile(
    r"\b(?:tem|teria|tinha|existe|vende\w*|quero|queria|procur\w+|busco|preciso|precisava|algum|"
    r"alguma)\b"
)
_OF_ONE = frozenset(("estado", "sinistro", "multas", "placa", "itens"))
"""Nobody looks for a car by these: `tem algum problema?`"""


def _wishes_for_any_having(reading: Reading, state: State) -> bool:
    """`tem algum com chave reserva?`: a wish, when no car is spoken of or any is asked for."""
    topics, flat = reading.topics, reading.text.flat
    plain = reading.intent is Intent.DETAILS and not reading.filters.model
    if not plain or not topics or set(topics) & _OF_ONE or only_of_store(topics):
        return False
    if reading.reference is not None and reading.reference.how is Pointing.THIS:
        return False
    if _FOR_ANY.search(flat):
        return True
    return state.focus is None and not state.offered and bool(_HAVE_YOU.search(flat))


def _same_of_another(reading: Reading, state: State, stock: Stock) -> bool:
    """`e o prata?`, `e do kwid tem?`: the question before is asked again of another car."""
    if reading.intent not in (Intent.SEARCH, Intent.UNCLEAR, Intent.DETAILS) or reading.topics:
        return False
    on = bool(_FOLLOW_UP.match(reading.text.flat)) or (
        reading.filters.only_names() and _goes_on_with(reading.text)
    )
    again = on and names_a_car(reading, state, stock)
    return again and not PRICE.search(reading.text.flat)


_CHATTER = re.compile(
    r"^(?:(?:ah+|oh|hum+|hm+|k+|ha(?:ha)*|rs(?:rs)*|af+|nossa|eita|uau|opa|show|top|legal|boa|bom|"
    r"otimo|massa|entendi|certo|ok|beleza|blz|sim|esta|bacana|valeu|obrigado|perfeito|pois e) )+"
)


def _goes_on_with(text: Text) -> bool:
    """`kkk aqui está um forno. e o gol?`: whatever stands before, the end names another car."""
    start = max((i for i, token in enumerate(text.tokens) if token.breaks), default=0)
    end = " ".join(token.text for token in text.tokens[start:])
    said = _CHATTER.sub("", end)
    return bool(_FOLLOW_UP.match(said)) or (text.question and bool(_BARE_NAME.fullmatch(said)))


_BARE_NAME = re.compile(r"[oa] (?!que\b|qual\b)[a-z0-9]+(?: [a-z0-9]+)?")
