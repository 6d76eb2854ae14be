"""Makes an answer about the car that is meant, if one is. Called by the rules on money."""

from __future__ import annotations

from bot.grammar import of_car
from bot.rules.talk import Answer, Talk, text
from bot.state import Deal, Pending


def of_target(talk: Talk) -> str:
    """` do Corolla` of the car that the turn is about, or nothing."""
    return f" {of_car(talk.target)}" if talk.target else ""


def answer_about(
    talk: Talk,
    rule: str,
    body: str,
    *,
    handoff: str | None = None,
    negotiating: bool = False,
    pending: Pending | None = None,
    priced: bool = False,
    deal: Deal | None = None,
) -> Answer:
    """One bubble, with the car as a fact; `priced` when its price is told."""
    cars = () if talk.target is None else (talk.target,)
    return Answer(
        rule=rule,
        bubbles=(text(body, cars, priced=priced),),
        considered=tuple(item.car.id for item in cars),
        focus=None if talk.target is None else talk.target.car.id,
        handoff=handoff,
        negotiating=negotiating,
        pending=pending,
        deal=deal,
    )
