"""Opens a connection: logs in, pins all that statements depend on, proves whose database it is."""

# mypy: disable-error-code="no-untyped-call"
# The driver ships no types.

from __future__ import annotations

import asyncio
import math
import struct

from pymysql.err import MySQLError

from schema.errors import NotConfigured, WrongTenant
from tenancy.driver import DriverConnection
from tenancy.faults import Faults, Trouble, translated
from tenancy.literals import Params
from tenancy.meter import PROCESS, meter_of
from tenancy.session import Kill, Profile, Session
from tenancy.target import Limits, Target
from tenancy.trips import Row

_SQL_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
_COMMON = f"""
    SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = '{_SQL_MODE}',
        innodb_lock_wait_timeout = %(lock_wait_s)s, lock_wait_timeout = %(lock_wait_s)s,
"""
# A process that stands still in mid-transaction, or whose machine is gone without a word, must not
# hold its locks for hours. MySQL has no such limit.
_SET_UP_MARIADB = (
    _COMMON
    + """
    max_statement_time = %(statement_s)s, tx_isolation = 'READ-COMMITTED',
    idle_transaction_timeout = %(idle_s)s
"""
)
_SET_UP_MYSQL = (
    _COMMON + "max_execution_time = %(statement_ms)s, transaction_isolation = 'READ-COMMITTED'"
)
_IDENTITY = """
    SELECT DATABASE(), CURRENT_USER(), MIN(empresa_id), MAX(empresa_id) FROM _tenant
"""
_ADMIN_LOCK_WAIT_S = 2
"""A waiting ALTER holds up all readers behind it."""
_NO_MYSQL = (struct.error, ValueError, LookupError, AssertionError, AttributeError, RuntimeError)
"""What the driver raises when a peer greets in another language or hangs up in mid-greeting."""


async def open_session(
    target: Target,
    limits: Limits,
    faults: Faults,
    *,
    kill: Kill,
    profile: Profile = Profile.WORK,
) -> Session:
    """Connects, sets up and, where the target names an empresa, proves the identity.

    One deadline covers all of it. Raises what `faults` makes of the cause, or WrongTenant.
    """
    driver = DriverConnection(target, limits, together=profile is Profile.WORK)
    begun = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(limits.connect_s):
            await _log_in(driver, faults)
            session = Session(driver, target, limits, faults, kill, profile)
            await _set_up(session, profile, mariadb="MariaDB" in driver.get_server_info())
    except TimeoutError as error:
        driver.abort()
        reason = f"no connection within {limits.connect_s:g} s"
        raise faults.unavailable(reason, Trouble.SERVER) from error
    except BaseException as error:
        driver.abort()
        if isinstance(error, WrongTenant):
            PROCESS.mismatches += 1
        raise
    meter_of(target).connected.add(asyncio.get_running_loop().time() - begun)
    return session


async def _log_in(driver: DriverConnection, faults: Faults) -> None:
    try:
        await driver.open()
    except MySQLError as error:
        raise translated(error, faults) from error
    except OSError as error:
        raise faults.unavailable(type(error).__name__, Trouble.SERVER) from error
    except _NO_MYSQL as error:
        reason = "the peer does not speak the MySQL protocol"
        raise faults.unavailable(reason, Trouble.SERVER) from error


async def _set_up(session: Session, profile: Profile, *, mariadb: bool) -> None:
    """Raises WrongTenant unless a target that names an empresa is that empresa's database."""
    is_work = profile is Profile.WORK
    limits, empresa_id = session.limits, session.target.empresa_id
    statement_s = limits.statement_s if is_work else 0
    pinned: dict[str, object] = {
        "lock_wait_s": limits.lock_wait_s if is_work else _ADMIN_LOCK_WAIT_S,
        "statement_s": statement_s,
        "statement_ms": int(statement_s * 1000),
        "idle_s": math.ceil(statement_s),
    }
    asked: list[tuple[str, Params]] = [(_SET_UP_MARIADB if mariadb else _SET_UP_MYSQL, pinned)]
    if empresa_id is not None:
        asked.append((_IDENTITY, ()))
    _, *told = await session.run_together(*asked)
    session.settle()
    if empresa_id is not None:
        _prove_identity(session.target, empresa_id, told[0].rows[0])


def _prove_identity(target: Target, empresa_id: int, row: Row) -> None:
    """Raises WrongTenant, NotConfigured unless the connection is to that empresa's database, as its
    own user."""
    database, user = str(row[0]), str(row[1]).rpartition("@")[0]
    if row[2] is None:
        raise NotConfigured(empresa_id, f"database {database} bears no empresa's marker")
    if {row[2], row[3]} != {empresa_id}:
        raise WrongTenant(empresa_id, f"database {database} belongs to empresa {row[2]}")
    if database.casefold() != str(target.database).casefold():
        raise WrongTenant(empresa_id, f"the server opened database {database}")
    if user != target.user:
        raise WrongTenant(empresa_id, f"the server took us for user {user!r}")
