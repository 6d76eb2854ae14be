"""The talk of a buyer with Lucas, line by line. Started by `dev.chat` and `dev.demo`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

from bot.explain import explained
from bot.stock import Stock
from dev.chat import view
from dev.chat.installation import Installation
from dev.chat.phones import Buyer, Shop, Written
from dev.chat.rows import MessageRow, Progress, decision_of, replies_of
from dev.chat.screen import Screen
from dev.chat.trace import steps_of
from gateway.standin.values import Outgoing

_ANSWER_S = 60.0
_LOOK_EVERY_S = 0.1
_OK = 200


class Chat:
    """One buyer at a time, with a conversation at each shop."""

    def __init__(
        self, installation: Installation, screen: Screen, *, empresa_id: int, explain: bool = False
    ) -> None:
        """`explain`: the reason beside each answer, until /porque says otherwise."""
        self._explain = explain
        self._installation = installation
        self._screen = screen
        self._empresa_id = empresa_id
        self._buyers: dict[int, Buyer] = {}
        self._progress: Progress | None = None
        """Of the last message; None while nothing is open."""
        self._watching: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "/trace": self._trace,
            "/porque": self._toggle_reasons,
            "/loja": self._change_shop,
            "/carros": self._cars,
            "/novo": self._new_buyer,
            "/ajuda": self._help,
        }

    async def run(self) -> None:
        """Until /sair or the end of input. Raises NotAnswered where nobody types."""
        try:
            self._enter(self._empresa_id)
            async for line in self._screen.lines(self.status):
                if line == "/sair":
                    return
                await self._take(line)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def status(self) -> str:
        """What is going on at this moment, in one line."""
        if self._progress is None:
            dealer = self._buyer.shop.dealer
            return f"{dealer.nome} · empresa {dealer.empresa_id} · {dealer.gateway} · /ajuda"
        if not self._progress.turn:
            return "A mensagem está a caminho…"
        left_s = self._progress.left_s()
        return view.waiting(left_s) if left_s > 0 else "Lucas escreve…"

    @property
    def _buyer(self) -> Buyer:
        return self._buyers[self._empresa_id]

    async def _take(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if name in self._commands:
            await self._commands[name](rest.strip())
        elif line.startswith("/"):
            self._screen.show(view.note(f"{name}: não conheço este comando; /ajuda mostra todos"))
        elif line:
            await self._write(line)

    async def _write(self, text: str) -> None:
        buyer = self._buyer
        sent = await buyer.writes(text)
        self._screen.show(view.buyer_bubble(text, shop=buyer.shop.dealer.nome))
        if _OK not in buyer.deliveries(sent.message_id):
            self._screen.show(view.note("O webhook não aceitou; o gateway vai tentar de novo."))
        if self._screen.live:
            self._watch(buyer, sent)
        else:
            await self._wait(buyer, sent)

    async def _wait(self, buyer: Buyer, sent: Written) -> None:
        """Where nobody types: the whole answer, before the next line."""
        seen = len(buyer.bubbles())
        rows = self._installation.rows(self._empresa_id)
        stored = await rows.stored(buyer.phone, sent.message_id, timeout_s=_ANSWER_S)
        self._say_wait(stored)
        turn = await rows.answered(buyer.phone, sent.message_id, timeout_s=_ANSWER_S)
        for bubble in buyer.bubbles()[seen:]:
            self._show(buyer, bubble)
        await self._ended_turn(buyer, turn)

    def _watch(self, buyer: Buyer, sent: Written) -> None:
        """Keeps `status` true until the message is answered; the newest message is the one."""
        if self._watching is not None:
            self._watching.cancel()
        self._progress = Progress(turn=[], due_at=None, over=False)
        self._watching = self._spawn(self._follow_turn(buyer, sent))

    async def _follow_turn(self, buyer: Buyer, sent: Written) -> None:
        rows = self._installation.rows(buyer.shop.dealer.empresa_id)
        while True:
            progress = await rows.progress(buyer.phone, sent.message_id)
            if progress.over:
                break
            if self._progress is None or self._progress.due_at != progress.due_at:
                self._say_wait(progress)
            self._progress = progress
            await asyncio.sleep(_LOOK_EVERY_S)
        self._progress = None
        await self._ended_turn(buyer, progress.turn)

    async def _ended_turn(self, buyer: Buyer, turn: Sequence[MessageRow]) -> None:
        """What no bubble says: that he keeps quiet, and the reason where it is wanted."""
        if not replies_of(turn):
            self._screen.show(view.silence(turn))
        if self._explain:
            cars = await self._installation.rows(buyer.shop.dealer.empresa_id).cars()
            self._screen.show(view.reasons(explained(decision_of(turn), Stock.build(cars))))

    async def _toggle_reasons(self, _: str) -> None:
        self._explain = not self._explain
        told = "aparece" if self._explain else "não aparece mais"
        self._screen.show(view.note(f"O motivo {told} ao lado de cada resposta."))

    def _say_wait(self, progress: Progress) -> None:
        if progress.left_s() > 0 and not self._screen.shows_status:
            self._screen.show(view.note(view.waiting(progress.left_s())))

    async def _follow_bubbles(self, buyer: Buyer) -> None:
        seen = 0
        while True:
            bubbles = await buyer.more_than(seen)
            for bubble in bubbles[seen:]:
                self._show(buyer, bubble)
            seen = len(bubbles)

    def _show(self, buyer: Buyer, bubble: Outgoing) -> None:
        self._screen.show(
            view.lucas_bubble(
                bubble.text,
                bubble.media,
                shop=buyer.shop.dealer.nome,
                after_s=buyer.after_s(bubble),
            )
        )

    def _enter(self, empresa_id: int) -> None:
        self._empresa_id = empresa_id
        if empresa_id not in self._buyers:
            buyer = self._buyers[empresa_id] = self._installation.buyer(empresa_id)
            if self._screen.live:
                self._spawn(self._follow_bubbles(buyer))
        self._screen.show(
            view.note(f"— {self._buyer.shop.dealer.nome}: escreva como um comprador. —")
        )

    async def _change_shop(self, wanted: str) -> None:
        ids = list(self._installation.shops)
        if not wanted:  # the next one
            wanted = str(ids[(ids.index(self._empresa_id) + 1) % len(ids)])
        if wanted not in map(str, ids):
            known = ", ".join(f"{i} {shop.dealer.nome}" for i, shop in self._shops())
            self._screen.show(view.note(f"As lojas são: {known}"))
            return
        self._enter(int(wanted))

    async def _new_buyer(self, _: str) -> None:
        self._buyers.pop(self._empresa_id)
        self._enter(self._empresa_id)

    async def _cars(self, _: str) -> None:
        cars = await self._installation.rows(self._empresa_id).cars()
        self._screen.show(view.cars_table(cars, shop=self._buyer.shop.dealer.nome))

    async def _help(self, _: str) -> None:
        self._screen.show(view.help_table())

    async def _trace(self, _: str) -> None:
        buyer, rows = self._buyer, self._installation.rows(self._empresa_id)
        if not buyer.written:
            self._screen.show(view.note("Escreva algo antes; depois /trace mostra o caminho."))
            return
        progress = await rows.progress(buyer.phone, buyer.written[-1].message_id)
        steps = steps_of(
            progress.turn, self._installation.log_of(self._empresa_id), await rows.cars()
        )
        if steps:
            self._screen.show(view.trace_table(steps))
        if not progress.over:
            self._screen.show(view.note("Ainda não terminou; /trace mostra mais em seguida."))

    def _shops(self) -> list[tuple[int, Shop]]:
        return list(self._installation.shops.items())

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._progress = None
            self._screen.show(view.note(f"erro: {error}"))
