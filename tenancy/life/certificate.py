"""What a deletion says before and after. Made by `tenancy.life.delete`, printed by the command."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tenancy.life.ledger import Facts


class Channel(Facts):
    """A channel that goes with the dealer."""

    id: int
    gateway: str
    identifier: str


class Elsewhere(Protocol):
    """What a dealer has outside databases and backups, as the worker room knows it. Each may be
    repeated and returns how much there was."""

    async def count_keys(self, empresa_id: int) -> int:
        """Of Redis."""

    async def forget(self, empresa_id: int, channels: list[Channel]) -> int:
        """Deletes all that Redis has of him."""

    async def erase_files(self, empresa_id: int) -> int:
        """Deletes what buyers have sent him."""


class DeletionPlan(Facts):
    """What a deletion destroys."""

    empresa_id: int
    nome: str
    database: str | None
    server: str | None
    rows: dict[str, int]
    kept_databases: list[str]
    account_dropped: str | None
    """None: an account that we did not make stays on its server."""
    channels: list[str]
    redis_keys: int
    backups: int


class Certificate(Facts):
    """What was deleted, and when it was over. Holds no buyer's data."""

    empresa_id: int
    nome: str
    operation: int
    deleted_at: datetime
    database: str | None
    kept_databases: list[str]
    rows: dict[str, int]
    channels: int
    redis_keys: int
    media_files: int
    backup_objects: int
    data_key_destroyed: bool
    account_dropped: str | None
    export_sha256: dict[str, str] | None
    remains: str
    """What cannot be deleted from here, and when it goes."""
