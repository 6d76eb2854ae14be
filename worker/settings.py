"""What the web and worker processes are told from outside. Read once when a process starts."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio import ConnectionPool

from worker.queue.functions import InboxLimits
from worker.redis_link import read_url, redis_pool


class WorkerSettings(BaseSettings):
    """Redis, and how a worker process works off inboxes and outboxes."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, env_prefix="WORKER_", frozen=True, populate_by_name=True
    )

    redis_url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        validation_alias="REDIS_URL",
        description="May hold a password, so it is a secret. Also redis+sentinel://, see docs.",
    )
    redis_sentinel_user: str = Field(
        "", validation_alias="REDIS_SENTINEL_USER", description="Where Sentinels ask for one."
    )
    redis_sentinel_password: SecretStr = Field(
        SecretStr(""),
        validation_alias="REDIS_SENTINEL_PASSWORD",
        description="Of the Sentinels themselves; that of the servers stands in REDIS_URL.",
    )
    max_jobs: int = Field(32, ge=1, le=500, description="Drains at the same time in one process.")
    max_deliveries: int = Field(
        32, ge=1, le=500, description="Dealers sent for at the same time in one process."
    )
    poll_delay_s: float = Field(
        0.01, gt=0, le=5, description="How often arq looks for a job while it hears no rings."
    )
    lease_s: float = Field(8.0, ge=1, le=60, description="A dead worker's empresa waits this long.")
    sweep_s: float = Field(1.0, gt=0, le=30, description="How often lost rings are rung again.")
    batch: int = Field(512, ge=1, le=5000, description="Most events of one transaction.")
    inbox_max_events: int = Field(
        100_000, ge=1000, description="More waiting at one dealer: his events are refused (503)."
    )
    inbox_max_bytes: int = Field(
        268_435_456, ge=16_777_216, description="The same for the bytes of their JSON."
    )
    slice_s: float = Field(2.0, gt=0, le=60, description="After this a drain gives way to others.")
    grace_s: float = Field(10.0, ge=0, le=300, description="Time to finish jobs after SIGTERM.")
    redis_timeout_s: float = Field(5.0, gt=0, le=60, description="For one answer of Redis.")
    health_host: str = Field("127.0.0.1", description="Address for /healthz, /readyz, /metrics.")
    health_port: int | None = Field(
        None, ge=0, le=65535, description="Their port; 0: any free one. None: they are not served."
    )
    sends_per_empresa: int = Field(4, ge=1, le=100, description="Conversations sent to at once.")
    mark_read: bool = Field(
        True, description="Show buyers that they are read and that an answer is coming."
    )
    unknown_wait_s: float = Field(
        30.0, gt=0, le=600, description="A send without an answer is decided after this."
    )
    pause_after_human_h: float = Field(
        4.0,
        gt=0,
        le=720,
        description="Hours of opening time that Lucas keeps quiet after a seller wrote.",
    )

    @property
    def inbox_limits(self) -> InboxLimits:
        """What may wait on one inbox."""
        return InboxLimits(events=self.inbox_max_events, bytes=self.inbox_max_bytes)

    @field_validator("redis_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr) -> SecretStr:
        read_url(url)
        return url

    def redis(self, *, timeout_s: float | None = None) -> ConnectionPool:
        """New connections to this Redis, opened when they are needed. For one client, which closes
        them: `Redis.from_pool`. `timeout_s`: other than `redis_timeout_s`."""
        return redis_pool(
            self.redis_url,
            timeout_s=self.redis_timeout_s if timeout_s is None else timeout_s,
            sentinel_user=self.redis_sentinel_user,
            sentinel_password=self.redis_sentinel_password,
        )

    @field_validator("health_port", mode="before")
    @classmethod
    def _empty_is_none(cls, port: object) -> object:
        return None if port == "" else port


class WebSettings(BaseSettings):
    """The webhook process."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, env_prefix="WEB_", frozen=True, populate_by_name=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, validation_alias="PORT", description="0: any free one.")
    redis_timeout_s: float = Field(
        1.0,
        gt=0,
        le=30,
        description="Redis slower than this: 503, so that the gateway tries again.",
    )
    body_timeout_s: float = Field(10.0, gt=0, le=120, description="For a request's whole body.")
    wait_replicas: int = Field(
        0, ge=0, le=10, description="Replicas of Redis that have an event before its 200."
    )
