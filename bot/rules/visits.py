"""Books, moves and cancels visits, test drives and deliveries. Called by `lucas`.

What can be booked is said by `agenda.slots`. A dealer without readable hours, or who switched
visits off, has them agreed by a seller.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from bot.agenda.hours import OpeningHours
from bot.agenda.slots import STEP, Asks, Outcome, Slot, settle
from bot.reading.intents import Intent
from bot.reading.shifts import soon
from bot.reading.when import DayWish, TimeWish, When
from bot.rules import visits_by_person
from bot.rules.booked import asks_what_is_booked
from bot.rules.talk import Answer, Talk, text
from bot.rules.visit_words import WORDS, about, confirmation, kind_said, question, trouble, which
from bot.state import Draft, Pending
from bot.stock import Listing
from bot.values import AgendaAction, AgendaChange, Appointment, VisitKind
from bot.wording_time import moment

MOST_NAMED = 4


def book_hours(talk: Talk) -> OpeningHours | None:
    """The hours within which Lucas may book; None: a seller agrees on the time."""
    return talk.hours if talk.dealer.profile.visitas else None


def schedule(talk: Talk) -> Answer:
    """A new appointment, or the next step towards one."""
    hours = book_hours(talk)
    if hours is None:
        return visits_by_person.schedule(talk)
    has_one = talk.appointment is not None
    if asks_what_is_booked(talk.reading.text.flat, has_one=has_one):
        return recall(talk)
    return _settled(talk, hours)


def reschedule(talk: Talk) -> Answer:
    """Another time for the stored appointment; without one, a new one is made."""
    hours = book_hours(talk)
    return visits_by_person.reschedule(talk) if hours is None else _settled(talk, hours)


def cancel(talk: Talk) -> Answer:
    """Takes the appointment out of the book, or drops one in the making."""
    if book_hours(talk) is None:
        return visits_by_person.cancel(talk)
    stored = talk.appointment
    if stored is None:
        body = talk.say(
            "Sem problema, não deixei nada marcado. Quando quiser vir, é só me chamar.",
            "Tudo bem! Não há nenhum horário marcado no seu nome. Se quiser marcar, me avise.",
        )
        return Answer(rule="visit.nothing_to_cancel", bubbles=(text(body),))
    what, ending = WORDS[stored.kind]
    body = talk.say(
        f"Tudo bem, cancelei {what}. Se quiser marcar outro dia, é só me falar.",
        f"Pronto, {what} foi cancelad{ending}. Quando quiser, marcamos de novo.",
    )
    change = AgendaChange(action=AgendaAction.CANCEL, appointment=stored)
    return Answer(rule="visit.cancel", bubbles=(text(body),), agenda=change)


def recall(talk: Talk) -> Answer:
    """`Que horas ficou mesmo?`: what is in the book."""
    stored = talk.appointment
    if stored is None:
        body = talk.say(
            "Ainda não tem nada marcado no seu nome. Quer agendar? Que dia fica bom pra você?",
            "Não achei nenhum horário marcado pra você. Que dia você gostaria de vir?",
        )
        draft = talk.state.draft or Draft()
        return Answer(
            rule="visit.none_booked", bubbles=(text(body),), pending=Pending.DATE, draft=draft
        )
    what, ending = WORDS[stored.kind]
    item = talk.stock.get(stored.car_id) if stored.car_id is not None else None
    when = moment(stored.at, talk.now.date())
    body = talk.say(
        f"Ficou assim: {what[2:]}{about(stored.kind, item)}, {when}. Qualquer mudança, me avise.",
        f"{WORDS[stored.kind][0].capitalize()}{about(stored.kind, item)} está marcad{ending} para "
        f"{when}. Se precisar mudar, é só falar.",
    )
    return Answer(rule="visit.recalled", bubbles=(text(body, _listed(item), priced=False),))


def _settled(talk: Talk, hours: OpeningHours) -> Answer:
    draft, before = _known(talk)
    own = frozenset() if talk.appointment is None else frozenset((talk.appointment.at,))
    when = _from_now(talk)
    if draft.next_week and when.day is not None and when.day.weekday is not None:
        when = replace(when, day=replace(when.day, next_week=True))
    outcome = settle(
        _than_before(talk, when, draft), before, now=talk.now, hours=hours, taken=talk.taken - own
    )
    if outcome.at is None:
        return _asked(talk, hours, draft, outcome)
    item = talk.stock.get(draft.car) if draft.car is not None else None
    wanted = Appointment(
        kind=VisitKind(draft.kind),
        at=outcome.at,
        car_id=None if item is None else item.car.id,
        id=None if talk.appointment is None else talk.appointment.id,
    )
    return _booked(talk, wanted, item)


def _than_before(talk: Talk, when: When, draft: Draft) -> When:
    """`um pouco mais tarde`: than it was, so that only later times are proposed."""
    match = _SOMEWHAT.search(talk.reading.text.flat)
    if match is None or not when.vague_time or draft.at is None or when.day is not None:
        return when
    step = STEP if match[1] == "tarde" else -STEP
    limit = (datetime.combine(talk.now.date(), draft.at) + step).time()
    than = TimeWish(hour=limit.hour, minute=limit.minute, sure=True)
    return replace(when, after=than) if step > -step else replace(when, before=than)


_SOMEWHAT = re.compile(r"\bmais (tarde|cedo)\b")
ROUNDED = 10
"""Minutes."""


_ON_THE_WAY = re.compile(
    r"\b(?:estou|to|tou|vou) (?:indo|saindo|a caminho|chegando)\b|\bindo (?:ai|prai)\b"
)


def _on_his_way(talk: Talk) -> bool:
    """`tô indo aí 15h`: today, unless a day is in the making."""
    draft = talk.state.draft
    made = (draft is not None and draft.day is not None) or talk.appointment is not None
    return not made and bool(_ON_THE_WAY.search(talk.reading.text.flat))


def _from_now(talk: Talk) -> When:
    """When it is said; `chego em 1h` is counted from now, to full ten minutes."""
    when, ahead = talk.reading.when_said, soon(talk.reading.text.flat)
    if ahead is None and when.day is None and when.time is not None and _on_his_way(talk):
        return replace(when, day=DayWish(ahead=0))
    if ahead is None or when.day is not None:
        return when
    at = talk.now + timedelta(minutes=ahead)
    at += timedelta(minutes=-at.minute % ROUNDED)
    time = TimeWish(hour=at.hour, minute=at.minute, sure=True)
    return When(day=DayWish(ahead=(at.date() - talk.now.date()).days), time=time)


def _known(talk: Talk) -> tuple[Draft, Slot]:
    """What was said before of kind, car, day and time: in the making, else in the book."""
    draft = talk.state.draft
    if draft is None and talk.appointment is not None:
        draft = _of_stored(talk.appointment)
    draft = draft or Draft()
    kind = kind_said(talk.reading.text.flat)
    named = bool(talk.reading.filters.model) or talk.pointed
    update: dict[str, object] = {} if kind is None else {"kind": kind.value}
    if talk.target is not None and (named or (draft.car is None and not draft.moving)):
        update["car"] = talk.target.car.id
    known = draft.model_copy(update=update)
    if talk.state.draft is None and draft.moving and _asks_for_another_time(talk):
        return known, Slot()
    return known, Slot(day=known.day, at=known.at)


def _of_stored(stored: Appointment) -> Draft:
    return Draft(
        kind=stored.kind.value,
        day=stored.at.date(),
        at=stored.at.time(),
        car=stored.car_id,
        moving=True,
    )


def _asks_for_another_time(talk: Talk) -> bool:
    """`preciso remarcar`: the old time is of no use; `é pra ver o Nivus`: it stays."""
    said = talk.reading.when_said.says_something()
    return talk.reading.intent is Intent.RESCHEDULE and not said


def _booked(talk: Talk, wanted: Appointment, item: Listing | None) -> Answer:
    change = None
    if talk.appointment is None:
        change = AgendaChange(action=AgendaAction.BOOK, appointment=wanted)
    elif talk.appointment != wanted:
        change = AgendaChange(action=AgendaAction.MOVE, appointment=wanted)
    body = confirmation(talk, wanted, item, change)
    return Answer(
        rule=f"visit.{change.action.value if change else 'same'}",
        bubbles=(text(body, _listed(item), priced=False),),
        considered=tuple(listing.car.id for listing in _listed(item)),
        focus=None if item is None else item.car.id,
        agenda=change,
        negotiating=True,
    )


def _asked(talk: Talk, hours: OpeningHours, draft: Draft, outcome: Outcome) -> Answer:
    item = talk.stock.get(draft.car) if draft.car is not None else None
    several = _several(talk)
    parts = (trouble(talk, hours, outcome), question(talk, draft, outcome, item), which(several))
    asks = Pending.DATE if outcome.asks is Asks.DATE else Pending.TIME
    slot = outcome.slot
    return Answer(
        rule=f"visit.{outcome.hitch.value if outcome.hitch else f'asks_{asks.value}'}",
        bubbles=(text(" ".join(filter(None, parts)), _listed(item) or several, priced=False),),
        considered=tuple(listing.car.id for listing in _listed(item) or several),
        focus=None if item is None else item.car.id,
        offered=tuple(listing.car.id for listing in several) if several else None,
        pending=asks,
        draft=draft.model_copy(
            update={
                "day": slot.day,
                "at": slot.at,
                "offered": outcome.offers[0].date() if outcome.offers else None,
                "next_week": draft.next_week or talk.reading.when_said.next_week,
                "idle": 0,
                "told": False,
            }
        ),
    )


def _several(talk: Talk) -> tuple[Listing, ...]:
    """The cars of a model that was named, when it is not clear which one is meant."""
    if talk.target is not None or not talk.reading.filters.model:
        return ()
    return tuple(talk.stock.matching(talk.reading.filters)[:MOST_NAMED])


def _listed(item: Listing | None) -> tuple[Listing, ...]:
    return () if item is None else (item,)


RULES = {
    Intent.SCHEDULE: schedule,
    Intent.RESCHEDULE: reschedule,
    Intent.CANCEL_SCHEDULE: cancel,
}
