"""Finds the day and the time that a buyer speaks of. Called by `reading.reader`.

Knows no clock: `agenda.slots` turns what is found here into a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.reading.busy import BUSY, NOT_THEN, OWN_BUSINESS, REFUSED, REFUSED_BEFORE
from bot.reading.shifts import HOUR, NUMBERS, SHIFT, WORD, days, minutes
from bot.reading.text import Text


class DayPart(StrEnum):
    """A part of the day is no time: it only narrows what is asked or offered."""

    MORNING = "manhã"
    AFTERNOON = "tarde"
    EVENING = "noite"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayWish:
    """A day as it was said; exactly one way of saying it is set."""

    ahead: int | None = None
    """Days from today: 0 today, 1 tomorrow."""
    weekday: int | None = None
    """Monday is 0."""
    next_week: bool = False
    """`terça da semana que vem`: a week further."""
    day: int | None = None
    month: int | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWish:
    """A time as it was said. `sure`: no other half of the day can be meant (10 da manhã, 15h)."""

    hour: int
    minute: int = 0
    sure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """All that a turn says about a day and a time."""

    day: DayWish | None = None
    time: TimeWish | None = None
    part: DayPart | None = None
    after: TimeWish | None = None
    """`depois das 16h`: no time yet, but none earlier."""
    before: TimeWish | None = None
    shift: int | None = None
    """Minutes later (or earlier) than what was said before."""
    shift_days: int | None = None
    """Days later (or earlier) than what was said before: um dia depois, na semana seguinte."""
    same_time: bool = False
    same_day: bool = False
    vague_day: bool = False
    """`semana que vem`, `outro dia`: a day must be asked for."""
    next_week: bool = False
    """The vague day is in the week after this one."""
    vague_time: bool = False
    """`mais tarde`, `outro horário`: a time must be asked for."""

    def says_something(self) -> bool:
        """True when any of it was said."""
        return self != _NOTHING


_NOTHING = When()
_WEEKDAYS = ("segunda", "terca", "quarta", "quinta", "sexta", "sabado", "domingo")
_MONTHS = (
    "janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro",
    "outubro", "novembro", "dezembro",
)  # fmt: skip
# An ordinal is no weekday: `a segunda opção`, `gostei da segunda`, `segundo dono`.
_DAY = re.compile(
    r"\b(?:(?P<after_tomorrow>depois de amanha)|(?P<tomorrow>amanha)|(?P<today>hoje|agora|ja ja)"
    r"|(?:(?P<next>proxim[ao]|outr[ao]) )?(?P<weekday>" + "|".join(_WEEKDAYS) + r")"
    r"(?! (?:opcao|dona|foto|via|mao|linha|da lista|geracao|marcha|mais))(?P<fair> feira)?"
    r"(?: (?:feira )?(?P<later>da semana que vem|que vem|da proxima semana|da outra semana))?"
    r"|dia (?P<day>[0-3]?[0-9])\b(?! ?h\b)(?: ?(?:/|de|do) ?(?P<month>"
    + "|".join(_MONTHS)
    + r"|1[0-2]|0?[1-9]))?(?![0-9:])"
    r"|(?P<d>[0-3]?[0-9])/(?P<m>[01]?[0-9])(?:/(?P<y>(?:20)?[0-9]{2}))?\b"
    r"|(?P<d2>[0-3]?[0-9]) de (?P<m2>" + "|".join(_MONTHS) + r"))"
)
_TIME = re.compile(
    r"(?P<noon>\bmeio dia(?: e (?P<noon_half>meia))?)"
    rf"|\b(?:tipo (?=as |umas |pelas |la |das |por ))?"
    rf"(?:(?P<lead>as|a partir das|depois das|apos as|antes das|ate as|pelas|umas|la pelas|"
    rf"das|por volta das|ali pelas|tipo|pra as|pras) )?"
    rf"(?:(?P<digits>{HOUR})(?:(?P<h>h|hs|hrs| h\b| hs\b| hrs\b| horas?\b)(?P<minute>[0-5][0-9])?"
    rf"|:(?P<colon>[0-5][0-9])h?)?|(?P<word>{WORD})(?P<word_h> horas?)?)(?![0-9.,/%]|k\b)"
    rf"(?: e (?P<half>meia|quinze|trinta|15|30|45)(?! ?h))?"
    rf"(?: (?P<part>(?:hora )?da manha|da tarde|da noite|de manha|a tarde))?"
    r"(?! ?(?:mil|km|reais|x|vezes|de entrada|anos?|carros?|opcoes|lugares|portas|hora\w* (?:mais|"
    r"antes|depois)|dias?|pessoas|de (?:janeiro|fev|mar|abr|mai|jun|jul|ago|set|out|nov|dez))\b)"
)
# What may stand around a bare number that is the time: `da pra ser 11?`, `melhor 10 entao`.
_HEAD = re.compile(
    r"\s*(?:(?:pode|podia|poderia|da|tem como|ser|seria|pra|melhor|prefiro|entao|nao|sim|ok|certo|"
    r"fica|bom|mudar?|passar?|trocar?|que tal|eu|acho que|so|e se for) )*"
)
_TAIL = re.compile(
    r"(?: (?:entao|fica|e|melhor|pode|ser|esta bom|da certo|por favor|em ponto|mesmo|da|ok))*\s*"
)
_PARTS = (
    (
        DayPart.MORNING,
        (
            r"\b(?:de|da|pela|na) manha\b|\bde manhazinha\b|\bcedinho\b|(?<!mais )\bcedo\b|\bantes "
            r"do almoco\b|^manha$"
        ),
    ),
    (
        DayPart.AFTERNOON,
        (
            r"\b(?:a|de|da|na|pela|fim d[ae]|final d[ae]|comeco da) tarde\b"
            r"|\b(?:depois|apos) (?:do|o) almoco\b|\btardezinha\b|^tarde$"
        ),
    ),
    (DayPart.EVENING, r"\b(?:a|de|da) noite\b|\bdepois do (?:trabalho|servico|expediente)\b"),
)
_PART = tuple((part, re.compile(words)) for part, words in _PARTS)
_VAGUE_DAY = re.compile(
    r"\b(?:semana que vem|proxima semana|outra semana|fim de semana|final de semana|outro dia|"
    r"outra data|"
    r"qualquer dia|algum dia|um dia desses|mes que vem|durante a semana|essa semana|esta semana)\b"
)
_NEXT_WEEK = re.compile(r"\b(?:semana que vem|proxima semana|outra semana)\b")
_VAGUE_TIME = re.compile(
    r"\b(?:mais tarde|mais cedo|outro horario|outra hora|qualquer (?:hora|horario))\b"
)
_SAME_TIME = re.compile(r"\bmesm[ao] (?:hora|horario)\b")
_SAME_DAY = re.compile(r"\bmesmo dia\b|\bmesma data\b|\bnesse dia\b")
_GREETING = re.compile(r"\bbo[am] (?:dia|tarde|noite)\b")


def find_when(text: Text) -> When:
    """What the text says of a day and a time; of two the later one, unless joined by `ou`."""
    flat = _GREETING.sub(lambda match: "_" * len(match[0]), text.flat)
    flat = re.sub(r"\bate (?=amanha|sabado|segunda|terca|quarta|quinta|sexta|domingo)", "_ ", flat)
    shift = SHIFT.search(flat)
    day, vague = _day(flat), bool(_VAGUE_DAY.search(flat))
    part, other_part = _part(flat)
    next_week = day is None and bool(_NEXT_WEEK.search(flat))
    alike = bool(_SAME_TIME.search(flat) or _SAME_DAY.search(flat))
    times = {} if shift else _times(flat)
    return When(
        day=day,
        time=times.get("at"),
        part=None if "at" in times else part,
        after=times.get("after"),
        before=times.get("before"),
        shift=minutes(shift) if shift else None,
        shift_days=7 if next_week and alike else days(flat) if day is None else None,
        same_time=bool(_SAME_TIME.search(flat)),
        same_day=bool(_SAME_DAY.search(flat)),
        vague_day=day is None and not (next_week and alike) and (vague or _is_busy(flat)),
        next_week=next_week,
        vague_time="at" not in times
        and shift is None
        and bool(other_part or _VAGUE_TIME.search(flat)),
    )


def _part(flat: str) -> tuple[DayPart | None, bool]:
    """The part of the day that is wanted; true beside none where one is refused."""
    refused = False
    for part, words in _PART:
        for match in words.finditer(flat):
            if not REFUSED.search(flat[match.end() : match.end() + 30]) and not NOT_THEN.search(
                flat[: match.start()]
            ):
                return part, False
            refused = True
    return None, refused


def _day(flat: str) -> DayWish | None:
    """The day that is wanted: one that is refused (segunda não dá) is none."""
    wanted: list[tuple[int, DayWish]] = []
    for match in _DAY.finditer(flat):
        after = flat[match.end() : match.end() + 40]
        if _is_ordinal(flat, match) or REFUSED.search(after[:30]) or BUSY.search(after):
            continue
        if REFUSED_BEFORE.search(flat[: match.start()].rstrip()) and len(wanted) == 0:
            refused_only = _DAY.search(flat, match.end()) is not None
            if refused_only:
                continue
        wish = _day_wish(match)
        if wish is not None:
            wanted.append((match.start(), wish))
    if not wanted:
        return None
    between = flat[wanted[0][0] : wanted[-1][0]]
    return wanted[0][1] if re.search(r"\bou\b", between) else wanted[-1][1]


def _is_busy(flat: str) -> bool:
    """`quinta eu trabalho`: another day must be found."""
    return any(BUSY.search(flat[match.end() :]) for match in _DAY.finditer(flat))


def _is_ordinal(flat: str, match: re.Match[str]) -> bool:
    """`gostei da segunda` is a car of the list; `na segunda`, `segunda feira` a day."""
    if match["weekday"] not in ("segunda", "terca", "quarta", "quinta") or match["fair"]:
        return False
    before = flat[: match.start()]
    return bool(re.search(r"\b(?:gostei d|quero |foto d|fotos d|e |sobre |ver )a $|^a $", before))


def _day_wish(match: re.Match[str]) -> DayWish | None:
    if match["after_tomorrow"]:
        return DayWish(ahead=2)
    if match["tomorrow"] or match["today"]:
        return DayWish(ahead=1 if match["tomorrow"] else 0)
    if match["weekday"]:
        later = bool(match["later"]) and "semana" in match["later"]
        return DayWish(weekday=_WEEKDAYS.index(match["weekday"]), next_week=later)
    day = int(match["day"] or match["d"] or match["d2"])
    month = _month(match["month"] or match["m"] or match["m2"])
    year = int(match["y"]) if match["y"] else None
    if not 1 <= day <= 31 or (month is not None and not 1 <= month <= 12):
        return None
    return DayWish(day=day, month=month, year=year + 2000 if year and year < 100 else year)


def _month(said: str | None) -> int | None:
    if said is None:
        return None
    return _MONTHS.index(said) + 1 if said in _MONTHS else int(said)


def _times(flat: str) -> dict[str, TimeWish]:
    """at: the last exact time that is said; after, before: limits."""
    found: dict[str, TimeWish] = {}
    spoken_days = [match.span() for match in _DAY.finditer(flat)]
    for match in _TIME.finditer(flat):
        number = match.start("digits") if match["digits"] else match.start("word")
        if match["noon"] is None and any(start <= number < end for start, end in spoken_days):
            continue
        wish = _time_wish(match, flat)
        if wish is None:
            continue
        lead = match["lead"] or ""
        if "at" in found and OWN_BUSINESS.search(flat[: match.start()]):
            continue
        key = "after" if lead in ("a partir das", "depois das", "apos as") else "at"
        found["before" if lead in ("antes das", "ate as") else key] = wish
    return found


_MOVED_TO = re.compile(
    r"\b(?:mud|pass|troc|remarc|transfer|jog|adi|"
    r"antecip)\w*(?: (?!dia\b)\w+){0,4} pr[ao]s?(?: as)? ?$"
)
"""`marquei 16h, dá pra mudar pra 17?`"""


_BESIDE = re.compile(r"\b(?:amanha|hoje) $")
"""`amanhã 10`: no day of the month, as it might be in `sexta 11`."""


def _time_wish(match: re.Match[str], flat: str) -> TimeWish | None:
    if match["noon"]:
        return TimeWish(hour=12, minute=30 if match["noon_half"] else 0, sure=True)
    marked = match["h"] or match["colon"] or match["word_h"] or match["half"] or match["part"]
    alone = _HEAD.fullmatch(flat[: match.start()]) and _TAIL.fullmatch(flat[match.end() :])
    moved = _MOVED_TO.search(flat[: match.start()])
    beside = match["digits"] and _BESIDE.search(flat[: match.start()])
    if not (marked or match["lead"] or alone or moved or beside):
        return None
    if match["lead"] in ("tipo", "das", "umas", "pra as") and match["word"] and not marked:
        return None
    hour = int(match["digits"]) if match["digits"] else NUMBERS[match["word"]]
    minute = int(match["minute"] or match["colon"] or 0)
    if match["half"]:
        minute = {"meia": 30, "trinta": 30, "30": 30, "45": 45}.get(match["half"], 15)
    part = match["part"] or ""
    if ("tarde" in part or "noite" in part) and hour < 12:
        hour += 12
    if not 0 <= hour <= 23:
        return None
    return TimeWish(hour=hour, minute=minute, sure=bool(part) or hour > 12)
