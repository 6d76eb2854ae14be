"""Remembers what was erased without remembering whom: keyed digests, one key for each empresa.

The key lies sealed in the central database; with it goes the meaning of all its digests. Called by
this room and, for messages that come again, by the drain.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from schema.errors import SecretUnreadable
from tenancy.central import Central
from tenancy.keyring import Keyring, erasure_key_of

_READ = "SELECT chave FROM lgpd_chaves WHERE empresa_id = %(id)s"
_ADD = "INSERT IGNORE INTO lgpd_chaves (empresa_id, chave) VALUES (%(id)s, %(key)s)"


class Digests:
    """Of one empresa: HMAC-SHA-256 in hex, each kind apart from the others."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def __repr__(self) -> str:
        return "Digests()"

    def phone(self, phone: str) -> str:
        """Of a number as `customers.phone` has it."""
        return self._digest("phone", phone)

    def identity(self, gateway: str, kind: str, value: str) -> str:
        """Of a row of `customer_identities`."""
        return self._digest("identity", gateway, kind, value)

    def message(self, canal_id: int, external_id: str) -> str:
        """Of what makes a message the same as another."""
        return self._digest("message", str(canal_id), external_id)

    def _digest(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()


class DigestKeys:
    """The keys of all empresas. One per process; a key never changes once it is there."""

    def __init__(self, central: Central, keyring: Keyring) -> None:
        self._central = central
        self._keyring = keyring
        self._known: dict[int, Digests] = {}

    async def known(self, empresa_id: int) -> Digests | None:
        """None when nothing was ever erased there. Raises CentralUnavailable, SecretUnreadable."""
        if empresa_id not in self._known:
            async with self._central.connection() as conn:
                row = await conn.fetch_one(_READ, {"id": empresa_id})
            if row is None:
                return None
            key = self._keyring.open(row[0], purpose=erasure_key_of(empresa_id))
            self._known[empresa_id] = Digests(key)
        return self._known[empresa_id]

    async def made(self, empresa_id: int) -> Digests:
        """With a key of its own from now on. Raises as `known`."""
        found = await self.known(empresa_id)
        if found is not None:
            return found
        sealed = self._keyring.seal(secrets.token_hex(32), purpose=erasure_key_of(empresa_id))
        async with self._central.connection() as conn:
            await conn.execute(_ADD, {"id": empresa_id, "key": sealed})
        found = await self.known(empresa_id)
        if found is None:
            raise SecretUnreadable(f"empresa {empresa_id} has no key for what is erased")
        return found
