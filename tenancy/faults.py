"""Translates the errors of the MySQL driver, once, at the edge. Used by `tenancy.session`.

Numbers: MariaDB and MySQL error code references; above 2000 (CR_*) they come from the client.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Protocol

from pymysql.err import MySQLError

from schema.errors import (
    BadData,
    CentralUnavailable,
    DuplicateKey,
    HelixError,
    NotConfigured,
    NotMigrated,
    ServerRefused,
    ServerUnavailable,
    StatementRefused,
    TenantOnHold,
    TenantRefused,
    TenantUnavailable,
    TryAgain,
    WrongTenant,
)

_UNAVAILABLE = frozenset(
    {
        1021,  # disk full
        1030,  # error from the storage engine
        1037,  # out of memory
        1038,  # out of sort memory
        1040,  # too many connections
        1047,  # not ready (a Galera node without its cluster)
        1053,  # server shutdown in progress
        1114,  # table or tablespace full
        1129,  # host blocked after connection errors
        1158,  # network: read error
        1159,  # network: read time-out
        1160,  # network: write error
        1161,  # network: write time-out
        1180,  # error during COMMIT
        1203,  # user has too many connections
        1206,  # too many locks
        1226,  # user has exceeded a resource limit
        1290,  # read only
        1836,  # read only mode
        1874,  # InnoDB is read only
        1927,  # connection was killed
        2002,  # cannot connect (socket)
        2003,  # cannot connect
        2006,  # server has gone away
        2013,  # lost connection during query
        4031,  # disconnected by the server because of inactivity
    }
)
_REFUSED = {
    1044: "access to the database is denied",
    1045: "user or password is wrong",
    1049: "there is no such database",
    1142: "the user lacks a right on a table",
    1143: "the user lacks a right on a column",
    1227: "the user lacks an administrative right",
    1370: "the user lacks a right on a routine",
    1410: "the user may not grant rights",
    1698: "the user cannot log in with a password",
    4151: "the account is locked",
}
_TRY_AGAIN = {
    1205: "a lock was not free in time",
    1213: "a deadlock",
    1317: "the statement was interrupted",
    1969: "the statement took too long",
    3024: "the statement took too long",
}
_DUPLICATE = frozenset({1062, 1169, 1586})
_BAD_DATA = {
    1048: "a value is missing",
    1216: "the row that it refers to is missing",
    1217: "other rows refer to it",
    1264: "a number is out of range",
    1265: "a value does not fit",
    1292: "a value is not of the column's type",
    1364: "a value is missing",
    1366: "a value is not of the column's type",
    1406: "a text is too long",
    1451: "other rows refer to it",
    1452: "the row that it refers to is missing",
    3819: "a check of the table fails",
    4025: "a check of the table fails",
}
_NOT_MIGRATED = {1054: "a column is missing", 1146: "a table is missing"}


class Trouble(Enum):
    """What a failure says of the way to a database: breakers go by this."""

    NONE = auto()
    """Nothing: the server answers."""
    CONFIG = auto()
    """The registry's row does not fit the database."""
    LIMIT = auto()
    """The server lets this user have no more connections for now."""
    SERVER = auto()
    """The server does not let anybody in."""
    FULL = auto()
    """The server lets nobody else in for now; who is in may stay."""
    LOST = auto()
    """A connection broke, or its peer went mute."""


class TenantFault(TenantUnavailable):
    """With what it says of the way."""

    def __init__(self, empresa_id: int, *, reason: str, trouble: Trouble) -> None:
        super().__init__(empresa_id, reason=reason)
        self.reason = reason
        self.trouble = trouble


def trouble_of(error: BaseException) -> Trouble:
    """What an error says of the way to an empresa's database."""
    if isinstance(error, TenantRefused | WrongTenant | NotConfigured):
        return Trouble.CONFIG
    return error.trouble if isinstance(error, TenantFault) else Trouble.NONE


_KEY = re.compile(r"for key '([^']+)'")
_COLUMN = re.compile(r"column '?([^'\s]+)'? at row|Column '([^']+)'|Field '([^']+)'")


_TROUBLES = {
    1040: Trouble.FULL,
    1053: Trouble.SERVER,
    1129: Trouble.FULL,
    2002: Trouble.SERVER,
    2003: Trouble.SERVER,
    2026: Trouble.SERVER,
    1203: Trouble.LIMIT,
    1226: Trouble.LIMIT,
}


