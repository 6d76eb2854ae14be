"""The words of a run over all dealers. Used all over `tenancy.fleet` and by the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schema.errors import HelixError, MigrationLocked, TenantUnavailable


class Wave(StrEnum):
    """The values of `migracao_empresa.onda`, in the order in which they are gone."""

    CANARY = "canary"
    FIRST = "first"
    """1 %, at least 5."""
    TENTH = "tenth"
    """10 %."""
    REST = "rest"
    SINGLE = "single"
    """One dealer, by name."""


class State(StrEnum):
    """The values of `migracao_empresa.estado`."""

    PENDING = "pendente"
    RUNNING = "executando"
    DONE = "feito"
    FAILED = "falhou"
    SKIPPED = "pulado"
    """Somebody else is at its database, or it has none yet."""


class RunState(StrEnum):
    """The values of `migracao_execucao.estado`."""

    RUNNING = "executando"
    """Or killed: then nobody holds the lock."""
    DONE = "feito"
    """All waves were gone; some dealers may have failed."""
    STOPPED = "parado"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one dealer's database."""

    empresa_id: int
    wave: Wave
    state: State
    database: str | None = None
    steps: int = 0
    """Steps that this run applied."""
    version: int | None = None
    """The version that the database has now; None when it is not known."""
    duration_ms: int | None = None
    error: HelixError | None = None

    @property
    def is_locked(self) -> bool:
        """Another migrator is at it: it may be done in a moment."""
        return isinstance(self.error, MigrationLocked)

    @property
    def is_away(self) -> bool:
        """Its server does not answer, which no migration did."""
        return isinstance(self.error, TenantUnavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run of the command did."""

    run: int
    state: RunState
    reason: str | None
    """Why it stopped."""
    outcomes: tuple[Outcome, ...]
    pending: int
    """Dealers of the run that were not reached."""

    @property
    def not_done(self) -> list[Outcome]:
        """Failed, or another migrator is at it."""
        return [one for one in self.outcomes if one.state is State.FAILED or one.is_locked]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A row of `migracao_execucao`. Times are in UTC, naive, as they are stored."""

    id: int
    version: int
    state: RunState
    reason: str | None
    runner: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmpresaState:
    """A row of `migracao_empresa`."""

    empresa_id: int
    wave: Wave
    state: State
    version: int | None
    steps: int
    attempts: int
    duration_ms: int | None
    error: str | None
