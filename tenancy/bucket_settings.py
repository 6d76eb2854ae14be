"""How a folder or an S3-compatible bucket is named. Base of the settings of what keeps files."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class BucketSettings(BaseSettings):
    """Who inherits says its prefix, and the defaults of `store` and `timeout_s`."""

    store: str = Field(min_length=1, description="A folder, or s3://bucket/prefix.")
    s3_endpoint: str | None = Field(
        None, description="Of an S3-compatible server; none: Amazon's own."
    )
    s3_region: str = Field("us-east-1", description="Of the bucket.")
    s3_access_key_id: str | None = Field(None, description="Who we are to S3.")
    s3_secret_access_key: SecretStr | None = Field(None, description="Proves it.")
    timeout_s: float = Field(gt=0, description="For one request with its answer.")

    @property
    def is_bucket(self) -> bool:
        """Whether `store` names one; else it is a folder."""
        return urlsplit(self.store).scheme == "s3"
