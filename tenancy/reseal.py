"""Seals the registry's secrets anew with the newest key. Used by `helix keys rotate`, and by
`helix doctor`, which counts those that still need another one.

Goes through all tables of the central database that hold some in pages, each row by itself: a run
that was killed is continued by running it again. A row that someone else writes meanwhile is left
to them and counted at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from schema.errors import SecretUnreadable
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.faults import CentralFaults
from tenancy.keyring import (
    Keyring,
    account_of,
    credentials_of,
    data_key_of,
    erasure_key_of,
    key_of,
    password_of,
)
from tenancy.lease import Connection
from tenancy.session import Profile
from tenancy.settings import TenancySettings
from tenancy.target import Limits

_PAGE = 500
# Names of equal shape, so that one walk serves all tables.
_PASSWORDS = """
    SELECT id, '' AS tipo, '' AS identificador, db_password AS token FROM empresas
     WHERE id > %(after)s AND db_password <> '' ORDER BY id LIMIT %(page)s
"""
_CREDENTIALS = """
    SELECT id, tipo, identificador, credenciais AS token FROM canais
     WHERE id > %(after)s AND credenciais <> '' ORDER BY id LIMIT %(page)s
"""
_DATA_KEYS = """
    SELECT empresa_id, '' AS tipo, '' AS identificador, chave AS token FROM chaves_empresa
     WHERE empresa_id > %(after)s AND chave <> '' ORDER BY empresa_id LIMIT %(page)s
"""
_ERASURE_KEYS = """
    SELECT empresa_id, '' AS tipo, '' AS identificador, chave AS token FROM lgpd_chaves
     WHERE empresa_id > %(after)s ORDER BY empresa_id LIMIT %(page)s
"""
_ACCOUNTS = """
    SELECT id, papel AS tipo, CONCAT(host, ' ', port) AS identificador, senha AS token
      FROM contas_servidor WHERE id > %(after)s ORDER BY id LIMIT %(page)s
"""
# BINARY: tokens that differ in case alone are two tokens.
_SET_PASSWORD = """
    UPDATE empresas SET db_password = %(new)s
     WHERE id = %(id)s AND BINARY db_password = %(old)s
"""  # noqa: S105 - a statement
_SET_CREDENTIALS = """
    UPDATE canais SET credenciais = %(new)s WHERE id = %(id)s AND BINARY credenciais = %(old)s
"""
_SET_ERASURE_KEY = """
    UPDATE lgpd_chaves SET chave = %(new)s WHERE empresa_id = %(id)s AND BINARY chave = %(old)s
"""
_SET_ACCOUNT = (
    "UPDATE contas_servidor SET senha = %(new)s WHERE id = %(id)s AND BINARY senha = %(old)s"
)
_SET_DATA_KEY = """
    UPDATE chaves_empresa SET chave = %(new)s
     WHERE empresa_id = %(id)s AND BINARY chave = %(old)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """What a run did and what it leaves."""

    newest: str
    resealed: int
    per_key: dict[str, int]
    """Secrets by the key that they need now; `plain` for those that are not sealed at all."""
    unreadable: tuple[str, ...]
    """What cannot be opened with the keys that we have, and so not be sealed anew."""

    @property
    def remaining(self) -> int:
        """Secrets that still need an older key. At 0 the older keys may be removed."""
        return sum(self.per_key.values()) - self.per_key.get(self.newest, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One column of secrets."""

    read: str
    write: str
    purpose: Callable[[int, str, str], str]
    """What it is sealed for, by id, `tipo` and `identificador` of its row."""


def _account(_id: int, role: str, place: str) -> str:
    host, port = place.split(" ")
    return account_of(host, int(port), role)


_KINDS = (
    _Kind(read=_PASSWORDS, write=_SET_PASSWORD, purpose=lambda id_, *_: password_of(id_)),
    _Kind(
        read=_CREDENTIALS,
        write=_SET_CREDENTIALS,
        purpose=lambda _id, gateway, number: credentials_of(gateway, number),
    ),
    _Kind(read=_DATA_KEYS, write=_SET_DATA_KEY, purpose=lambda id_, *_: data_key_of(id_)),
    _Kind(read=_ERASURE_KEYS, write=_SET_ERASURE_KEY, purpose=lambda id_, *_: erasure_key_of(id_)),
    _Kind(read=_ACCOUNTS, write=_SET_ACCOUNT, purpose=_account),
)


async def reseal_all(settings: TenancySettings) -> Resealed:
    """Raises CentralUnavailable; what was sealed anew until then stays so."""
    keyring = settings.keyring()
    unreadable: list[str] = []
    resealed = 0
    async with direct(
        central_target(settings), Limits.of(settings), CentralFaults(), profile=Profile.WORK
    ) as conn:
        for kind in _KINDS:
            async for id_, purpose, token in _secrets(conn, kind):
                if key_of(token) == keyring.newest:
                    continue
                try:
                    new = _anew(keyring, token, purpose)
                except SecretUnreadable as error:
                    unreadable.append(str(error))
                else:
                    resealed += await conn.execute(
                        kind.write, {"id": id_, "old": token, "new": new}
                    )
        per_key = await count_per_key(conn)
    return Resealed(
        newest=keyring.newest,
        resealed=resealed,
        per_key=per_key,
        unreadable=tuple(unreadable),
    )


async def count_per_key(conn: Connection) -> dict[str, int]:
    """How many secrets of the registry each key seals; `plain`: those that are not sealed."""
    counts: Counter[str] = Counter()
    for kind in _KINDS:
        counts.update([key_of(token) async for _, _, token in _secrets(conn, kind)])
    return dict(counts)


def _anew(keyring: Keyring, token: str, purpose: str) -> str:
    return keyring.seal(keyring.open(token, purpose=purpose), purpose=purpose)


async def _secrets(conn: Connection, kind: _Kind) -> AsyncIterator[tuple[int, str, str]]:
    """All of a column: id, what it is sealed for, token."""
    after = 0
    while page := await conn.fetch_all(kind.read, {"after": after, "page": _PAGE}):
        for id_, tipo, identificador, token in page:
            yield int(id_), kind.purpose(int(id_), tipo, identificador), str(token)
        after = int(page[-1][0])
