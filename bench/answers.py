"""The two answers that are measured: a trivial one, and Lucas's own. Named on command lines."""

from __future__ import annotations

from datetime import datetime

from bot.lucas import decide
from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Turn
from worker.drain.turns import Decide

TRIVIAL = Decision(
    bubbles=(Bubble(text="Recebi sua mensagem, já te respondo!"),),
    state={"v": 1},
    status="em_andamento",
    rule="bench.trivial",
)


def _trivial(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:  # noqa: ARG001
    return TRIVIAL


ANSWERS: dict[str, Decide] = {"trivial": _trivial, "lucas": decide}
