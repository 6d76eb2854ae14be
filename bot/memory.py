"""What is remembered after a turn, and what becomes of the conversation. Called by `lucas`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.rules.talk import Answer, Talk, digest
from bot.rules.wishes import released
from bot.state import REMEMBERED_BUBBLES, Draft, State
from bot.stock import fits
from bot.values import Bubble, OptOut

SEEN = 40
TO_CHECK = 5
IDLE_LIMIT = 3
"""After so many turns about something else an appointment in the making is forgotten."""


def remembered(talk: Talk, answer: Answer, bubbles: tuple[Bubble, ...]) -> State:
    """The memory after this answer went out."""
    state = talk.state
    said = [digest(bubble.text) for bubble in (*answer.bubbles, *bubbles) if bubble.text]
    said += [digest(aside) for aside in answer.aside]
    focus = state.focus if answer.focus is None else answer.focus
    return state.model_copy(
        update={
            "greeted": True,
            "filters": _wish(talk, answer),
            "broader": _broader(talk, answer),
            "offered": state.offered if answer.offered is None else answer.offered,
            "focus": focus if focus is not None and focus >= 0 else None,
            "topics": state.topics if answer.topics is None else answer.topics,
            "last_intent": talk.reading.intent.value,
            "refused": answer.refused,
            "pending": answer.pending,
            "stuck": 0 if answer.understood else state.stuck + 1,
            "dry": state.dry + 1 if finds_nothing(answer) else 0,
            "recent": tuple(dict.fromkeys((*said, *state.recent)))[: REMEMBERED_BUBBLES * 2],
            "name": said_name(talk.raw) or state.name,
            "draft": _draft(state.draft, answer),
            "deal": state.deal if answer.deal is None else answer.deal,
            "to_check": _to_check(state, answer),
            "seen": seen(state, bubbles),
            "quiet": answer.quiet,
        }
    )


def _wish(talk: Talk, answer: Answer) -> Filters:
    """What is wished from now on; what no longer matters is gone, whatever rule answered."""
    if answer.filters is not None:
        return answer.filters
    return released(talk.state.filters, talk.reading)


def _broader(talk: Talk, answer: Answer) -> Filters:
    """`quero o Prisma` of the sedans up to 50 thousand: these are still what he looks for."""
    before, wish = talk.state.filters, answer.filters
    if wish is None or wish == before:
        return talk.state.broader
    if not wish.model or before.model or before.empty():
        return talk.state.broader if wish.model and before.model else Filters()
    known = [talk.stock.get(car) for car in answer.considered]
    return before if any(item is not None and fits(item, before) for item in known) else Filters()


_NOTHING_FOUND = ("search.none", "search.gone", "search.no_more", "search.cheapest", "unclear")


def finds_nothing(answer: Answer) -> bool:
    """True for an answer that brings the buyer no step further."""
    return answer.rule.startswith(_NOTHING_FOUND)


def seen(state: State, bubbles: tuple[Bubble, ...]) -> tuple[int, ...]:
    """Cars that facts were stated about, the last first."""
    now = [fact.car_id for bubble in bubbles for fact in bubble.facts]
    return tuple(dict.fromkeys((*now, *state.seen)))[:SEEN]


_NAME = re.compile(
    r"\b(?:me chamo|meu nome (?:é|eh|e)|pode me chamar de|aqui (?:é|eh|e|fala) [oa]) "
    r"(?P<name>[a-zà-ÿ]{3,20})\b",
    re.IGNORECASE,
)
_IS = re.compile(r"\b[Ss]ou [oa] (?P<name>[A-ZÀ-Ý][a-zà-ÿ]{2,19})\b")
_NO_NAME = ("suj", "limp", "negativ", "dono", "espos", "mulher", "marid", "mesm")


def said_name(raw: str) -> str | None:
    """`me chamo Rogério`: a first name as it was written; `meu nome é sujo` tells none."""
    match = _NAME.search(raw) or _IS.search(raw)
    if match is None or match["name"].lower().startswith(_NO_NAME):
        return None
    return match["name"].capitalize()


def _to_check(state: State, answer: Answer) -> tuple[str, ...]:
    if answer.to_check is None:
        return state.to_check
    return tuple(dict.fromkeys((answer.to_check, *state.to_check)))[:TO_CHECK]


def _draft(before: Draft | None, answer: Answer) -> Draft | None:
    if answer.rule.startswith("visit.") or before is None:
        return answer.draft
    if answer.draft is not None and answer.draft.told and before.day is None:
        before = before.model_copy(update={"day": answer.draft.day})
    idle = before.idle + 1
    return before.model_copy(update={"idle": idle}) if idle <= IDLE_LIMIT else None


def status_after(before: str, answer: Answer) -> str:
    """`fechado` is a person's word; a running negotiation is not taken back."""
    if answer.opt_out is OptOut.ALL:
        return "perdido"
    if before == "fechado":
        return before
    if answer.negotiating:
        return "negociando"
    return before if before == "negociando" else "em_andamento"
