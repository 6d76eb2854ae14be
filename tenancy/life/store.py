"""Keeps backups: a folder, or an S3-compatible bucket. Used by `tenancy.life.backup`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schema.errors import Transient

if TYPE_CHECKING:  # the library has it for type checkers only
    from obstore.store import S3Config

_CHUNK = 1024 * 1024


class BackupSettings(BaseSettings):
    """Where backups are kept."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_prefix="BACKUP_", frozen=True)

    store: str = Field("var/backups", min_length=1, description="A folder, or s3://bucket/prefix.")
    s3_endpoint: str | None = Field(
        None, description="Of an S3-compatible server; none: Amazon's own."
    )
    s3_region: str = Field("us-east-1", description="Of the bucket.")
    s3_access_key_id: str | None = Field(None, description="Who we are to S3.")
    s3_secret_access_key: SecretStr | None = Field(None, description="Proves it.")
    timeout_s: float = Field(60.0, gt=0, le=600, description="For one request to S3.")


class BackupStoreUnavailable(Transient):
    """The folder or the bucket does not take or give backups now. The cause is chained."""


class BackupStore:
    """Objects under keys; the dealer's id is a key's first part. All methods raise
    BackupStoreUnavailable."""

    def __init__(self, settings: BackupSettings) -> None:
        self._store = _opened(settings)

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


def _opened(settings: BackupSettings) -> LocalStore | S3Store:
    address = urlsplit(settings.store)
    if address.scheme != "s3":
        folder = Path(settings.store).absolute()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(folder)
    return S3Store(
        address.netloc,
        prefix=address.path.strip("/") or None,
        config=_config(settings),
        client_options={
            "allow_http": (settings.s3_endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=settings.timeout_s),
        },
    )


def _config(settings: BackupSettings) -> S3Config:
    config: S3Config = {"region": settings.s3_region}
    if settings.s3_endpoint:
        config["endpoint"] = settings.s3_endpoint
    if settings.s3_access_key_id and settings.s3_secret_access_key is not None:
        config["access_key_id"] = settings.s3_access_key_id
        config["secret_access_key"] = settings.s3_secret_access_key.get_secret_value()
    return config


def _unavailable(error: Exception) -> BackupStoreUnavailable:
    return BackupStoreUnavailable(f"the backup store does not work: {type(error).__name__}")
