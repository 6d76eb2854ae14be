"""Keeps backups: a folder, or an S3-compatible bucket. Used by `tenancy.life.backup`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from schema.errors import Transient
from tenancy.bucket import open_bucket
from tenancy.life.settings import BackupSettings

_CHUNK = 1024 * 1024


class BackupStoreUnavailable(Transient):
    """The folder or the bucket does not take or give backups now. The cause is chained."""


class BackupStore:
    """Objects under keys; the dealer's id is a key's first part. All methods raise
    BackupStoreUnavailable."""

    def __init__(self, settings: BackupSettings) -> None:
        self._store = _opened(settings)
        self._folder = None if settings.is_bucket else Path(settings.store).absolute()

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """An object of any length; it is there once all of it is."""
        try:
            await obstore.put_async(self._store, key, chunks, use_multipart=True)
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """Its bytes. Raises KeyError when there is none."""
        try:
            found = await obstore.get_async(self._store, key)
            async for chunk in found.stream(min_chunk_size=_CHUNK):
                yield bytes(chunk)
        except FileNotFoundError:
            raise KeyError(key) from None
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    async def keys(self, prefix: str) -> list[str]:
        """All below a prefix (whole parts of keys), sorted."""
        found: list[str] = []
        try:
            async for page in obstore.list(self._store, prefix=prefix):
                found += [entry["path"] for entry in page]
        except FileNotFoundError:
            return []
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        return sorted(found)

    async def delete(self, keys: list[str]) -> None:
        """Those that are there."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise _unavailable(error) from error

    async def remove(self, empresa_id: int, name: str) -> None:
        """A backup, or what is there of one. Its manifest goes first: half of it is none. In a
        folder, pieces go too that a killed process was writing; a bucket expires its own."""
        keys = await self.keys(f"{empresa_id}/{name}/")
        await self.delete(sorted(keys, key=lambda key: not key.endswith("/manifest.json")))
        if self._folder is not None:
            try:
                await asyncio.to_thread(_remove, self._folder / str(empresa_id) / name)
            except OSError as error:
                raise _unavailable(error) from error


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)


def _opened(settings: BackupSettings) -> LocalStore | S3Store:
    if settings.is_bucket:
        return open_bucket(settings)
    folder = Path(settings.store).absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return LocalStore(folder)


def _unavailable(error: Exception) -> BackupStoreUnavailable:
    return BackupStoreUnavailable(f"the backup store does not work: {type(error).__name__}")