class Faults(Protocol):
    """The errors that stand for one database when it cannot be used."""

    def unavailable(self, reason: str, trouble: Trouble = ...) -> HelixError:
        """It does not answer; the same call may work later."""

    def on_hold(self, reason: str, retry_after_s: float) -> HelixError:
        """It is left alone for so long."""

    def refused(self, reason: str) -> HelixError:
        """It answers, and refuses the user or the database."""


class TenantFaults:
    """A dealer's database."""

    def __init__(self, empresa_id: int) -> None:
        self._empresa_id = empresa_id

    def unavailable(self, reason: str, trouble: Trouble = Trouble.NONE) -> HelixError:
        """See Faults."""
        return TenantFault(self._empresa_id, reason=reason, trouble=trouble)

    def on_hold(self, reason: str, retry_after_s: float) -> HelixError:
        """See Faults."""
        return TenantOnHold(self._empresa_id, retry_after_s=retry_after_s, reason=reason)

    def refused(self, reason: str) -> HelixError:
        """See Faults."""
        return TenantRefused(self._empresa_id, reason)


class CentralFaults:
    """The central database. A wrong password there is waited out as well: no event is given up
    because of it."""

    def unavailable(self, reason: str, trouble: Trouble = Trouble.NONE) -> HelixError:
        """See Faults. Whose trouble it is makes no difference: there is no other way to go."""
        del trouble
        return CentralUnavailable(f"the central database does not answer: {reason}")

    def on_hold(self, reason: str, retry_after_s: float) -> HelixError:
        """See Faults."""
        return self.unavailable(f"{reason}; next try in {retry_after_s:.1f} s")

    def refused(self, reason: str) -> HelixError:
        """See Faults."""
        return CentralUnavailable(
            f"the central database refuses us: {reason}; check DB_USER, DB_PASSWORD and DB_NAME"
        )


class ServerFaults:
    """A server, seen by whoever looks after it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def unavailable(self, reason: str, trouble: Trouble = Trouble.NONE) -> HelixError:
        """See Faults."""
        del trouble
        return ServerUnavailable(self._host, self._port, reason)

    def on_hold(self, reason: str, retry_after_s: float) -> HelixError:
        """See Faults."""
        return self.unavailable(f"{reason}; next try in {retry_after_s:.1f} s")

    def refused(self, reason: str) -> HelixError:
        """See Faults."""
        return ServerRefused(self._host, self._port, reason)


def code_of(error: BaseException) -> int:
    """The number of a driver's error; 0 when it has none."""
    args = error.args
    return args[0] if args and isinstance(args[0], int) else 0


def is_answer(error: BaseException) -> bool:
    """Whether the server itself answered with this error, so that the connection is in order."""
    return isinstance(error, MySQLError) and code_of(error) >= 1000 and not is_client(error)


def is_client(error: BaseException) -> bool:
    """Whether the driver made this error up: the state of the connection is unknown."""
    return 2000 <= code_of(error) < 3000


def translated(error: MySQLError, faults: Faults) -> HelixError:
    """What a caller can choose by. Values of rows, which servers quote, stay out of the text."""
    code = code_of(error)
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    if code in _REFUSED:
        return faults.refused(f"{_REFUSED[code]} ({code})")
    if code in _TRY_AGAIN:
        return TryAgain(f"{_TRY_AGAIN[code]} ({code})", code=code)
    if code in _DUPLICATE:
        key = _KEY.search(text)
        return DuplicateKey(key[1].rpartition(".")[2] if key else "key")
    if code in _BAD_DATA:
        column = _column(text)
        where = f" in {column}" if column else ""
        return BadData(f"{_BAD_DATA[code]}{where} ({code})", code=code, column=column)
    if code in _NOT_MIGRATED:
        return NotMigrated(f"{_NOT_MIGRATED[code]} ({code}); `helix migrate` adds it")
    if code in _UNAVAILABLE or code < 1000 or is_client(error):
        return faults.unavailable(_reason(code, text), _trouble(code))
    return StatementRefused(code, text)


def _reason(code: int, text: str) -> str:
    """Client-side texts name hosts, never values; those of a server are not repeated."""
    return f"{text} ({code})" if code == 0 or 2000 <= code < 3000 else f"error {code}"


def _trouble(code: int) -> Trouble:
    """What the driver made up by itself says that the conversation has ended."""
    lost = code < 1000 or 2000 <= code < 3000 or 1158 <= code <= 1161
    return _TROUBLES.get(code, Trouble.LOST if lost else Trouble.NONE)


def _column(text: str) -> str | None:
    match = _COLUMN.search(text)
    if match is None:
        return None
    name = next(group for group in match.groups() if group)
    return name.replace("`", "").rpartition(".")[2]
