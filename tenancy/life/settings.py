"""Where backups are kept, when they are made by themselves, and for how long. Read once."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from tenancy.bucket_settings import BucketSettings


class BackupSettings(BucketSettings):
    """Hours are those of the dealers' clock."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_prefix="BACKUP_", frozen=True)

    store: str = Field("var/backups", min_length=1, description="A folder, or s3://bucket/prefix.")
    timeout_s: float = Field(60.0, gt=0, le=600, description="For one request to S3.")
    hour: int | None = Field(
        None, ge=0, le=23, description="From when on dealers are backed up by night; none: never."
    )
    spread_min: int = Field(
        240, ge=1, le=720, description="Over so much time the dealers of a night are spread."
    )
    per_host: int = Field(1, ge=1, le=8, description="Backups at once on one database server.")
    at_once: int = Field(2, ge=1, le=32, description="On all of them together.")
    keep_days: int = Field(7, ge=1, le=3660, description="Newest backups of so many days stay.")
    keep_weeks: int = Field(4, ge=0, le=520, description="Newest backups of so many weeks stay.")
    old_h: int = Field(
        36, ge=1, le=8760, description="A dealer whose newest backup is older is told of."
    )
