"""The words for appointments: confirmations, refusals, questions. Called by `rules.visits`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from bot.agenda.hours import OpeningHours
from bot.agenda.slots import Asks, Hitch, Outcome, Slot
from bot.grammar import of_car, to_see
from bot.rules.talk import Talk
from bot.state import Draft
from bot.stock import Listing
from bot.values import AgendaAction, AgendaChange, Appointment, VisitKind
from bot.wording import joined, name
from bot.wording_time import at_clock, choice, day_words, moment, on_weekday, spans, week_words

WORDS = {
    VisitKind.TEST_DRIVE: ("o test drive", "o"),
    VisitKind.VISITA: ("a visita", "a"),
    VisitKind.ENTREGA: ("a retirada", "a"),
}
_TEST_DRIVE = re.compile(
    r"\btest\w* ?drive\b|\btest(?:ar|e)\b|\bvolt(?:a|inha) (?:nel|no|na|ness|com)|\b(?:um|dar) "
    r"(?:uma )?volt\w+|\bandar (?:nel|no|na|ness)\w*|\bdirigir\b|\bexperimentar\b"
)
_DELIVERY = re.compile(
    r"\b(?:buscar|busco|retirar|retiro|retirada|pegar (?:ele|ela|o carro|meu))\b"
)
_VISIT = re.compile(r"\bvisit\w+|\bso (?:ver|olhar)\b|\bconhecer\b")


def kind_said(flat: str) -> VisitKind | None:
    """What the buyer wants to come for; None when he does not say."""
    if _TEST_DRIVE.search(flat):
        return VisitKind.TEST_DRIVE
    if _DELIVERY.search(flat):
        return VisitKind.ENTREGA
    return VisitKind.VISITA if _VISIT.search(flat) else None


def about(kind: VisitKind, item: Listing | None) -> str:
    """` para ver o Corolla`, ` do Corolla`, or nothing."""
    if item is None:
        return ""
    return f" {to_see(item)}" if kind is VisitKind.VISITA else f" {of_car(item)}"


def confirmation(
    talk: Talk, wanted: Appointment, item: Listing | None, change: AgendaChange | None
) -> str:
    """Day, date, time, what for and where."""
    when = moment(wanted.at, talk.now.date())
    what = WORDS[wanted.kind][0][2:] + about(wanted.kind, item)
    if wanted.kind is VisitKind.ENTREGA:
        return talk.say(
            f"Anotado: {what}, {when}, sujeita à confirmação do vendedor.",
            f"Deixei anotado: {what}, {when}. O vendedor confirma com você.",
        )
    if change is None:
        return talk.say(f"Isso mesmo: {what}, {when}.", f"Está tudo certo: {what}, {when}.")
    if change.action is AgendaAction.MOVE:
        return talk.say(
            f"Prontinho, mudei: {what}, {when}. Te esperamos!",
            f"Remarcado! {what[:1].upper()}{what[1:]} agora é {when}. Te esperamos!",
            f"Sem problema! Ficou assim: {what}, {when}.",
        )
    place = f" O endereço é {talk.dealer.endereco}." if talk.dealer.endereco else ""
    yours = "Sua" if WORDS[wanted.kind][1] == "a" else "Seu"
    ending = WORDS[wanted.kind][1]
    return talk.say(
        f"Marcado! {yours} {what} ficou para {when}.{place} Se precisar mudar, é só me avisar.",
        f"Prontinho, {yours.lower()} {what} está marcad{ending}: {when}.{place} Qualquer "
        f"imprevisto, me chama por aqui.",
        f"Combinado! Deixei marcad{ending} {yours.lower()} {what}: {when}.{place} Te esperamos!",
    )


def trouble(talk: Talk, hours: OpeningHours, outcome: Outcome) -> str:
    """Why it cannot be then, with the hours of that day or of the week; nothing when it can."""
    if outcome.refused is not None:
        return _day_trouble(talk, hours, outcome.refused, outcome.hitch)
    day, at = outcome.slot.day, outcome.slot.at
    if outcome.hitch is Hitch.NO_SUCH_DAY:
        return "Essa data eu não encontrei no calendário."
    if outcome.hitch is None or day is None or at is None:
        return ""
    if outcome.hitch is Hitch.PAST_TIME:
        return f"Hoje {at_clock(at)} já passou."
    if outcome.hitch is Hitch.TAKEN:
        return f"Esse horário ({day_words(day, talk.now.date())}, {at_clock(at)}) já está ocupado."
    lunch = (
        f" {_upper(at_clock(at))} é horário de almoço." if _at_lunch(hours, outcome.slot) else ""
    )
    return f"{_upper(_on(day, talk.now.date()))} atendemos {spans(hours.spans(day))}.{lunch}"


def _day_trouble(talk: Talk, hours: OpeningHours, day: date, hitch: Hitch | None) -> str:
    if hitch is Hitch.PAST_DAY:
        return f"O dia {day:%d/%m} já passou."
    if hitch is Hitch.OVER_TODAY:
        return "Por hoje a loja já encerrou o atendimento."
    if hitch is Hitch.TOO_FAR:
        return "Essa data está longe demais para eu reservar."
    holiday = hours.closed.holiday(day)
    if holiday is not None and not hours.closed.by_the_store(day):
        return f"Dia {day:%d/%m} é feriado ({holiday}) e a loja fica fechada."
    if hours.week[day.weekday()]:
        return f"No dia {day:%d/%m} a loja fica fechada."
    return talk.say(
        f"{_upper(_on(day, talk.now.date()))} a loja fica fechada. Atendemos {week_words(hours)}.",
        f"{_upper(_on(day, talk.now.date()))} não abrimos. Nosso horário: {week_words(hours)}.",
    )


def question(talk: Talk, draft: Draft, outcome: Outcome, item: Listing | None) -> str:
    """For the day or the time that is missing, with free ones where there are any."""
    kind = VisitKind(draft.kind)
    if outcome.asks is Asks.DATE:
        return _which_day(talk, draft, outcome, about(kind, item))
    today, day = talk.now.date(), outcome.slot.day
    when = f" {_on(day, today)}" if day is not None and outcome.hitch is None else ""
    dated = f", {day:%d/%m}" if when and day is not None else ""
    free = f" Tenho livre {choice(outcome.offers)}." if outcome.offers else ""
    return talk.say(
        f"Que horas fica bom pra você{when}{dated}?{free}",
        f"Qual horário você prefere{when}{dated}?{free}",
        f"Me diz um horário{when}{dated} que eu confirmo.{free}",
    )


def which(several: Sequence[Listing]) -> str:
    """Of a model that stands there more than once: that he may say which one, without a second
    question beside that for the day."""
    if not several:
        return ""
    return f"E me diz qual você quer ver: {joined([name(item) for item in several], 'ou')}."


def _which_day(talk: Talk, draft: Draft, outcome: Outcome, what_for: str) -> str:
    if outcome.offers:
        day = day_words(outcome.offers[0].date(), talk.now.date())
        return talk.say(
            f"Que outro dia fica bom pra você? Posso ver {day}, por exemplo.",
            f"Qual outro dia você prefere? O próximo seria {day}.",
        )
    if draft.moving:
        return talk.say(
            "Claro! Para que dia e horário eu mudo?",
            "Sem problema! Que dia fica melhor pra você?",
        )
    what = WORDS[VisitKind(draft.kind)][0]
    return talk.say(
        f"Vamos marcar {what}{what_for}! Que dia fica bom pra você?",
        f"Claro, {what}{what_for} eu agendo agora. Qual dia você prefere?",
        f"Pode deixar! Em que dia você quer vir{what_for}?",
    )


def _at_lunch(hours: OpeningHours, slot: Slot) -> bool:
    """Between two spans of a day."""
    if slot.day is None or slot.at is None:
        return False
    open_ = hours.spans(slot.day)
    return bool(open_) and open_[0].end <= slot.at < open_[-1].start


def _on(day: date, today: date) -> str:
    """hoje, amanhã, na quinta-feira, no sábado."""
    ahead = (day - today).days
    return ("hoje", "amanhã")[ahead] if ahead in (0, 1) else on_weekday(day)


def _upper(said: str) -> str:
    return said[:1].upper() + said[1:]
