"""Remembers which backups were made and which were proved. Used by backups and their schedule.

The store has the truth; this is what can be asked of many dealers at once (`copias`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from tenancy.lease import Connection

_NOTE = """
    INSERT INTO copias (empresa_id, nome, feita_em, bytes)
    VALUES (%(id)s, %(name)s, %(made_at)s, %(bytes)s)
        ON DUPLICATE KEY UPDATE feita_em = VALUES(feita_em), bytes = VALUES(bytes)
"""
_PROVED = """
    UPDATE copias SET verificada_em = UTC_TIMESTAMP(3)
     WHERE empresa_id = %(id)s AND nome = %(name)s
"""
_PROVED_ONES = """
    SELECT nome, verificada_em FROM copias
     WHERE empresa_id = %(id)s AND verificada_em IS NOT NULL
"""
_FORGET = "DELETE FROM copias WHERE empresa_id = %(id)s AND nome IN %(names)s"
# What an operation had to remember while it could be killed is of no use once its backup is gone.
_FORGET_STEPS = """
    DELETE passos_operacao FROM passos_operacao
      JOIN operacoes_empresa ON operacoes_empresa.id = passos_operacao.operacao_id
     WHERE operacoes_empresa.empresa_id = %(id)s AND operacoes_empresa.tipo = 'backup'
       AND operacoes_empresa.estado <> 'aberta' AND operacoes_empresa.terminada_em < %(before)s
"""
_FORGET_OPERATIONS = """
    DELETE FROM operacoes_empresa
     WHERE empresa_id = %(id)s AND tipo = 'backup' AND estado <> 'aberta'
       AND terminada_em < %(before)s
"""


class Book:
    """Over a connection to the central database on which statements commit by themselves."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def note(self, empresa_id: int, name: str, made_at: datetime, size: int) -> None:
        """A backup is whole. May be repeated."""
        at = made_at.astimezone(UTC).replace(tzinfo=None)
        told = {"id": empresa_id, "name": name, "made_at": at, "bytes": size}
        await self._conn.execute(_NOTE, told)

    async def proved(self, empresa_id: int, name: str) -> None:
        """A backup was restored and compared."""
        await self._conn.execute(_PROVED, {"id": empresa_id, "name": name})

    async def proved_ones(self, empresa_id: int) -> dict[str, datetime]:
        """Names, and when each was proved for the last time."""
        rows = await self._conn.fetch_all(_PROVED_ONES, {"id": empresa_id})
        return {str(name): at.replace(tzinfo=UTC) for name, at in rows}

    async def forget(self, empresa_id: int, names: list[str]) -> None:
        """These are deleted."""
        if names:
            await self._conn.execute(_FORGET, {"id": empresa_id, "names": names})

    async def forget_operations(self, empresa_id: int, before: datetime) -> None:
        """What the ledger has of making backups that ended before."""
        told = {"id": empresa_id, "before": before.astimezone(UTC).replace(tzinfo=None)}
        await self._conn.execute(_FORGET_STEPS, told)
        await self._conn.execute(_FORGET_OPERATIONS, told)
