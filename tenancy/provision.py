"""Gives an empresa its database, or takes over one that it has. Used by `helix empresa`.

Each step looks first and may be repeated: a run that was killed anywhere is continued by running it
again. The empresa is served only once its own user has proved to end up in its own database.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from schema.errors import NotConfigured, SecretUnreadable
from tenancy.admin import check_marker, make_database, make_user, mark
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas, Place, Profile
from tenancy.faults import CentralFaults, TenantFaults
from tenancy.keyring import password_of
from tenancy.lease import Connection
from tenancy.migrate import migrate_central, migrate_selected
from tenancy.names import database_of, quoted, user_of
from tenancy.registry import ACTIVE, DELETED, NEW, PAUSED
from tenancy.roles import Roles
from tenancy.servers import Role
from tenancy.session import Profile as SessionProfile
from tenancy.settings import TenancySettings
from tenancy.target import Limits

_MADE = frozenset({ACTIVE, PAUSED})
_PASSWORD_BYTES = 32

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """An existing database, with a user who may change its tables."""

    host: str
    port: int
    database: str
    user: str
    password: SecretStr


class Provisioner:
    """Raises NotConfigured with what to do, WrongTenant, and what databases raise."""

    def __init__(self, settings: TenancySettings, *, report: Report = lambda _step: None) -> None:
        self._settings = settings
        self._keyring = settings.keyring()
        self._limits = Limits.of(settings)
        self._roles = Roles(settings)
        self._report = report
        self._central_is_ready = False

    async def create(
        self,
        empresa_id: int | None,
        profile: Profile,
        *,
        host: str | None = None,
        port: int | None = None,
    ) -> EmpresaRow:
        """A dealer with a new database of its own; without an id, the next one is taken."""
        await self._migrate_central()
        async with self._empresas() as empresas:
            empresa_id, place = await self._reserve(empresas, empresa_id, profile, host, port)
            self._report("registered")
            password = self._keyring.open(place.token, purpose=password_of(empresa_id))
            await self._build(empresa_id, place, password)
            return await self._activate(empresas, empresa_id, place, password)

    async def adopt(self, empresa_id: int, profile: Profile, adoption: Adoption) -> EmpresaRow:
        """A dealer whose database is there already, under any name; nothing else is needed there
        than rights on it. Its tables and rows stay as they are."""
        await self._migrate_central()
        place = Place(
            host=adoption.host,
            port=adoption.port,
            database=adoption.database,
            user=adoption.user,
            token=self._keyring.seal(
                adoption.password.get_secret_value(), purpose=password_of(empresa_id)
            ),
        )
        password = adoption.password.get_secret_value()
        async with self._empresas() as empresas:
            earlier = await empresas.get(empresa_id)
            if earlier is not None:
                _refuse_deleted(earlier)
            await self._refuse_taken(empresas, empresa_id, place)
            own = place.target(password)
            async with direct(own, self._limits, TenantFaults(empresa_id)) as conn:
                await self._prepare(conn, empresa_id)
            row = await empresas.get(empresa_id)
            if row is None:
                await empresas.insert(empresa_id, profile.nome)
            await empresas.describe(empresa_id, profile)
            await empresas.place(empresa_id, place, status=_until_made(row))
            self._report("registered")
            return await self._activate(empresas, empresa_id, place, password)

    async def _migrate_central(self) -> None:
        """Once: whoever makes a thousand dealers need not ask a thousand times."""
        if not self._central_is_ready:
            await migrate_central(self._settings)
            self._central_is_ready = True

    async def _reserve(
        self,
        empresas: Empresas,
        empresa_id: int | None,
        profile: Profile,
        host: str | None,
        port: int | None,
    ) -> tuple[int, Place]:
        """The row, with the names and the password of the database to be made.

        The password is stored before a user has it: so there is never a user whose password no one
        knows, and every run sets the one that is stored.
        """
        row = None if empresa_id is None else await empresas.get(empresa_id)
        if row is None:
            empresa_id = await empresas.insert(empresa_id, profile.nome)
            row = await empresas.get(empresa_id)
        if row is None:
            raise NotConfigured(empresa_id or 0, "its row was removed meanwhile")
        _refuse_deleted(row)
        await empresas.describe(row.id, profile)
        place = self._place(row, host, port)
        await self._refuse_taken(empresas, row.id, place)
        if row.place != place or row.status not in _MADE:
            await empresas.place(row.id, place, status=_until_made(row))
        return row.id, place

    def _place(self, row: EmpresaRow, host: str | None, port: int | None) -> Place:
        known = row.place
        database = database_of(row.id)
        if known and known.user == user_of(row.id) and known.database.startswith(f"{database}_"):
            database = known.database  # where a move or a restore has put it
        if row.db_name not in (None, "", database):
            raise NotConfigured(
                row.id, f"it lives in database {row.db_name}; `helix empresa adopt` changes that"
            )
        place = Place(
            host=host or (known.host if known else self._settings.db_host),
            port=port or (known.port if known else self._settings.db_port),
            database=database,
            user=user_of(row.id),
            token=self._token(row),
        )
        if known and (known.host, known.port) != (place.host, place.port):
            raise NotConfigured(row.id, f"its database is on {known.host}:{known.port} already")
        return place

    def _token(self, row: EmpresaRow) -> str:
        """The stored password if it can be opened, else a new one."""
        purpose = password_of(row.id)
        if row.place is not None:
            try:
                self._keyring.open(row.place.token, purpose=purpose)
            except SecretUnreadable:
                self._report("stored password cannot be opened: a new one is set")
            else:
                return row.place.token
        return self._keyring.seal(secrets.token_urlsafe(_PASSWORD_BYTES), purpose=purpose)

    async def _refuse_taken(self, empresas: Empresas, empresa_id: int, place: Place) -> None:
        other = await empresas.neighbour(empresa_id, place.host, place.port, place.database)
        if other is not None:
            raise NotConfigured(
                empresa_id, f"database {place.database} is registered for empresa {other}"
            )

    async def _build(self, empresa_id: int, place: Place, password: str) -> None:
        """Database, user and tables: each as the account for it, where the server has them."""
        host, port, faults = place.host, place.port, TenantFaults(empresa_id)
        async with self._roles.open(Role.PROVISIONER, host, port, None, faults) as conn:
            await self._make(conn, empresa_id, place, password)
            maker = await self._roles.target(Role.PROVISIONER, host, port, None)
            migrator = await self._roles.target(Role.MIGRATOR, host, port, place.database)
            if maker.user == migrator.user:
                await conn.execute(f"USE {quoted(place.database)}")
                await self._prepare(conn, empresa_id)
                return
        tables = self._roles.open(Role.MIGRATOR, host, port, place.database, faults)
        async with tables as conn:
            await self._prepare(conn, empresa_id)

    async def _make(self, conn: Connection, empresa_id: int, place: Place, password: str) -> None:
        await make_database(conn, empresa_id, place.database)
        self._report("database created")
        await make_user(
            conn,
            empresa_id,
            user=place.user,
            password=password,
            database=place.database,
        )
        self._report("user created")

    async def _prepare(self, conn: Connection, empresa_id: int) -> None:
        """Tables and the marker, in the selected database. One of someone else is found out before
        it is touched."""
        await check_marker(conn, empresa_id)
        migrated = await migrate_selected(conn)
        self._report(f"migrated: {migrated.steps} steps")
        await mark(conn, empresa_id)
        self._report("marked")

    async def _activate(
        self, empresas: Empresas, empresa_id: int, place: Place, password: str
    ) -> EmpresaRow:
        """Serves the empresa once its own user has got to its own database."""
        async with direct(
            place.target(password, empresa_id=empresa_id),
            self._limits,
            TenantFaults(empresa_id),
            profile=SessionProfile.WORK,
        ):
            self._report("identity proved")
        row = await empresas.get(empresa_id)
        if row is not None and row.status not in _MADE:
            await empresas.set_status(empresa_id, ACTIVE)
            row = await empresas.get(empresa_id)
        if row is None:
            raise NotConfigured(empresa_id, "its row was removed meanwhile")
        self._report("active")
        return row

    @asynccontextmanager
    async def _empresas(self) -> AsyncIterator[Empresas]:
        async with direct(central_target(self._settings), self._limits, CentralFaults()) as conn:
            yield Empresas(conn)


def _refuse_deleted(row: EmpresaRow) -> None:
    """The id of a dealer who was deleted is never used again."""
    if row.status == DELETED:
        raise NotConfigured(row.id, "it was deleted, and its id is never used again")


def _until_made(row: EmpresaRow | None) -> str:
    """Who is paused stays so until a person resumes him."""
    return PAUSED if row is not None and row.status == PAUSED else NEW
