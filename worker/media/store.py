"""Keeps files by what is in them, for each dealer apart. Called by this room and the webhook.

The key of a file is its SHA-256: putting it twice changes nothing, and a crash between the file and
its row leaves at most a file that the next try finds.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Protocol

from schema.errors import Transient
from worker.media.settings import MediaSettings

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class StoreUnavailable(Transient):
    """The folder or the S3 server does not take or give files now. The cause is chained."""


class MediaStore(Protocol):
    """Holds files under keys of `key_of`."""

    async def put(self, key: str, data: bytes) -> None:
        """When it returns, the file is safe. Raises StoreUnavailable."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The file, None when there is none. Raises StoreUnavailable."""
        ...

    async def delete(self, key: str) -> None:
        """When it returns, there is no such file. Raises StoreUnavailable."""
        ...

    async def erase(self, empresa_id: int) -> int:
        """Deletes all files of a dealer; returns how many there were. Raises StoreUnavailable."""
        ...


def digest_of(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def key_of(empresa_id: int, digest: str) -> str:
    """Where a dealer's file lies. Raises ValueError for what is no digest."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("not a SHA-256 in hex")
    return f"{empresa_id}/{digest[:2]}/{digest}"


def open_store(settings: MediaSettings) -> MediaStore:
    """The store that the settings name; nothing is connected to or made yet."""
    if settings.is_bucket:
        # Here, for the library is large and a folder needs none of it.
        from worker.media.s3 import S3Files

        return S3Files(settings)
    return Folder(Path(settings.store))


class Folder:
    """Files below one folder, which all processes see."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: str, data: bytes) -> None:
        """See `MediaStore`. On disk when it returns."""
        try:
            await asyncio.to_thread(self._write, self._root / key, data)
        except OSError as error:
            raise StoreUnavailable(f"the media folder: {error.strerror}") from error

    async def get(self, key: str) -> bytes | None:
        """See `MediaStore`."""
        try:
            return await asyncio.to_thread((self._root / key).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"the media folder: {error.strerror}") from error

    async def delete(self, key: str) -> None:
        """See `MediaStore`."""
        try:
            await asyncio.to_thread((self._root / key).unlink, missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the media folder: {error.strerror}") from error

    async def erase(self, empresa_id: int) -> int:
        """See `MediaStore`."""
        try:
            return await asyncio.to_thread(_erase, self._root / str(empresa_id))
        except OSError as error:
            raise StoreUnavailable(f"the media folder: {error.strerror}") from error

    def _write(self, path: Path, data: bytes) -> None:
        if path.exists() and path.stat().st_size == len(data):
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            with beside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)  # whoever reads sees all of it or nothing
        finally:
            beside.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _erase(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    files = sum(path.is_file() for path in folder.rglob("*"))
    shutil.rmtree(folder)
    return files
