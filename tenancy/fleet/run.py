"""One run over all dealers: wave after wave, checked in between, stopped when it does harm.

Called by `helix migrate`. What is done is known by each database; a run that was killed is gone on
with by `resume`, or by a new run, which finds the same.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from schema.errors import (
    HelixError,
    MigrationLocked,
    NotConfigured,
    UnknownEmpresa,
    UnknownRun,
)
from schema.steps import Kind, versions
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.faults import CentralFaults
from tenancy.fleet.health import check
from tenancy.fleet.heavy import Heavy, MigrationUnproved
from tenancy.fleet.hosts import Hosts
from tenancy.fleet.ledger import Ledger
from tenancy.fleet.queue import Crowd
from tenancy.fleet.scribe import Scribe
from tenancy.fleet.values import Outcome, Report, RunState, State, Wave
from tenancy.fleet.waves import Brake, address_of, waves
from tenancy.migrate import as_migrator, migrate_selected
from tenancy.registry import NEW
from tenancy.roles import Roles
from tenancy.settings import TenancySettings
from tenancy.target import Limits

_CHECKED_AFTER = frozenset({Wave.CANARY, Wave.FIRST, Wave.TENTH})


class Onlooker:
    """Sees how a run goes. This one does nothing of it."""

    def begins(self, wave: Wave, size: int) -> None:
        """A wave of so many dealers."""

    def done(self, outcome: Outcome) -> None:
        """One of them."""

    async def wave_over(self, outcomes: Sequence[Outcome]) -> None:
        """All that were reached; workers may be told."""


@dataclass(slots=True)
class _Course:
    """A run while it goes on."""

    run: int
    todo: Mapping[int, Wave]
    rows: Mapping[int, EmpresaRow]
    roles: Roles
    heavy: Heavy = field(default_factory=Heavy)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    reason: str | None = None
    """Why it must stop."""
    hosts: Hosts = field(default_factory=Hosts)

    def goes_on(self) -> bool:
        return self.reason is None


class FleetRun:
    """Raises MigrationLocked when another run is under way, CentralUnavailable, UnknownEmpresa."""

    def __init__(
        self,
        settings: TenancySettings,
        *,
        onlooker: Onlooker | None = None,
        crowd: Crowd | None = None,
        wave_pause_s: float = 0,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`pause`: waits for so many seconds, between waves."""
        self._settings = settings
        self._limits = Limits.of(settings)
        self._onlooker = onlooker or Onlooker()
        self._crowd = crowd or Crowd()
        self._wave_pause_s = wave_pause_s
        self._pause = pause
        self._version = versions(Kind.TENANT)[-1].number

    async def start(self, *, only: int | None = None) -> Report:
        """A new run over all dealers who have a database, or over that one."""
        async with AsyncExitStack() as stack:
            ledger, rows = await self._open(stack)
            if only is not None:
                if only not in rows:
                    raise UnknownEmpresa(only)
                todo = {only: Wave.SINGLE}
            else:
                todo = waves([row for row in rows.values() if row.db_name])
            run = await ledger.begin(self._version, _runner(), todo)
            return await self._go(ledger, _Course(run, todo, rows, Roles(self._settings)))

    async def resume(self, run: int | None = None, *, retry_failed: bool = False) -> Report:
        """Goes on with a run, by default the last: with those who were not reached, and on demand
        with those who failed. Raises UnknownRun."""
        async with AsyncExitStack() as stack:
            ledger, rows = await self._open(stack)
            found = await (ledger.last() if run is None else ledger.get(run))
            if found is None:
                raise UnknownRun(run)
            known = await ledger.empresas(found.id)
            canaries = {id_ for id_, row in rows.items() if row.canary}
            done = {
                one.empresa_id
                for one in known
                if one.state is State.DONE and (one.version or 0) >= self._version
            }
            todo = {
                one.empresa_id: Wave.CANARY if one.empresa_id in canaries else one.wave
                for one in known
                if retry_failed or one.state is not State.FAILED
                if one.empresa_id not in done
            }
            heavy = Heavy(proved=not done.isdisjoint(canaries))
            await ledger.go_on(found.id, self._version, _runner())
            return await self._go(
                ledger, _Course(found.id, todo, rows, Roles(self._settings), heavy)
            )

    async def _open(self, stack: AsyncExitStack) -> tuple[Ledger, dict[int, EmpresaRow]]:
        """The ledger, locked for us until the stack is closed, and all dealers."""
        target = central_target(self._settings)
        conn = await stack.enter_async_context(direct(target, self._limits, CentralFaults()))
        ledger = Ledger(conn)
        await ledger.lock()
        return ledger, {row.id: row for row in await Empresas(conn).all()}

    async def _go(self, ledger: Ledger, course: _Course) -> Report:
        left = [wave for wave in Wave if wave in set(course.todo.values())]
        for wave in left:
            await self._wave(ledger, course, wave)
            if course.goes_on() and wave in _CHECKED_AFTER:
                await self._check(ledger, course, wave)
            await self._onlooker.wave_over(
                [one for one in course.outcomes.values() if one.wave is wave]
            )
            if not course.goes_on():
                break
            if wave is not left[-1] and self._wave_pause_s:
                await self._pause(self._wave_pause_s)
        state = RunState.DONE if course.goes_on() else RunState.STOPPED
        await ledger.end(course.run, state, course.reason)
        return Report(
            run=course.run,
            state=state,
            reason=course.reason,
            outcomes=tuple(course.outcomes.values()),
            pending=len(course.todo.keys() - course.outcomes.keys()),
        )

    async def _wave(self, ledger: Ledger, course: _Course, wave: Wave) -> None:
        ids = [id_ for id_, its in course.todo.items() if its is wave]
        scribe, brake = Scribe(ledger, course.run), Brake(wave, len(ids))

        def note(outcome: Outcome) -> None:
            scribe.came_out(outcome)
            if outcome.state is State.PENDING:
                course.reason = course.reason or str(outcome.error)
                return
            course.outcomes[outcome.empresa_id] = outcome
            course.heavy.note(outcome)
            if outcome.state is not State.SKIPPED:
                course.reason = course.reason or brake.note(outcome)
            self._onlooker.done(outcome)

        async def one(row: EmpresaRow) -> None:
            scribe.began(row.id)
            note(await self._migrate(course, row, wave))

        self._onlooker.begins(wave, len(ids))
        for gone in [id_ for id_ in ids if id_ not in course.rows]:
            note(_outcome(gone, wave, State.SKIPPED, error=UnknownEmpresa(gone)))
        rows = [course.rows[id_] for id_ in ids if id_ in course.rows]
        await self._written(scribe, self._crowd.work(rows, one, go_on=course.goes_on))

    async def _check(self, ledger: Ledger, course: _Course, wave: Wave) -> None:
        """Each dealer of the wave as his worker will find him. One whose server went away since is
        no reason to stop."""
        done = [
            one for one in course.outcomes.values() if one.wave is wave and one.state is State.DONE
        ]
        scribe, brake = Scribe(ledger, course.run), Brake(wave, len(done))

        async def one(row: EmpresaRow) -> None:
            try:
                await check(self._settings, row)
            except HelixError as error:
                outcome = _outcome(row.id, wave, State.FAILED, error=error)
                course.outcomes[row.id] = outcome
                scribe.came_out(outcome)
                if brake.note(outcome) or not outcome.is_away:
                    course.reason = course.reason or f"health check of wave {wave}: {error}"

        rows = [course.rows[outcome.empresa_id] for outcome in done]
        await self._written(scribe, self._crowd.work(rows, one, go_on=course.goes_on))

    async def _written(self, scribe: Scribe, work: Awaitable[None]) -> None:
        """Does the work while the scribe writes of it."""

        async def to_its_end() -> None:
            try:
                await work
            finally:
                scribe.close()

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(scribe.write(), name="fleet-ledger")
                group.create_task(to_its_end(), name="fleet-wave")
        except ExceptionGroup as error:
            raise error.exceptions[0] from error

    async def _migrate(self, course: _Course, row: EmpresaRow, wave: Wave) -> Outcome:
        if row.place is None or row.status == NEW:
            reason = "it is not made yet; `helix empresa create` or `adopt` ends that"
            return _outcome(row.id, wave, State.SKIPPED, error=NotConfigured(row.id, reason))
        address, began = address_of(row), asyncio.get_running_loop().time()
        failure: HelixError | None = None
        try:
            course.hosts.refuse_dead(address, row.id)
            async with (
                as_migrator(course.roles, row) as conn,
                course.heavy.turn(conn, address, wave),
            ):
                migrated = await migrate_selected(conn, lock_wait_s=0)
        except MigrationUnproved as error:
            return _outcome(row.id, wave, State.PENDING, error=error)
        except MigrationLocked as error:
            return _outcome(row.id, wave, State.SKIPPED, error=error)
        except HelixError as error:
            failure = error
            return _outcome(row.id, wave, State.FAILED, error=error)
        finally:
            course.hosts.note(address, failure)
        took_s = asyncio.get_running_loop().time() - began
        return Outcome(
            empresa_id=row.id,
            wave=wave,
            state=State.DONE,
            database=migrated.database,
            steps=migrated.steps,
            version=migrated.version,
            duration_ms=round(took_s * 1000),
        )


def _outcome(empresa_id: int, wave: Wave, state: State, *, error: HelixError) -> Outcome:
    return Outcome(empresa_id=empresa_id, wave=wave, state=state, error=error)


def _runner() -> str:
    """Who runs this, for whoever is told to wait for it."""
    return f"{getpass.getuser()}@{socket.gethostname()}:{os.getpid()}"[:190]
