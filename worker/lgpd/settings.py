"""How long data is kept, and what stays of a person who is erased. Read once by each process."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_LONGEST = 36_500


class PrivacySettings(BaseSettings):
    """Defaults for all dealers; `helix lgpd retention` changes single ones. 0: without end."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_prefix="PRIVACY_", frozen=True)

    messages_days: int = Field(
        0, ge=0, le=_LONGEST, description="Messages, and what conversations remember of them."
    )
    media_days: int = Field(0, ge=0, le=_LONGEST, description="Files that buyers sent.")
    dead_letters_days: int = Field(90, ge=0, le=_LONGEST, description="Dead letters in Redis.")
    decisions_days: int = Field(
        180, ge=0, le=_LONGEST, description="Why Lucas answered what, and what he had understood."
    )
    count_visits: bool = Field(
        False, description="Of an erased person, keep how many appointments there were."
    )
