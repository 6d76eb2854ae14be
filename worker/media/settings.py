"""What processes are told from outside about files and about hearing audio. Read once."""

from __future__ import annotations

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.media import MediaLimits
from tenancy.bucket_settings import BucketSettings


class MediaSettings(BucketSettings):
    """Where buyers' files are kept, and what is not taken."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_prefix="MEDIA_", frozen=True)

    store: str = Field(
        "var/media",
        min_length=1,
        description="A folder that web and worker share, or s3://bucket/prefix.",
    )
    max_bytes: int = Field(
        25 * 1024 * 1024, ge=1024, le=100 * 1024 * 1024, description="Largest file that is kept."
    )
    timeout_s: float = Field(30.0, gt=0, le=50, description="For one request with its answer.")
    tries: int = Field(8, ge=1, le=50, description="Then the row says why there is no file.")
    per_empresa: int = Field(4, ge=1, le=50, description="Files of one dealer at once.")
    jobs: int = Field(8, ge=1, le=100, description="Dealers' jobs at once in one process.")

    @property
    def limits(self) -> MediaLimits:
        """For the gateways."""
        return MediaLimits(max_bytes=self.max_bytes, timeout_s=self.timeout_s)


class TranscribeSettings(BaseSettings):
    """A service that turns audio into text, with the interface of OpenAI. None without `url`."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_prefix="TRANSCRIBE_", frozen=True)

    url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#]+(/[^?#]*)?$",
        description="Up to its version, e.g. https://api.openai.com/v1.",
    )
    key: SecretStr | None = Field(None, description="Sent as a bearer token, if there is one.")
    model: str = Field("whisper-1", description="As the service names it.")
    language: str = Field("pt", description="What buyers speak.")
    timeout_s: float = Field(20.0, gt=0, le=50, description="For one audio.")
    wait_s: float = Field(
        12.0, ge=0, le=60, description="How long a turn waits for it after the audio arrived."
    )
    tries: int = Field(3, ge=1, le=10, description="Then Lucas has to ask for it in writing.")

    @model_validator(mode="after")
    def _a_key_goes_over_tls(self) -> TranscribeSettings:
        local = (self.url or "").startswith(("http://127.0.0.1", "http://localhost"))
        if self.key is not None and (self.url or "").startswith("http://") and not local:
            raise ValueError("a key is sent over https:// only")
        return self
