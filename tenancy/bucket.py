"""Opens an S3-compatible bucket. Used by the store of backups and by that of buyers' files.

The library is large: only who keeps something in a bucket imports this.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.store import S3Store

from tenancy.bucket_settings import BucketSettings

if TYPE_CHECKING:  # the library has them for type checkers only
    from obstore.store import RetryConfig, S3Config

_CONNECT_S = 5


def open_bucket(settings: BucketSettings, *, retry: RetryConfig | None = None) -> S3Store:
    """The bucket and prefix that `settings.store` names; nothing is connected to yet. Without keys
    in the settings, those of the machine's role are used."""
    address = urlsplit(settings.store)
    return S3Store(
        address.netloc,
        prefix=address.path.strip("/") or None,
        config=_config(settings),
        client_options={
            "allow_http": (settings.s3_endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=_CONNECT_S),
            "timeout": timedelta(seconds=settings.timeout_s),
        },
        retry_config=retry,
    )


def _config(settings: BucketSettings) -> S3Config:
    config: S3Config = {"region": settings.s3_region}
    if settings.s3_endpoint:
        config["endpoint"] = settings.s3_endpoint
    if settings.s3_access_key_id and settings.s3_secret_access_key is not None:
        config["access_key_id"] = settings.s3_access_key_id
        config["secret_access_key"] = settings.s3_secret_access_key.get_secret_value()
    return config
