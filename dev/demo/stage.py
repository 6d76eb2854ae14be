"""Where the played talk happens: what is written and answered, shown and measured.

Used by `dev.demo.acts`. Everything that it shows of Lucas has reached a phone in this run.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.rule import Rule
from rich.text import Text

from dev.chat import view
from dev.chat.installation import Installation
from dev.chat.phones import Buyer, Written
from dev.chat.rows import MessageRow, decision_of, replies_of
from dev.chat.screen import Screen
from dev.chat.start import Failed
from dev.chat.trace import steps_of

_ANSWER_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one answer took."""

    shop: str
    text: str
    """The last message that it answers."""
    webhook_ms: float
    waited_ms: int
    """The quiet window, from the first unanswered message on."""
    decided_us: int
    sent_ms: float
    """From the decision to the gateway's answer to the first bubble."""
    total_s: float
    """From the buyer's last message to the first bubble on his phone."""


class Stage:
    """One buyer, the same number, at every shop."""

    def __init__(self, installation: Installation, screen: Screen) -> None:
        self.installation = installation
        self._screen = screen
        first, *others = installation.shops
        phone = installation.buyer(first)
        self.buyers = {first: phone} | {
            other: installation.buyer(other, phone=phone.phone) for other in others
        }
        self.timings: list[Timing] = []
        self._shown: dict[int, int] = dict.fromkeys(self.buyers, 0)
        """How many bubbles of each shop have been shown."""

    def act(self, title: str) -> None:
        """A new part begins."""
        self._screen.show("", Rule(Text(title, style="bold"), align="left", style="bright_black"))

    def note(self, text: str) -> None:
        """A word about what happens."""
        self._screen.show(view.note(text))

    def promise(self, kept: object, sentence: str) -> None:
        """Says that a promise was kept. Raises Failed when it was not."""
        if not kept:
            raise Failed(f"não se cumpriu: {sentence}")
        self._screen.show(Text.assemble(("✓ ", "green bold"), (sentence, "green")))

    async def says(self, empresa_id: int, text: str, *, duplicate: bool = False) -> Written:
        """The buyer writes to a shop."""
        buyer = self.buyers[empresa_id]
        sent = await buyer.writes(text, duplicate=duplicate)
        note = "entregue 2 vezes pelo gateway" if duplicate else ""
        self._screen.show(view.buyer_bubble(text, shop=buyer.shop.dealer.nome, note=note))
        return sent

    async def stored(self, empresa_id: int, sent: Written) -> None:
        """Once the message is in the dealer's database; says how long Lucas will wait for more."""
        rows, phone = self.installation.rows(empresa_id), self.buyers[empresa_id].phone
        progress = await rows.stored(phone, sent.message_id, timeout_s=_ANSWER_S)
        if progress.left_s() > 0:
            self.note(view.waiting(progress.left_s()))

    async def answer(
        self, empresa_id: int, sent: Written, *, timeout_s: float = _ANSWER_S
    ) -> list[MessageRow]:
        """The whole turn that answers a message, its bubbles shown. Raises NotAnswered."""
        buyer, rows = self.buyers[empresa_id], self.installation.rows(empresa_id)
        turn = await rows.answered(buyer.phone, sent.message_id, timeout_s=timeout_s)
        new = buyer.bubbles()[self._shown[empresa_id] :]
        self._shown[empresa_id] += len(new)
        for bubble in new:
            self._screen.show(
                view.lucas_bubble(
                    bubble.text,
                    bubble.media,
                    shop=buyer.shop.dealer.nome,
                    after_s=buyer.after_s(bubble),
                )
            )
        self._measure(buyer, sent, turn)
        return turn

    async def show_trace(self, empresa_id: int, turn: list[MessageRow]) -> None:
        """What happened on the way of this turn."""
        cars = await self.installation.rows(empresa_id).cars()
        steps = steps_of(turn, self.installation.log_of(empresa_id), cars)
        self._screen.show(view.trace_table(steps))

    def show_figures(
        self, title: str, heads: list[str], rows: list[list[str]], *, words: int
    ) -> None:
        """A table of numbers."""
        self._screen.show(view.figures(title, heads, rows, words=words))

    def _measure(self, buyer: Buyer, sent: Written, turn: list[MessageRow]) -> None:
        decision, replies = decision_of(turn), replies_of(turn)
        if not replies:
            raise Failed(f"o Lucas não respondeu a {sent.text!r}: {decision or 'sem decisão'}")
        first = next(b for b in buyer.bubbles() if b.id == replies[0].external_id)
        decided, taken = replies[0].stored_at, replies[0].sent_at
        if decided is None or taken is None:
            raise Failed(f"a resposta a {sent.text!r} não tem os seus tempos no banco")
        self.timings.append(
            Timing(
                shop=buyer.shop.dealer.nome,
                text=sent.text,
                webhook_ms=sent.webhook_ms,
                waited_ms=int(str(decision["waited_ms"])),
                decided_us=int(str(decision["decided_us"])),
                sent_ms=(taken - decided).total_seconds() * 1000,
                total_s=first.at - sent.at,
            )
        )
