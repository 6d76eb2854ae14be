"""Encrypts a stream of any length in pieces, and opens it again. Used by backups.

A stream begins with MAGIC and a salt. Each file has a key of its own, derived from the dealer's
data key, the salt and what the file is (its context); so a piece's number is nonce enough. The last
piece is marked in its nonce: a stream that was cut, reordered or put together does not open.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schema.errors import BackupDamaged

MAGIC: Final = b"HELIXBK1"
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
_LENGTH_BYTES: Final = 4
PIECE_BYTES: Final = 1024 * 1024


def derived(key: bytes, *, salt: bytes, info: str) -> bytes:
    """32 bytes for one purpose."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info.encode()).derive(key)


async def seal(plain: AsyncIterator[bytes], key: bytes, *, context: str) -> AsyncIterator[bytes]:
    """The sealed stream, in pieces as they are to be written. `key`: 32 bytes."""
    salt = secrets.token_bytes(_SALT_BYTES)
    cipher = AESGCM(derived(key, salt=salt, info=context))
    yield MAGIC + salt
    buffer, number = bytearray(), 0
    async for chunk in plain:
        buffer += chunk
        while len(buffer) > PIECE_BYTES:  # not >=: the last piece is known to be the last
            yield _sealed(cipher, number, bytes(buffer[:PIECE_BYTES]), last=False)
            del buffer[:PIECE_BYTES]
            number += 1
    yield _sealed(cipher, number, bytes(buffer), last=True)


async def unseal(sealed: AsyncIterator[bytes], key: bytes, *, context: str) -> AsyncIterator[bytes]:
    """The plain stream. Raises BackupDamaged as soon as a piece is not what was sealed, and at the
    end when pieces are missing; what was given out before was genuine."""
    buffer = _Buffer(sealed)
    if await buffer.take(len(MAGIC)) != MAGIC:
        raise BackupDamaged("it does not begin like a backup of ours")
    salt = await buffer.take(_SALT_BYTES)
    cipher = AESGCM(derived(key, salt=salt, info=context))
    number = 0
    while True:
        length = int.from_bytes(await buffer.take(_LENGTH_BYTES), "big")
        if not _TAG_BYTES <= length <= PIECE_BYTES + _TAG_BYTES:
            raise BackupDamaged(f"piece {number} has an impossible length")
        piece = await buffer.take(length)
        last = await buffer.at_end()
        try:
            yield cipher.decrypt(_nonce(number, last=last), piece, None)
        except InvalidTag:
            raise BackupDamaged(
                f"piece {number} was altered, or pieces after it are missing, or the key is another"
            ) from None
        if last:
            return
        number += 1


def _sealed(cipher: AESGCM, number: int, plain: bytes, *, last: bool) -> bytes:
    piece = cipher.encrypt(_nonce(number, last=last), plain, None)
    return len(piece).to_bytes(_LENGTH_BYTES, "big") + piece


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


class _Buffer:
    """Gives out a stream in the lengths that are asked for."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._bytes = bytearray()
        self._ended = False

    async def take(self, length: int) -> bytes:
        while len(self._bytes) < length:
            if not await self._more():
                raise BackupDamaged("it ends too early")
        taken = bytes(self._bytes[:length])
        del self._bytes[:length]
        return taken

    async def at_end(self) -> bool:
        while not self._bytes:
            if not await self._more():
                return True
        return False

    async def _more(self) -> bool:
        if self._ended:
            return False
        try:
            self._bytes += await anext(self._stream)
        except StopAsyncIteration:
            self._ended = True
        return not self._ended
