"""Opens and seals the secrets of the registry. Used by `tenancy.registry` and provisioning.

A token is `v2:<keyid>:<base64 of nonce and ciphertext>`, AES-256-GCM. What the secret is for is
authenticated with it, so that a token copied into another row is refused. Tokens of an existing
installation (Fernet) can be read while its key is listed as `fernet:<key>`.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schema.errors import SecretUnreadable

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PREFIX: Final = "v2"
_FERNET_ID: Final = "fernet"
_FERNET_START: Final = "gAAAA"
"""Version byte 0x80 and the high bytes of a time stamp, in base64."""
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


def password_of(empresa_id: int) -> str:
    """What `empresas.db_password` of this row is sealed for."""
    return f"empresa:{empresa_id}:db_password"


def credentials_of(gateway: str, identifier: str) -> str:
    """What `canais.credenciais` of this row is sealed for."""
    return f"canal:{gateway}:{identifier}:credenciais"


def erasure_key_of(empresa_id: int) -> str:
    """What `lgpd_chaves.chave` of this row is sealed for."""
    return f"empresa:{empresa_id}:lgpd"


def account_of(host: str, port: int, papel: str) -> str:
    """What `contas_servidor.senha` of this row is sealed for."""
    return f"servidor:{host}:{port}:{papel}"


def data_key_of(empresa_id: int) -> str:
    """What `chaves_empresa.chave` of this row is sealed for."""
    return f"empresa:{empresa_id}:data_key"


def new_key() -> str:
    """A line for TENANCY_KEYS: a new key with a new id."""
    key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    return f"k{secrets.token_hex(4)}:{key}"


def key_of(token: str) -> str:
    """The id of the key that a token was sealed with; `fernet`, or `plain` when it is no token."""
    if token.startswith(f"{_PREFIX}:"):
        return token.split(":", 2)[1]
    return _FERNET_ID if token.startswith(_FERNET_START) else "plain"


class Keyring:
    """Keys by id; the first one seals, all of them open."""

    def __init__(self, keys: Mapping[str, AESGCM], fernet: Fernet | None) -> None:
        self._keys = keys
        self._newest = next(iter(keys))
        self._fernet = fernet

    @classmethod
    def parse(cls, lines: str) -> Keyring:
        """From `keyid:base64key`, separated by commas, newest first.

        Raises ValueError, without the keys in its text, for a list that is empty, repeated or
        garbled.
        """
        keys: dict[str, AESGCM] = {}
        fernet: Fernet | None = None
        seen: set[bytes] = set()
        entries = [entry.strip() for entry in lines.split(",") if entry.strip()]
        for position, entry in enumerate(entries, 1):
            key_id, _, text = entry.partition(":")
            key = _decode_key(text, position)
            if not _KEY_ID.fullmatch(key_id):
                raise ValueError(f"key {position} has no id: write keyid:base64key")
            if key_id in keys or key in seen or (key_id == _FERNET_ID and fernet is not None):
                raise ValueError(f"key {position} is listed twice")
            seen.add(key)
            if key_id == _FERNET_ID:
                fernet = Fernet(base64.urlsafe_b64encode(key))
            else:
                keys[key_id] = AESGCM(key)
        if not keys:
            raise ValueError("no key to seal with: `helix keys new` makes one")
        return cls(keys, fernet)

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return self._newest

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    def seal(self, secret: str, *, purpose: str) -> str:
        """The token to store."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._newest].encrypt(nonce, secret.encode(), purpose.encode())
        return f"{_PREFIX}:{self._newest}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, token: str, *, purpose: str) -> str:
        """The secret of a token. Raises SecretUnreadable; its text holds neither."""
        if token.startswith(f"{_PREFIX}:"):
            return self._open_sealed(token, purpose)
        if token.startswith(_FERNET_START):
            return self._open_fernet(token, purpose)
        raise SecretUnreadable(
            f"{purpose} is stored without encryption; `helix empresa adopt` stores it encrypted"
        )

    def _open_sealed(self, token: str, purpose: str) -> str:
        _, _, rest = token.partition(":")
        key_id, _, text = rest.partition(":")
        key = self._keys.get(key_id)
        if key is None:
            raise SecretUnreadable(f"{purpose} needs a key that is not in TENANCY_KEYS")
        try:
            data = base64.b64decode(text, validate=True)
            return key.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], purpose.encode()).decode()
        except (binascii.Error, InvalidTag, ValueError):
            raise SecretUnreadable(
                f"{purpose} was altered or copied from another row; store it anew"
            ) from None

    def _open_fernet(self, token: str, purpose: str) -> str:
        if self._fernet is None:
            raise SecretUnreadable(
                f"{purpose} is of an earlier installation; "
                "add its key to TENANCY_KEYS as fernet:<key>"
            )
        try:
            return self._fernet.decrypt(token).decode()
        except (InvalidToken, ValueError):
            raise SecretUnreadable(f"{purpose} cannot be opened with the fernet key") from None


def _decode_key(text: str, position: int) -> bytes:
    """32 bytes from base64, in either alphabet (Fernet keys are written in the URL-safe one)."""
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"key {position} is not {_KEY_BYTES} bytes in base64")
    return key
