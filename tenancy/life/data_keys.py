"""Keeps the key of a dealer's backups. Used by backups, restores and the deletion of a dealer.

The key itself is random and stored sealed by the keys of TENANCY_KEYS; destroyed, it takes all
backups of the dealer with it, wherever copies of them lie.
"""

from __future__ import annotations

import base64
import secrets

from schema.errors import BackupDamaged
from tenancy.keyring import Keyring, data_key_of
from tenancy.lease import Connection

_READ = "SELECT chave, destruida_em FROM chaves_empresa WHERE empresa_id = %(id)s"
# Two at once: the first one's key stands.
_MAKE = """
    INSERT INTO chaves_empresa (empresa_id, chave, criada_em)
    VALUES (%(id)s, %(token)s, UTC_TIMESTAMP(3))
    ON DUPLICATE KEY UPDATE empresa_id = empresa_id
"""
_DESTROY = """
    INSERT INTO chaves_empresa (empresa_id, chave, criada_em, destruida_em)
    VALUES (%(id)s, NULL, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))
    ON DUPLICATE KEY UPDATE chave = NULL, destruida_em = COALESCE(destruida_em, UTC_TIMESTAMP(3))
"""
_KEY_BYTES = 32


class DataKeys:
    """Over a connection to the central database."""

    def __init__(self, conn: Connection, keyring: Keyring) -> None:
        self._conn = conn
        self._keyring = keyring

    async def get(self, empresa_id: int) -> bytes:
        """32 bytes. Raises BackupDamaged when there is none (any more), SecretUnreadable."""
        row = await self._conn.fetch_one(_READ, {"id": empresa_id})
        if row is None or row[0] is None:
            gone = "was destroyed" if row is not None else "is not known here"
            raise BackupDamaged(f"the data key of empresa {empresa_id} {gone}")
        return base64.b64decode(self._keyring.open(row[0], purpose=data_key_of(empresa_id)))

    async def get_or_make(self, empresa_id: int) -> bytes:
        """As `get`; a dealer who has none yet gets one."""
        key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
        token = self._keyring.seal(key, purpose=data_key_of(empresa_id))
        await self._conn.execute(_MAKE, {"id": empresa_id, "token": token})
        return await self.get(empresa_id)

    async def destroy(self, empresa_id: int) -> None:
        """No backup of the dealer opens any more. May be repeated."""
        await self._conn.execute(_DESTROY, {"id": empresa_id})
