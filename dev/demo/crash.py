"""The part of the demo in which a worker is killed in mid-turn. Called by `dev.demo.script`.

To hit the moment between storing and answering for sure, the demo holds a row that the worker's
transaction needs; the worker waits for it, with its lease in hand, and gets SIGKILL there.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from dev.chat import view
from dev.chat.rows import replies_of
from dev.chat.start import Failed
from dev.demo.acts import SECOND, each_once
from dev.demo.stage import Stage
from worker.queue.keys import Task, TaskKeys

_HOLD = "SELECT epoca FROM `{}`._leases WHERE nome = %(task)s FOR UPDATE"
_WAITING = """
    SELECT COUNT(*) FROM information_schema.PROCESSLIST
     WHERE DB = %(database)s AND INFO LIKE '%%_leases%%' AND ID <> CONNECTION_ID()
"""
_LOOK_EVERY_S = 0.02
_REACHED_S = 20.0
_TAKEN_OVER_S = 15.0
_OK = 200


async def worker_killed(stage: Stage) -> None:
    """Nothing is lost and nothing doubled when a worker dies between storing and answering."""
    stage.act("5. Um worker morre no meio da conversa")
    installation, buyer = stage.installation, stage.buyers[SECOND]
    first = await stage.says(SECOND, "agora procuro um sedan automático")
    await stage.stored(SECOND, first)
    victim = installation.worker
    async with _held_up(stage):
        lease = TaskKeys(SECOND, Task.DRAIN).lease
        held = bool(await installation.redis.exists(lease))
        victim.kill()
        code = await victim.child.wait()
        killed_at = time.monotonic()
        stage.note(f"kill -9 {victim.pid}: morreu na transação da resposta; ninguém mais trabalha")
        second = await stage.says(SECOND, "até 100 mil")
    stage.promise(
        code == -signal.SIGKILL and held,
        "o worker morreu com a trava na mão, depois de gravar e antes de responder",
    )
    stage.promise(
        buyer.deliveries(second.message_id) == [_OK],
        "sem nenhum worker vivo, o webhook aceitou a mensagem seguinte com 200",
    )
    await installation.another_worker()
    left_s = _TAKEN_OVER_S - (time.monotonic() - killed_at)
    await stage.answer(SECOND, second, timeout_s=max(left_s, 0))
    took = time.monotonic() - killed_at
    stage.promise(
        took <= _TAKEN_OVER_S, f"outro worker assumiu e respondeu {view.seconds(took)} depois"
    )
    await _nothing_lost_or_doubled(stage, [first.message_id, second.message_id])


async def _nothing_lost_or_doubled(stage: Stage, asked: list[str]) -> None:
    buyer = stage.buyers[SECOND]
    rows = await stage.installation.rows(SECOND).messages(buyer.phone)
    stored = [row for row in rows if row.external_id in asked]
    stage.promise(
        [row.external_id for row in stored] == asked,
        "as duas mensagens estão no banco, uma vez cada, na ordem",
    )
    answered = {row.turn for row in replies_of(rows)}
    stage.promise(
        all(row.turn in answered for row in stored),
        "um turno respondeu as duas",
    )
    each_once(stage, buyer, replies_of(rows))


@asynccontextmanager
async def _held_up(stage: Stage) -> AsyncIterator[None]:
    """Inside the block the worker stands in the middle of its transaction.

    Raises Failed when it never gets there.
    """
    servers, tenancy = stage.installation.servers, stage.installation.tenancy
    database = str((await tenancy.registry.tenant(SECOND)).target.database)
    async with servers.mariadb.connect() as holder, servers.mariadb.connect() as watcher:
        await holder.begin()
        async with holder.cursor() as cursor:
            await cursor.execute(_HOLD.format(database), {"task": Task.DRAIN.value})
        await _until_somebody_waits(watcher, database)
        yield
        await holder.rollback()


async def _until_somebody_waits(watcher: Any, database: str) -> None:
    try:
        async with asyncio.timeout(_REACHED_S), watcher.cursor() as cursor:
            while True:
                await cursor.execute(_WAITING, {"database": database})
                if (await cursor.fetchone())[0]:
                    return
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError:
        raise Failed("o worker não chegou ao turno que devia responder") from None
