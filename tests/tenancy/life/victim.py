"""Runs an operation in a process of its own that kills itself. Used by `test_killed`."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from tenancy.empresas import Profile
from tenancy.life import backup, delete, move, restore
from tenancy.life.settings import BackupSettings
from tenancy.life.store import BackupStore
from tenancy.life.tools import Tools, open_tools
from tenancy.provision import Provisioner
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.life.at_work import AtWork
from worker.life.forget import Forget
from worker.life.restored import after_restore
from worker.media.settings import MediaSettings
from worker.media.store import open_store

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to do, and where all that it needs is."""

    act: str
    """create, backup, restore, move or delete."""
    settings: TenancySettings
    redis_url: str
    folder: Path
    empresa_id: int
    host: str = ""
    port: int = 0
    backup: str = ""


def killed(order: Order) -> bool:
    """Runs the order up to a step that no run has died in yet. There the process kills itself (as
    `kill -9` does) once the step is done and not recorded. False: it came to its end instead."""
    child = _FORKS.Process(target=_die_in_a_new_step, args=(order,))
    child.start()
    child.join(_PATIENCE_S)
    code = child.exitcode
    assert code in (0, -signal.SIGKILL), f"the operation failed: exit code {code}"
    return code != 0


def _die_in_a_new_step(order: Order) -> None:
    graves = order.folder / f"died-in-{order.act}"

    def moment(step: str, moment: str) -> None:
        died = graves.read_text().splitlines() if graves.exists() else []
        if moment == "acted" and step not in died:
            graves.write_text("\n".join([*died, step]))
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(carry_out(order, moment))


async def carry_out(order: Order, watch: Callable[[str, str], None]) -> Any:
    """The order, by the functions that the commands call."""
    if order.act == "create":
        return await _create(order, watch)
    store = BackupStore(BackupSettings(store=str(order.folder / "backups")))
    async with (
        Redis.from_url(order.redis_url) as redis,
        open_tools(order.settings, AtWork(redis), store, watch=watch, patience_s=5) as tools,
    ):
        files = open_store(MediaSettings(store=str(order.folder / "media")))
        return await _ACTS[order.act](tools, Forget(redis, files), order)


async def _create(order: Order, watch: Callable[[str, str], None]) -> Any:
    """Its steps look for themselves whether they are done: each run does all of them."""
    provisioner = Provisioner(order.settings, report=lambda step: watch(step, "acted"))
    return await provisioner.create(order.empresa_id, Profile(nome="Loja 1"))


async def _move(tools: Tools, _elsewhere: Forget, order: Order) -> Any:
    return await move.move(tools, order.empresa_id, order.host, order.port)


async def _backup(tools: Tools, _elsewhere: Forget, order: Order) -> Any:
    return await backup.back_up(tools, order.empresa_id)


async def _restore(tools: Tools, _elsewhere: Forget, order: Order) -> Any:
    async with open_tenancy(tools.settings) as rooms:
        return await restore.restore(
            tools,
            order.empresa_id,
            order.backup,
            after_restore=after_restore(rooms.central, rooms.keyring),
        )


async def _delete(tools: Tools, elsewhere: Forget, order: Order) -> Any:
    folder = order.folder / "export"
    return await delete.delete(
        tools, elsewhere, order.empresa_id, confirmed="Loja 1", export_to=folder
    )


_ACTS: dict[str, Callable[[Tools, Forget, Order], Awaitable[Any]]] = {
    "backup": _backup,
    "restore": _restore,
    "move": _move,
    "delete": _delete,
}
