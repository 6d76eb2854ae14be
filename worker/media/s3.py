"""Keeps files in an S3-compatible bucket. Made by `worker.media.store`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from worker.media.settings import MediaSettings
from worker.media.store import StoreUnavailable

if TYPE_CHECKING:  # the library has it for type checkers only
    from obstore.store import S3Config


class S3Files:
    """See `MediaStore`. Without keys in the settings, those of the machine's role are used."""

    def __init__(self, settings: MediaSettings) -> None:
        address = urlsplit(settings.store)
        plain = (settings.s3_endpoint or "").startswith("http://")
        self._store = S3Store(
            address.netloc,
            prefix=address.path.strip("/") or None,
            config=_config(settings),
            client_options={
                "allow_http": plain,
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=settings.timeout_s),
            },
            # Our own callers try again, later.
            retry_config={
                "max_retries": 1,
                "retry_timeout": timedelta(seconds=settings.timeout_s),
            },
        )

    async def put(self, key: str, data: bytes) -> None:
        """See `MediaStore`."""
        try:
            await obstore.put_async(self._store, key, data)
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"the media bucket: {type(error).__name__}") from error

    async def get(self, key: str) -> bytes | None:
        """See `MediaStore`."""
        try:
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"the media bucket: {type(error).__name__}") from error

    async def delete(self, key: str) -> None:
        """See `MediaStore`. A bucket that keeps versions keeps them: see docs/lgpd.md."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"the media bucket: {type(error).__name__}") from error

    async def erase(self, empresa_id: int) -> int:
        """See `MediaStore`."""
        erased = 0
        try:
            async for page in obstore.list(self._store, prefix=f"{empresa_id}/"):
                paths = [entry["path"] for entry in page]
                await obstore.delete_async(self._store, paths)
                erased += len(paths)
        except FileNotFoundError:
            return erased
        except (BaseError, OSError) as error:
            raise StoreUnavailable(f"the media bucket: {type(error).__name__}") from error
        return erased


def _config(settings: MediaSettings) -> S3Config:
    config: S3Config = {"region": settings.s3_region}
    if settings.s3_endpoint:
        config["endpoint"] = settings.s3_endpoint
    if settings.s3_access_key_id and settings.s3_secret_access_key is not None:
        config["access_key_id"] = settings.s3_access_key_id
        config["secret_access_key"] = settings.s3_secret_access_key.get_secret_value()
    return config
