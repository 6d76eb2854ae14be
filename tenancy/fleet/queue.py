"""Does a piece of work for many dealers at once, with few at each server. Used by `tenancy.fleet`.

A server serialises DDL: four at a time is all that it is good for, and a slow or dead one keeps
only its own dealers waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tenancy.empresas import EmpresaRow
from tenancy.fleet.waves import address_of

PER_HOST = 4
IN_ALL = 32


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many are worked for at the same time."""

    per_host: int = PER_HOST
    in_all: int = IN_ALL

    async def work(
        self,
        rows: Iterable[EmpresaRow],
        one: Callable[[EmpresaRow], Awaitable[None]],
        *,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Calls `one` for each row; begins none any more once `go_on` is false.

        Raises what `one` raises; what is under way is then cancelled.
        """
        hosts: dict[tuple[str, int], deque[EmpresaRow]] = {}
        for row in rows:
            hosts.setdefault(address_of(row), deque()).append(row)
        places = asyncio.Semaphore(self.in_all)

        async def take(waiting: deque[EmpresaRow]) -> None:
            while True:
                async with places:  # who has worked queues up behind those of the other hosts
                    if not waiting or not go_on():
                        return
                    await one(waiting.popleft())

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.per_host):
                    for waiting in hosts.values():
                        group.create_task(take(waiting), name="fleet")
        except ExceptionGroup as error:
            raise error.exceptions[0] from error
