"""Whether a buyer comes to what he has booked: confirms it, cannot, is late. Called by `lucas`.

After a reminder a bare yes or no is his answer; at any other time only words that say it.
"""

from __future__ import annotations

import re

from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.rules.talk import Answer, Talk, text
from bot.rules.visit_words import WORDS
from bot.state import Draft, Pending, State
from bot.values import AgendaAction, AgendaChange, Appointment, VisitKind
from bot.wording_time import moment

_CONFIRMS = re.compile(
    r"\b(?:confirm(?:o|ado|ada|amos|adissimo)|pode confirmar|presenca confirmada|"
    r"(?:estarei|estaremos|vou estar|to|estou) (?:la|ai|indo)|(?:eu )?vou sim|vamos sim)\b"
)
_AGREES = re.compile(
    r"(?:(?:sim+|s|ok|okay|certo|isso|claro|pode|combinado|fechado|beleza|bele|blz|tudo certo|"
    r"perfeito|show|joia|com certeza|positivo|ta bom|tranquilo|marcado|valeu|obrigad[oa]|"
    r"ate (?:la|amanha|mais|logo|daqui a pouco)|vou|to dentro|nos vemos(?: la| ai)?) ?)+"
)
_THUMB = re.compile("[\N{THUMBS UP SIGN}\N{OK HAND SIGN}\N{WHITE HEAVY CHECK MARK}]")
_CANNOT = re.compile(
    r"\bnao (?:vou|vai|posso|consigo|poderei|da|deu|vamos|podemos|conseguirei)"
    r"(?: (?:mais|conseguir|poder|dar|ir|rolar|comparecer|mesmo|hoje|amanha|nao|nesse|neste|dia|"
    r"horario|pra|por|causa|do|da|trabalho|ai|la))*$"
    r"|\b(?:surgiu|tive|deu|aconteceu|apareceu) (?:um |uns )?"
    r"(?:imprevisto|problema|contratempo)s?\b"
    r"|\b(?:infelizmente|desculpa|acho que) nao (?:vou|posso|consigo|vai|da)\b"
)
_NO = re.compile(r"nao\b")
_LATE = re.compile(r"\b(?:vou|devo|posso|to|estou|chego|vamos) (?:\w+ ){0,2}?atras\w+\b")
_LIGHT = frozenset(
    (Intent.YES, Intent.NO, Intent.THANKS, Intent.BYE, Intent.GREETING, Intent.UNCLEAR)
)
"""What a short answer may be taken for; any plainer wish is followed instead."""


def _cannot_after_a_reminder(reading: Reading, state: State) -> bool:
    """`não vou conseguir ir`: unlike `cancela`, it does not yet say what shall become of it."""
    flat = reading.text.flat
    asked = state.pending is Pending.COMING and reading.intent is Intent.CANCEL_SCHEDULE
    return asked and bool(_CANNOT.search(flat)) and not re.search(r"\b(?:cancel|desmarc)", flat)


def meant(reading: Reading, raw: str, state: State, stored: Appointment | None) -> Intent | None:
    """YES: he comes. NO: he does not, or is asked which. None: these words say neither."""
    flat = reading.text.flat
    light = reading.intent in _LIGHT or _cannot_after_a_reminder(reading, state)
    if stored is None or not light or reading.text.question:
        return None
    if reading.when_said.time is not None or reading.filters.spoken():
        return None
    if _LATE.search(flat) or _CANNOT.search(flat):
        return Intent.NO
    if _CONFIRMS.search(flat):
        return Intent.YES
    if state.pending is Pending.COMING and (
        _AGREES.fullmatch(flat) or (not reading.text.tokens and _THUMB.search(raw))
    ):
        return Intent.YES
    asked = state.pending in (Pending.COMING, Pending.MOVE_OR_CANCEL)
    return Intent.NO if asked and (reading.intent is Intent.NO or _NO.match(flat)) else None


