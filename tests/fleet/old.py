"""Dealers whose databases are behind this release, or broken."""

from __future__ import annotations

from tenancy.names import database_of
from tests.tenancy.installation import Installation

SINCE = 9
"""The tenant migration that these databases lack: it adds `conversations.ritmo_em`."""


async def make_old(installation: Installation, *numbers: int) -> None:
    """Dealers as an earlier release left them."""
    for number in numbers:
        await installation.create(number)
        await age(installation, installation.empresa_id(number))


async def age(installation: Installation, empresa_id: int) -> None:
    """Takes the migration back, and forgets the later ones: their guards find them done."""
    name = database_of(empresa_id)
    await installation.sql(f"ALTER TABLE `{name}`.conversations DROP COLUMN ritmo_em")
    await installation.sql(f"DELETE FROM `{name}`._migrations WHERE version >= {SINCE}")  # noqa: S608


async def spoil(installation: Installation, number: int) -> None:
    """The migration cannot be applied there: its table has another name."""
    name = database_of(installation.empresa_id(number))
    await installation.sql(f"RENAME TABLE `{name}`.conversations TO `{name}`.conversas")


async def heal(installation: Installation, number: int) -> None:
    """Ends `spoil`."""
    name = database_of(installation.empresa_id(number))
    await installation.sql(f"RENAME TABLE `{name}`.conversas TO `{name}`.conversations")


async def is_migrated(installation: Installation, number: int) -> bool:
    """Whether the column is there and the step recorded."""
    name = database_of(installation.empresa_id(number))
    columns = await installation.sql(
        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = %s"
        " AND table_name = 'conversations' AND column_name = 'ritmo_em'",
        (name,),
    )
    steps = await installation.sql(
        f"SELECT COUNT(*) FROM `{name}`._migrations WHERE version = {SINCE} AND state = 'feito'"  # noqa: S608
    )
    return (columns[0][0], steps[0][0]) == (1, 1)


async def states(installation: Installation) -> dict[int, str]:
    """The ledger of the newest run, by the dealers' numbers in the test."""
    rows = await installation.central(
        "SELECT empresa_id, estado FROM migracao_empresa"
        " WHERE execucao_id = (SELECT MAX(id) FROM migracao_execucao)"
    )
    return {empresa_id - installation.first_id: state for empresa_id, state in rows}
