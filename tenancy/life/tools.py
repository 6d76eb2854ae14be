"""What every operation of this room works with. Put together by `helix empresa` and by tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from schema.errors import NotConfigured, UnknownEmpresa
from tenancy.admin import admin_target
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas, Place
from tenancy.faults import CentralFaults, TenantFaults
from tenancy.keyring import Keyring, password_of
from tenancy.lease import Connection
from tenancy.life.data_keys import DataKeys
from tenancy.life.ledger import Ledger, Watch
from tenancy.life.store import BackupStore
from tenancy.migrate import migrate_central
from tenancy.names import checked, database_of
from tenancy.password import Changeover
from tenancy.registry import DELETED
from tenancy.settings import TenancySettings
from tenancy.target import Limits, Target

Report = Callable[[str], None]


class Processes(Changeover, Protocol):
    """The processes that use dealers' databases, as the worker room knows them."""

    async def busy(self, empresa_id: int) -> Sequence[str]:
        """What is being done for the dealer at this moment, by names that a person knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """One connection to the central database is open for as long as these are used."""

    settings: TenancySettings
    limits: Limits
    keyring: Keyring
    central: Connection
    ledger: Ledger
    processes: Processes
    store: BackupStore
    report: Report
    patience_s: float
    """How long running work of a dealer is waited for."""

    @property
    def data_keys(self) -> DataKeys:
        """Of the backups."""
        return DataKeys(self.central, self.keyring)

    async def row(self, empresa_id: int) -> EmpresaRow:
        """As it is now. Raises UnknownEmpresa, NotConfigured for one that is deleted."""
        row = await Empresas(self.central).get(empresa_id)
        if row is None:
            raise UnknownEmpresa(empresa_id)
        if row.status == DELETED:
            raise NotConfigured(empresa_id, "it is deleted")
        return row

    async def place(self, empresa_id: int) -> Place:
        """Where its database is now. Raises NotConfigured when it has none."""
        row = await self.row(empresa_id)
        if row.place is None:
            raise NotConfigured(empresa_id, "it has no database yet; `helix empresa create`")
        return row.place

    def admin(self, host: str, port: int, database: str | None = None) -> Target:
        """A server as the user who may create databases there."""
        return admin_target(self.settings, host, port, database)

    def as_admin(
        self, empresa_id: int, host: str, port: int, database: str | None = None
    ) -> AbstractAsyncContextManager[Connection]:
        """A connection with those rights. Raises what TenantFaults makes of troubles."""
        target = self.admin(host, port, database)
        return direct(target, self.limits, TenantFaults(empresa_id))

    def as_tenant(self, empresa_id: int, place: Place) -> Target:
        """The dealer's own way to a database, with the proof of identity asked for."""
        password = self.keyring.open(place.token, purpose=password_of(empresa_id))
        return place.target(password, empresa_id=empresa_id)


@asynccontextmanager
async def open_tools(
    settings: TenancySettings,
    processes: Processes,
    store: BackupStore,
    *,
    report: Report = lambda _step: None,
    watch: Watch = lambda _step, _moment: None,
    patience_s: float = 60.0,
) -> AsyncIterator[Tools]:
    """Brings the central database up to date first: it holds the ledger."""
    await migrate_central(settings)
    limits = Limits.of(settings)
    async with direct(central_target(settings), limits, CentralFaults()) as conn:
        yield Tools(
            settings=settings,
            limits=limits,
            keyring=settings.keyring(),
            central=conn,
            ledger=Ledger(conn, watch=watch),
            processes=processes,
            store=store,
            report=report,
            patience_s=patience_s,
        )


def copy_name(empresa_id: int, operation_id: int) -> str:
    """The database that a move or a restore makes: a name that was never there before."""
    return checked(f"{database_of(empresa_id)}_{operation_id}")
