"""Keeps files in an S3-compatible bucket. Made by `worker.media.store`."""

from __future__ import annotations

from datetime import timedelta

import obstore
from obstore.exceptions import BaseError

from tenancy.bucket import open_bucket
from worker.media.settings import MediaSettings
from worker.media.store import StoreUnavailable


class S3Files:
    """See `MediaStore`."""

    def __init__(self, settings: MediaSettings) -> None:
        # Our own callers try again, later.
        wait = timedelta(seconds=settings.timeout_s)
        self._store = open_bucket(settings, retry={"max_retries": 1, "retry_timeout": wait})

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
