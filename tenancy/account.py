"""A dealer's database account while its password changes. Used by `tenancy.password`.

MariaDB takes two passwords for one account (from 10.4 on); so the workers change over one by one.
"""

from __future__ import annotations

import re
from contextlib import AbstractAsyncContextManager

from schema.errors import NotConfigured, StatementRefused
from tenancy.direct import direct
from tenancy.faults import TenantFaults
from tenancy.lease import Connection
from tenancy.session import Profile
from tenancy.target import Limits, Target

_WHO = "SELECT CURRENT_USER(), VERSION()"
_VIA = "ALTER USER %(user)s@%(host)s IDENTIFIED VIA mysql_native_password USING PASSWORD(%(new)s)"
_BOTH = _VIA + " OR mysql_native_password USING PASSWORD(%(old)s)"
_LAST = "SELECT CONNECTION_ID()"
# Shows an account its own sessions. For the table of the same content, see `tenancy.kill`.
_SESSIONS = "SHOW PROCESSLIST"
_KILL = "KILL CONNECTION %s"
_NO_SUCH_THREAD = 1094
_FIRST_WITH_TWO = (10, 4)


class Account:
    """The account that `own` logs in with; `admin` may change it."""

    def __init__(self, empresa_id: int, own: Target, admin: Target, limits: Limits) -> None:
        self._empresa_id = empresa_id
        self._own = own
        self._admin = admin
        self._limits = limits
        self._faults = TenantFaults(empresa_id)

    async def allow_both(self, *, old: str, new: str) -> int:
        """From now on either password opens. Returns the id of the server's newest connection.

        Raises NotConfigured for a server that knows one password only.
        """
        async with self._login() as conn:
            user, host = await self._name(conn)
        values = {"user": user, "host": host, "old": old, "new": new}
        async with direct(self._admin, self._limits, self._faults) as conn:
            await conn.execute(_BOTH, values)
            return int((await conn.fetch_all(_LAST))[0][0])

    async def allow_only(self, new: str) -> None:
        """The account's other password is gone; sessions that it opened live on."""
        async with self._login() as conn:
            user, host = await self._name(conn)
        async with direct(self._admin, self._limits, self._faults) as conn:
            await conn.execute(_VIA, {"user": user, "host": host, "new": new})

    async def end_older(self, last: int) -> int:
        """Ends the account's sessions up to a connection id; returns how many there were."""
        async with self._login() as conn:  # an account may end its own sessions
            (ours,) = await conn.fetch_all(_LAST)
            sessions = [(int(row[0]), row[1]) for row in await conn.fetch_all(_SESSIONS)]
            older = [
                thread_id
                for thread_id, user in sessions
                if user == self._own.user and thread_id <= last and thread_id != ours[0]
            ]
            for thread_id in older:
                try:
                    await conn.execute(_KILL, (thread_id,))
                except StatementRefused as error:
                    if error.code != _NO_SUCH_THREAD:
                        raise
        return len(older)

    def _login(self) -> AbstractAsyncContextManager[Connection]:
        return direct(self._own, self._limits, self._faults, profile=Profile.WORK)

    async def _name(self, conn: Connection) -> tuple[str, str]:
        """The account as the server calls it: its host part may be any."""
        account, version = (await conn.fetch_all(_WHO))[0]
        number = re.match(r"(\d+)\.(\d+)", version)
        if (
            "MariaDB" not in version
            or number is None
            or (int(number[1]), int(number[2])) < _FIRST_WITH_TWO
        ):
            raise NotConfigured(
                self._empresa_id, f"two passwords at once need MariaDB 10.4; this is {version}"
            )
        user, _, host = account.rpartition("@")
        return user, host
