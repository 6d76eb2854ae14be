"""Changes of a row of the registry while it is in use: password, address, status. For `.run`.

The pools hear of a change by announcement, find it by comparing versions, or are not told at all:
then a row that has grown stale, or a login that is refused, has to make them look. Nobody's use may
fail of it, but for those of a suspended empresa.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from dev.fuzz.ground import Ground
from schema.errors import CentralUnavailable, Transient
from tenancy.account import Account
from tenancy.admin import admin_target
from tenancy.keyring import password_of
from tenancy.password import PasswordRotation
from tenancy.start import Tenancy
from tenancy.target import Limits, Target

_ROW = "SELECT versao, db_host, db_port, db_name, db_user, db_password FROM empresas WHERE id = %s"
_MOVE = "UPDATE empresas SET db_host = %s, versao = versao + 1 WHERE id = %s"
_STATUS = "UPDATE empresas SET status = %s, versao = versao + 1 WHERE id = %s"
_NEW_LOGIN = "UPDATE empresas SET db_password = %s, versao = versao + 1 WHERE id = %s"
_NAMES = ("127.0.0.1", "localhost")
"""One server under two names is two servers to the pools."""
_SUSPENDED_S = 0.3
_KNOWN_LATE_S = 3.0
"""So long after its return an empresa may still be held to be suspended: rows are fresh for 1 s."""
_TRIES = 8
"""A change whose own connections are killed is taken up again."""

Tell = Callable[[int], Awaitable[None]]
"""How the pools get to know that the row of an empresa changed."""


class Changes:
    """Of one run. Each change ends with the empresa in order, whatever was killed meanwhile."""

    def __init__(self, tenancy: Tenancy, ground: Ground, chance: random.Random) -> None:
        self._tenancy = tenancy
        self._ground = ground
        self._chance = chance
        self._settings = ground.settings
        self._limits = Limits.of(ground.settings)
        self._keyring = ground.settings.keyring()
        self._used: dict[int, int] = {}
        self._suspended_until: dict[int, float] = {}
        self.made: Counter[str] = Counter()
        """Changes so far, by kind."""
        tenancy.watch.settled = self._note_settled

    def is_suspended(self, empresa_id: int) -> bool:
        """Whether somebody may be refused for it."""
        return _now() < self._suspended_until.get(empresa_id, -math.inf)

    async def make_one(self, empresa_id: int, *, rough: bool) -> None:
        """One of them, at random; `rough`: sessions in use may be ended by it."""
        gentle = [self.rotate, self.move, self.move, self.suspend]
        change = self._chance.choice([*gentle, self.cut_over] if rough else gentle)
        await change(empresa_id)
        self.made[change.__name__] += 1

    async def rotate(self, empresa_id: int) -> None:
        """As `helix empresa rotate-password`, announced or found by comparison."""
        changeover = _Changeover(self._tenancy, self._used, self._chance.choice(self._loud()))
        await self._until_done(lambda: PasswordRotation(self._settings, changeover).run(empresa_id))

    async def cut_over(self, empresa_id: int) -> None:
        """As a person does it by hand: the old password and its sessions are gone at once. The next
        login with it is refused, and finds the new row."""
        row = await self._row(empresa_id)
        purpose = password_of(empresa_id)
        old, new = self._keyring.open(row.token, purpose=purpose), secrets.token_urlsafe(32)
        before, after = (self._account(empresa_id, row, password) for password in (old, new))
        await self._until_done(lambda: before.allow_both(old=old, new=new))
        await self._write(_NEW_LOGIN, self._keyring.seal(new, purpose=purpose), empresa_id)
        await self._until_done(lambda: after.allow_only(new))
        ((last,),) = await self._ground.rows("SELECT CONNECTION_ID()")
        await self._until_done(lambda: after.end_older(int(str(last))))

    async def move(self, empresa_id: int) -> None:
        """To the server's other name."""
        row = await self._row(empresa_id)
        await self._write(_MOVE, _NAMES[row.host == _NAMES[0]], empresa_id)
        await self._chance.choice([*self._loud(), _tell_nobody])(empresa_id)

    async def suspend(self, empresa_id: int) -> None:
        """For a moment."""
        self._suspended_until[empresa_id] = math.inf
        await self._write(_STATUS, "suspenso", empresa_id)
        await self._chance.choice([*self._loud(), _tell_nobody])(empresa_id)
        await asyncio.sleep(_SUSPENDED_S * self._chance.random())
        await self._write(_STATUS, "ativo", empresa_id)
        await self._chance.choice([*self._loud(), _tell_nobody])(empresa_id)
        self._suspended_until[empresa_id] = _now() + _KNOWN_LATE_S

    def _loud(self) -> Sequence[Tell]:
        return (self._announce, self._compare)

    async def _announce(self, empresa_id: int) -> None:
        self._tenancy.watch.changed(empresa_id, (await self._row(empresa_id)).versao)

    async def _compare(self, _empresa_id: int) -> None:
        try:
            await self._tenancy.watch.compare()
        except CentralUnavailable:  # as the watch itself does: the next comparison finds it
            return

    async def _note_settled(self, empresa_id: int, versao: int) -> None:
        self._used[empresa_id] = max(versao, self._used.get(empresa_id, 0))

    async def _write(self, sql: str, value: str, empresa_id: int) -> None:
        await self._ground.rows(sql, (value, empresa_id), database=self._settings.db_name)

    async def _until_done(self, run: Callable[[], Awaitable[object]]) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await run()
            except Transient:
                if attempt == _TRIES:
                    raise
            else:
                return

    def _account(self, empresa_id: int, row: _Row, password: str) -> Account:
        own = Target(
            host=row.host,
            port=row.port,
            user=row.user,
            password=SecretStr(password),
            database=row.database,
            empresa_id=empresa_id,
        )
        admin = admin_target(self._settings, row.host, row.port, None)
        return Account(empresa_id, own, admin, self._limits)

    async def _row(self, empresa_id: int) -> _Row:
        ((versao, host, port, database, user, token),) = await self._ground.rows(
            _ROW, (empresa_id,), database=self._settings.db_name
        )
        return _Row(
            versao=int(str(versao)),
            host=str(host),
            port=int(str(port)),
            database=str(database),
            user=str(user),
            token=str(token),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Of `empresas`, as it is stored now."""

    versao: int
    host: str
    port: int
    database: str
    user: str
    token: str = field(repr=False)


class _Changeover:
    """The one process that there is, told in one way or the other."""

    def __init__(self, tenancy: Tenancy, used: dict[int, int], tell: Tell) -> None:
        self._tenancy = tenancy
        self._used = used
        self._tell = tell

    async def announce(self, empresa_id: int, _versao: int) -> None:
        """See `tenancy.password.Changeover`."""
        await self._tell(empresa_id)

    async def missing(self, empresa_id: int, versao: int) -> Sequence[str]:
        """A row that nobody has asked for has no connections."""
        uses = self._tenancy.registry.asked(empresa_id)
        return ["this process"] if uses and self._used.get(empresa_id, 0) < versao else []


async def _tell_nobody(_empresa_id: int) -> None:
    """The row is read again when it is no longer fresh."""


def _now() -> float:
    return asyncio.get_running_loop().time()
