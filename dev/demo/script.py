"""Plays the whole talk and shows what it left behind. Called by `python -m dev.demo`."""

from __future__ import annotations

import asyncio

from dev.chat import view
from dev.chat.installation import Installation
from dev.chat.rows import TABLES, replies_of
from dev.chat.screen import Screen
from dev.demo import acts
from dev.demo.crash import worker_killed
from dev.demo.stage import Stage
from worker.queue.inbox import Inbox
from worker.queue.keys import dead_letters

_SHOWN = 30
_DRAINED_S, _LOOK_EVERY_S = 5.0, 0.02

Counts = dict[int, tuple[int, ...]]


async def play(installation: Installation, screen: Screen) -> None:
    """Raises Failed with the first promise that is not kept."""
    stage = Stage(installation, screen)
    before, dead = await _counts(installation), await _dead(installation)
    await acts.search(stage)
    await acts.burst(stage)
    await acts.duplicate(stage)
    await acts.side_by_side(stage)
    await worker_killed(stage)
    await _nothing_left(stage, dead)
    _show_rows(stage, before, await _counts(installation))
    _show_times(stage)


async def _counts(installation: Installation) -> Counts:
    return {id_: await installation.rows(id_).counts() for id_ in installation.shops}


async def _dead(installation: Installation) -> dict[int, int]:
    """Dead letters by empresa; an earlier run may have left some."""
    return {id_: await installation.redis.xlen(dead_letters(id_)) for id_ in installation.shops}


async def _nothing_left(stage: Stage, dead_before: dict[int, int]) -> None:
    stage.act("No fim")
    installation = stage.installation
    dead = await _dead(installation)
    for empresa_id, buyer in stage.buyers.items():
        rows = await installation.rows(empresa_id).messages(buyer.phone)
        received = [row.external_id for row in rows if row.received]
        stage.promise(
            received == [message.message_id for message in buyer.written],
            f"empresa {empresa_id}: as {len(received)} mensagens do comprador estão no banco, "
            "uma vez cada, na ordem",
        )
        stage.promise(
            all(row.status == "entregue" for row in replies_of(rows)),
            f"empresa {empresa_id}: os {len(replies_of(rows))} balões foram entregues",
        )
        stage.promise(
            await _is_drained(installation, empresa_id)
            and dead[empresa_id] == dead_before[empresa_id],
            f"empresa {empresa_id}: a fila está vazia e nada foi parar nas cartas mortas",
        )


async def _is_drained(installation: Installation, empresa_id: int) -> bool:
    """Entries leave the inbox right after the commit that stored them."""
    inbox = Inbox(installation.redis)
    try:
        async with asyncio.timeout(_DRAINED_S):
            while True:
                if await inbox.depth(empresa_id) == 0:
                    return True
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        return False


def _show_rows(stage: Stage, before: Counts, after: Counts) -> None:
    ids = list(after)
    heads = ["tabela", *(f"empresa_{id_}_db" for id_ in ids), *(f"novas em {id_}" for id_ in ids)]
    rows = [
        [
            table,
            *(str(after[id_][place]) for id_ in ids),
            *(f"+{after[id_][place] - before[id_][place]}" for id_ in ids),
        ]
        for place, table in enumerate(TABLES)
    ]
    stage.show_figures("Linhas em cada banco", heads, rows, words=1)


def _show_times(stage: Stage) -> None:
    heads = ["loja", "responde a", "webhook", "espera", "decisão", "envio", "total"]
    rows = [
        [
            timing.shop,
            _short(timing.text),
            f"{timing.webhook_ms:.0f} ms",
            view.seconds(timing.waited_ms / 1000),
            f"{timing.decided_us} µs",
            f"{timing.sent_ms:.0f} ms",
            view.seconds(timing.total_s),
        ]
        for timing in stage.timings
    ]
    stage.show_figures("Tempos", heads, rows, words=2)
    stage.note(
        "espera: desde a primeira mensagem sem resposta · envio: da decisão até o gateway aceitar\n"
        "o primeiro balão · total: da última mensagem até o celular"
    )


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
