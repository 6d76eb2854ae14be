"""One open connection to a database server: statements with deadlines and typed errors.

Made by `tenancy.opening`; used by `tenancy.pool` (pooled) and `tenancy.direct` (for one owner).
"""

# mypy: disable-error-code="no-untyped-call"
# The driver ships no types.

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from enum import Enum

import structlog
from pymysql.err import MySQLError

from schema.errors import HelixError
from tenancy.driver import DriverConnection, QuietCursor
from tenancy.faults import Faults, Trouble, code_of, is_answer, translated, trouble_of
from tenancy.literals import Params, with_rows, with_values
from tenancy.meter import meter_of
from tenancy.target import Limits, Target
from tenancy.trips import Result, in_trips, results_of

log = structlog.get_logger()

_BEGIN = "BEGIN"
_MUTE_S = 2.0
"""The server ends a statement at its limit; a peer that is mute this much longer is gone."""
_OVER_TIME = frozenset({1969, 3024})
_BROKEN = (Trouble.LOST, Trouble.SERVER)
_LEAVES_TRACES = re.compile(
    r"^\s*(?:SET|USE|LOCK|HANDLER|PREPARE|CREATE\s+TEMPORARY)\b|\bGET_LOCK\s*\(|@\w+\s*:=|\bINTO\s+@",
    re.IGNORECASE,
)
"""Statements that outlive themselves: a connection that ran one has no next user."""

_QUOTED = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'", re.DOTALL)
"""Names and texts within a statement: what they hold is none of its structure."""

Kill = Callable[[Target, int], None]


class Profile(Enum):
    """What a connection is for."""

    WORK = "work"
    """Short statements under a time limit."""
    ADMIN = "admin"
    """Migrations: statements may take their time, locks in the way may not."""


