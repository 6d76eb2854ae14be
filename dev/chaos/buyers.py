"""Buyers who write, wait, lose patience and write again. Called by `run`.

Each talk is a new buyer. What he writes says who he is and which of his messages it is, so that
the count needs no other memory than the databases and the phones.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence

from dev.chaos.ground import Dealer
from gateway.standin.values import Outgoing

_PATIENCE_S = 20.0
_THINKS_S = (0.5, 3.0)
_MESSAGES = (3, 8)
_HASTY = 0.3
"""Share of messages that are followed at once by the next one."""
_FIRST_LIMIT = 45


class Buyers:
    """All buyers of one empresa; a few of them at the same time."""

    def __init__(self, dealer: Dealer, *, seed: int) -> None:
        self._dealer = dealer
        self._dice = random.Random(f"{seed} {dealer.id}")
        self._numbers = itertools.count(1)
        self.written: list[str] = []
        """Ids of all messages that were written."""

    async def talk_until(self, end: asyncio.Event) -> None:
        """One talk after the other; a message that is on its way is always handed over."""
        while not end.is_set():
            await self._talk(self._dealer.buyer(next(self._numbers)), end)

    async def _talk(self, buyer: str, end: asyncio.Event) -> None:
        for number in range(self._dice.randint(*_MESSAGES)):
            answers = self._answers(buyer, self._dealer.phone.outbox)
            text = f"tem argo até {_FIRST_LIMIT + number} mil?"
            self.written.append(await self._dealer.phone.buyer_writes(buyer, text))
            if self._dice.random() >= _HASTY:
                await self._waits(buyer, answers + 1)
                await _or(end, self._dice.uniform(*_THINKS_S))
            if end.is_set():
                return

    async def _waits(self, buyer: str, answers: int) -> None:
        def answered(outbox: Sequence[Outgoing]) -> bool:
            return self._answers(buyer, outbox) >= answers

        try:
            await self._dealer.phone.wait_for(answered, timeout_s=_PATIENCE_S)
        except TimeoutError:
            return  # he writes again; that he was answered in the end is counted later

    @staticmethod
    def _answers(buyer: str, outbox: Sequence[Outgoing]) -> int:
        return sum(sent.to.startswith(buyer) for sent in outbox)


async def _or(end: asyncio.Event, seconds: float) -> None:
    """Until then, or until the end, whichever comes first."""
    try:
        async with asyncio.timeout(seconds):
            await end.wait()
    except TimeoutError:
        return
