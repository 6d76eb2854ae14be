"""When something is an alarm, and who is told. Read once by each web and worker process."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class AlarmSettings(BaseSettings):
    """Limits, and the webhook that alarms are posted to."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, env_prefix="ALARM_", frozen=True, populate_by_name=True
    )

    webhook_url: SecretStr | None = Field(
        None, description="Alarms are posted here; it may hold a token, so it is a secret."
    )
    webhook_secret: SecretStr | None = Field(None, description="Signs what is posted.")
    every_s: float = Field(15.0, ge=0.05, le=600, description="How often the watcher looks.")
    hold_s: float = Field(
        30.0, ge=0, le=3600, description="A trouble of the fleet must last, or be gone, so long."
    )
    repeat_min: float = Field(240.0, gt=0, le=10_080, description="An open alarm is told again.")
    buyer_wait_s: float = Field(
        180.0, gt=0, le=86_400, description="Longer than this no buyer waits for Lucas."
    )
    person_wait_min: float = Field(
        60.0, gt=0, le=10_080, description="The same for a person, in minutes of opening time."
    )
    silent_min: float = Field(
        120.0, gt=0, le=43_200, description="A channel is silent after this opening time at least."
    )
    silent_factor: float = Field(
        2.0, ge=1, le=100, description="And after this many times its longest usual silence."
    )
    dead_min: float = Field(15.0, gt=0, le=1440, description="A dead letter is new for so long.")
    min_workers: int = Field(1, ge=0, le=10_000, description="Fewer worker processes: an alarm.")
    full_share: float = Field(
        0.8, gt=0, le=1, description="Of Redis's memory, or of an inbox's limit: nearly full."
    )

    @field_validator("webhook_url")
    @classmethod
    def _is_http(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("an address that begins with https:// or http://")
        return url

    @model_validator(mode="after")
    def _is_signed(self) -> AlarmSettings:
        if self.webhook_url is not None and self.webhook_secret is None:
            raise ValueError("ALARM_WEBHOOK_SECRET is needed beside ALARM_WEBHOOK_URL")
        return self
