"""Proves a backup by restoring it. Used by `helix empresa verify-backup`."""

from __future__ import annotations

import secrets

from tenancy.life import server
from tenancy.life.backup import chosen, note, restore_into
from tenancy.life.book import Book
from tenancy.life.ledger import Facts
from tenancy.life.tools import Tools
from tenancy.names import checked

_SCRATCH = """
    SELECT schema_name FROM information_schema.schemata
     WHERE schema_name LIKE %(pattern)s
"""


class Verified(Facts):
    """A backup was restored beside everything and compared."""

    name: str
    rows: dict[str, int]
    compared: str
    """`content`: every byte of a second dump; `rows`: counts, where servers' versions differ."""


async def verify(tools: Tools, empresa_id: int, name: str | None) -> Verified:
    """Restores a backup, the newest one without a name, beside everything and drops it again.

    A backup that was not restored is none. Raises BackupDamaged, CopyDiffers.
    """
    async with tools.ledger.alone(empresa_id):
        manifest = await chosen(tools, empresa_id, name)
        place = await tools.place(empresa_id)
        scratch = checked(f"scratch_{empresa_id}_{secrets.token_hex(4)}")
        async with tools.as_admin(empresa_id, place.host, place.port) as conn:
            pattern = f"scratch\\_{empresa_id}\\_%"
            for (left,) in await conn.fetch_all(_SCRATCH, {"pattern": pattern}):
                await server.drop_database(conn, empresa_id, str(left))  # of a run that was killed
            await server.fresh_database(conn, empresa_id, scratch)
        try:
            compared = await restore_into(tools, manifest, (place.host, place.port), scratch)
        finally:
            async with tools.as_admin(empresa_id, place.host, place.port) as conn:
                await server.drop_database(conn, empresa_id, scratch)
        await note(tools, manifest)  # one of before there was a book is unknown to it
        await Book(tools.central).proved(empresa_id, manifest.name)
    return Verified(name=manifest.name, rows=manifest.rows, compared=compared)