def coming(talk: Talk) -> Answer | None:
    """The answer to a yes or a no that is about the appointment; None: it is about something else.

    `lucas` has called `meant` before.
    """
    stored, flat = talk.appointment, talk.reading.text.flat
    if stored is None:
        return None
    if talk.reading.intent is Intent.NO:
        if _LATE.search(flat):
            return _late(talk, stored)
        if talk.state.pending is Pending.MOVE_OR_CANCEL and not _CANNOT.search(flat):
            return _cancelled(talk, stored)
        asked = talk.state.pending is Pending.COMING or _CANNOT.search(flat)
        return _offered(talk, stored) if asked else None
    if talk.state.pending is Pending.COMING or _CONFIRMS.search(flat):
        return _confirmed(talk, stored)
    return _asks_day(talk, stored) if talk.state.pending is Pending.MOVE_OR_CANCEL else None


def _confirmed(talk: Talk, stored: Appointment) -> Answer:
    """He comes. Whether a car can be fetched is a seller's to confirm."""
    what, ending = WORDS[stored.kind]
    when = moment(stored.at, talk.now.date())
    if stored.kind is VisitKind.ENTREGA and not stored.confirmed:
        body = talk.say(
            f"Obrigado por avisar! O vendedor te confirma {what} de {when}.",
            f"Anotado! O vendedor confirma com você {what} de {when}.",
        )
        return Answer(rule="visit.coming", bubbles=(text(body),), to_check=f"{what[2:]} de {when}")
    body = talk.say(
        f"Presença confirmada! Te esperamos {when}.",
        f"Que bom, {what} está confirmad{ending}: {when}. Até lá!",
        f"Combinado então, até {when}!",
    )
    change = AgendaChange(action=AgendaAction.CONFIRM, appointment=stored)
    return Answer(
        rule="visit.confirm", bubbles=(text(body),), agenda=None if stored.confirmed else change
    )


def _offered(talk: Talk, stored: Appointment) -> Answer:
    """He cannot: nothing is cancelled before he says so."""
    what = WORDS[stored.kind][0]
    body = talk.say(
        f"Sem problema, acontece! Quer remarcar {what} pra outro dia ou prefere cancelar?",
        f"Tudo bem, obrigado por avisar. Remarco {what} pra outro dia ou cancelo?",
    )
    return Answer(
        rule="visit.cannot",
        bubbles=(text(body),),
        pending=Pending.MOVE_OR_CANCEL,
        draft=_moving(stored),
    )


def _moving(stored: Appointment) -> Draft:
    """Kind and car stay; the old time is of no use."""
    return Draft(kind=stored.kind.value, car=stored.car_id, moving=True)


def _asks_day(talk: Talk, stored: Appointment) -> Answer:
    """A yes to `remarco ou cancelo?` is the friendlier of the two."""
    body = talk.say(
        "Boa! Que dia e horário ficam melhor pra você?",
        "Combinado, vamos remarcar. Que dia fica bom?",
    )
    return Answer(
        rule="visit.asks_date", bubbles=(text(body),), pending=Pending.DATE, draft=_moving(stored)
    )


def _cancelled(talk: Talk, stored: Appointment) -> Answer:
    what, ending = WORDS[stored.kind]
    body = talk.say(
        f"Tudo bem, {what} está cancelad{ending}. Quando quiser marcar de novo, me chama.",
        f"Certo, cancelei {what}. Se mudar de ideia, é só falar comigo.",
    )
    change = AgendaChange(action=AgendaAction.CANCEL, appointment=stored)
    return Answer(rule="visit.cancel", bubbles=(text(body),), agenda=change)


def _late(talk: Talk, stored: Appointment) -> Answer:
    body = talk.say(
        "Sem problema, aviso a equipe que você chega um pouco depois. Venha com calma!",
        "Tranquilo! Deixo o pessoal avisado.",
    )
    check = f"comprador avisou que se atrasa ({moment(stored.at, talk.now.date())})"
    return Answer(rule="visit.late", bubbles=(text(body),), to_check=check)