class Session:
    """Belongs to one task at a time. After an error that leaves its state in doubt it is cut."""

    def __init__(
        self,
        driver: DriverConnection,
        target: Target,
        limits: Limits,
        faults: Faults,
        kill: Kill,
        profile: Profile,
    ) -> None:
        self.target = target
        self.limits = limits
        self._driver = driver
        self._faults = faults
        self._kill = kill
        self._together = profile is Profile.WORK
        # A migration takes as long as it takes.
        self._deadline_s = limits.statement_s + _MUTE_S if self._together else None
        self._busy = False
        self._tainted = False
        self._cut = False
        self._waiting: list[str] = []
        self.lost = False
        """Whether it broke while it was in use: its server may be in trouble."""
        self.opened_at = self.idle_since = asyncio.get_running_loop().time()

    @property
    def thread_id(self) -> int:
        """The server's number for this connection."""
        return int(self._driver.thread_id())

    @property
    def alive(self) -> bool:
        """False once the connection is known to be gone."""
        return self._driver.alive

    @property
    def reusable(self) -> bool:
        """Whether another user may have it: open, nothing left to read, nothing left behind."""
        driver = self._driver
        return (
            not self._busy
            and not self._tainted
            and driver.alive
            and not driver.half_read
            and not self.in_transaction
            and not self._waiting
        )

    async def run(
        self,
        sql: str,
        params: Params = (),
        *,
        rows: Iterable[Params] | None = None,
        deadline_s: float | None = None,
    ) -> Result:
        """Runs one statement, after those that wait; with `rows`, a multi-row INSERT.

        Raises the classes of schema.errors. When it is cancelled or its deadline passes, the socket
        is cut and the statement is killed on the server.
        """
        texts = self._written(sql, params, rows)
        results = await self._in_trips(texts, deadline_s)
        *_, last = results
        return replace(last, matched=sum(result.matched for result in results))

    async def run_together(self, *asked: tuple[str, Params]) -> list[Result]:
        """Runs some statements in one round trip; the server goes on to the next after each.

        Raises as `run` does: what comes behind a statement that fails is not run.
        """
        texts = [text for sql, params in asked for text in self._written(sql, params, None)]
        return await self._in_trips(texts, None)

    def later(self, sql: str, params: Params = (), *, rows: Iterable[Params] | None = None) -> None:
        """Runs a statement whose result nobody needs, on the way of the next one and before it.

        Its failure is raised there. Raises RuntimeError outside a transaction: then there may be no
        next one.
        """
        if not self._waiting and not self.in_transaction:
            raise RuntimeError("only in a transaction may a statement wait for the next one")
        self._waiting += self._written(sql, params, rows)

    async def run_waiting(self) -> None:
        """Runs what `later` was given, if anything still waits."""
        if self._waiting:
            await self._in_trips([], None)

    def forget_waiting(self) -> None:
        """Drops what `later` was given and nothing has carried along yet."""
        self._waiting.clear()

    def begin(self) -> None:
        """The next statement begins a transaction."""
        self._waiting = [_BEGIN]

    @property
    def untouched(self) -> bool:
        """Whether nothing has been asked for since `begin`."""
        return self._waiting == [_BEGIN]

    @property
    def in_transaction(self) -> bool:
        """Whether the server said so last."""
        return bool(self._driver.get_transaction_status())

    def _written(self, sql: str, params: Params, rows: Iterable[Params] | None) -> list[str]:
        if self._together and ";" in sql and ";" in _QUOTED.sub("", sql):
            raise ValueError("a statement of its own for each, and values as its parameters")
        self._tainted = self._tainted or _LEAVES_TRACES.search(sql) is not None
        return [with_values(sql, params)] if rows is None else list(with_rows(sql, rows))

    async def _in_trips(self, texts: Sequence[str], deadline_s: float | None) -> list[Result]:
        """The results of `texts`; what waits goes before them."""
        if self._busy:
            raise RuntimeError("a connection runs one statement at a time; take a second one")
        sent = [*self._waiting, *texts]
        self._waiting.clear()
        self._busy = True
        cursor = QuietCursor(self._driver)
        results: list[Result] = []
        try:
            async with asyncio.timeout(deadline_s or self._deadline_s):
                for trip in in_trips(sent) if self._together else zip(sent):
                    results += await results_of(cursor, trip)
        except BaseException as error:
            if not is_answer(error):
                self.cut()
            named = self._named(error)
            if isinstance(error, TimeoutError) or code_of(error) in _OVER_TIME:
                meter_of(self.target).statement_timeouts += 1
            self.lost = self.lost or trouble_of(named) in _BROKEN
            if named is error:
                raise
            raise named from _cause(error)
        finally:
            self._busy = False
        return results[len(sent) - len(texts) :]

    def cut(self) -> None:
        """Ends the connection at once; a statement that still runs is killed on the server."""
        thread_id, runs = self.thread_id, self._busy and not self._cut
        self._cut = True
        self._driver.abort()
        if runs:
            self._kill(self.target, thread_id)

    def quit(self) -> None:
        """Ends an idle connection politely, without waiting."""
        self._driver.quit()

    async def ping(self, deadline_s: float) -> bool:
        """Whether the server still answers; if not, the connection is cut."""
        try:
            await self.run("DO 0", deadline_s=deadline_s)
        except HelixError:
            self.cut()
            self.lost = False  # firewalls drop what is idle; that says nothing of the server
            return False
        return True

    def settle(self) -> None:
        """What was set so far belongs to it: from here on whatever a statement leaves counts."""
        self._tainted = False

    def _named(self, error: BaseException) -> BaseException:
        if isinstance(error, MySQLError):
            return translated(error, self._faults)
        if isinstance(error, TimeoutError):
            return self._faults.unavailable("no answer within the deadline", Trouble.LOST)
        if isinstance(error, OSError):
            return self._faults.unavailable(type(error).__name__, Trouble.LOST)
        return error


def _cause(error: BaseException) -> BaseException | None:
    """Answers of a server quote values of rows; they are not carried along."""
    return None if is_answer(error) else error.__cause__ or error
