"""A connection on loan: what repositories are given. Made by `tenancy.pools` and `.central`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from schema.errors import CommitUnknown, HelixError
from tenancy.literals import Params
from tenancy.meter import meter_of
from tenancy.session import Session
from tenancy.trips import Result

log = structlog.get_logger()

_ROLLBACK_S = 2.0


class Connection:
    """Runs statements until it is given back; after that every use raises RuntimeError.

    SQL holds `%(name)s` or `%s` for values (then a percent sign is written `%%`). All methods raise
    the classes of schema.errors. Times go in with a zone or in UTC and come out naive, in UTC.
    """

    def __init__(self, session: Session) -> None:
        self._session: Session | None = session
        self.last_id = 0
        """AUTO_INCREMENT id of the last INSERT; of a multi-row one, its first row's."""

    async def fetch_all(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """All rows."""
        return list((await self._run(sql, params)).rows)

    async def fetch_one(self, sql: str, params: Params = ()) -> tuple[Any, ...] | None:
        """The first row, None when there is none."""
        rows = (await self._run(sql, params)).rows
        return rows[0] if rows else None

    async def fetch_dicts(self, sql: str, params: Params = ()) -> list[dict[str, object]]:
        """All rows by the names of their columns."""
        result = await self._run(sql, params)
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]

    async def execute(self, sql: str, params: Params = ()) -> int:
        """How many rows an UPDATE matched (changed or not), or another statement affected.

        INSERT .. ON DUPLICATE KEY UPDATE counts 1 for a new row and for an unchanged one, 2 for a
        changed one.
        """
        return (await self._run(sql, params)).matched

    async def execute_many(self, sql: str, rows: Iterable[Params]) -> int:
        """One INSERT .. VALUES with many rows (several above 1 MB). Returns the rows affected."""
        given = list(rows)
        return (await self._run(sql, (), rows=given)).matched if given else 0

    async def fetch_together(self, *asked: tuple[str, Params]) -> list[list[tuple[Any, ...]]]:
        """The rows of each statement, all in one round trip."""
        return [list(result.rows) for result in await self.run_together(*asked)]

    async def run_together(self, *asked: tuple[str, Params]) -> list[Result]:
        """What each statement gave back, all in one round trip."""
        return await self._held().run_together(*asked)

    def later(self, sql: str, params: Params = ()) -> None:
        """In a transaction: runs on the way of the next statement, before it.

        For what nobody waits for; its failure is raised there, at the latest before COMMIT.
        """
        self._held().later(sql, params)

    def later_many(self, sql: str, rows: Iterable[Params]) -> None:
        """`execute_many`, run as `later` says."""
        given = list(rows)
        if given:
            self._held().later(sql, rows=given)

    def expire(self) -> None:
        """The loan is over."""
        self._session = None

    async def _run(
        self, sql: str, params: Params, *, rows: Sequence[Params] | None = None
    ) -> Result:
        result = await self._held().run(sql, params, rows=rows)
        self.last_id = result.last_id or self.last_id
        return result

    def _held(self) -> Session:
        if self._session is None:
            raise RuntimeError("this connection was given back; it serves someone else by now")
        return self._session


class TenantConnection(Connection):
    """A connection to the database of one empresa."""

    def __init__(self, session: Session, empresa_id: int) -> None:
        super().__init__(session)
        self.empresa_id = empresa_id


C = TypeVar("C", bound=Connection)


@asynccontextmanager
async def on_loan(
    session: Session, conn: C, give_back: Callable[[Session], None]
) -> AsyncIterator[C]:
    """Lends a connection for the length of a block."""
    try:
        yield conn
    finally:
        conn.expire()
        give_back(session)


@asynccontextmanager
async def in_transaction(session: Session) -> AsyncIterator[None]:
    """BEGIN; COMMIT at the end of the block, ROLLBACK when it raises.

    BEGIN goes with the first statement; a block that runs none costs nothing. A COMMIT that was
    sent is waited for even when the task is cancelled meanwhile (the server carries it out anyway).
    Raises CommitUnknown when its answer got lost.
    """
    session.begin()
    try:
        yield
        if session.untouched:
            return
        await session.run_waiting()
    except Exception:
        await _roll_back(session)
        raise
    finally:
        # When the block is cancelled nothing more is sent: the connection is found in a transaction
        # when it is given back, and cut; the server rolls back.
        session.forget_waiting()
    await _commit(session)


async def _roll_back(session: Session) -> None:
    session.forget_waiting()
    if not session.in_transaction:
        return
    try:
        await session.run("ROLLBACK", deadline_s=_ROLLBACK_S)
    except HelixError as error:
        session.cut()
        log.info("rollback by cutting the connection", reason=str(error))


async def _commit(session: Session) -> None:
    limit_s = session.limits.commit_s
    commit = asyncio.create_task(session.run("COMMIT", deadline_s=limit_s), name="commit")
    cancelled: asyncio.CancelledError | None = None
    while not commit.done():
        try:
            await asyncio.wait({commit})
        except asyncio.CancelledError as error:
            cancelled = error
    failure = commit.exception()
    if cancelled is not None:
        if failure is not None:
            meter_of(session.target).commits_unknown += 1
            log.warning("commit unknown after a cancel", reason=str(failure))
        raise cancelled
    if failure is not None and not session.alive and isinstance(failure, HelixError):
        meter_of(session.target).commits_unknown += 1
        raise CommitUnknown("COMMIT was sent and its answer got lost") from failure
    if failure is not None:
        raise failure  # the server answered: nothing was committed
