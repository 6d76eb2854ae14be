"""What an operator may set about Lucas. Read once by `worker`, handed down."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LucasSettings(BaseSettings):
    """How long Lucas waits before he answers. An empresa may have values of its own."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_prefix="LUCAS_", frozen=True)

    quiet_complete_s: float = Field(
        1.5, ge=0, le=30, description="Wait after a message that is complete by itself."
    )
    quiet_fragment_s: float = Field(
        4.0, ge=0, le=60, description="Wait after a fragment: more is likely to come."
    )
    quiet_greeting_s: float = Field(2.5, ge=0, le=30, description="Wait after a bare greeting.")
    quiet_limit_s: float = Field(
        15.0, gt=0, le=120, description="Never answer later than this after the first message."
    )
    quiet_typing_s: float = Field(
        8.0, ge=0, le=60, description="Wait after the gateway said that the buyer is writing."
    )
    backlog_after_min: float = Field(
        10.0, gt=0, le=1440, description="Older than this when it comes: part of a backlog."
    )
    too_old_h: float = Field(
        24.0, gt=0, le=720, description="Older than this when it comes: a person sees to it."
    )
    turns_per_min: int = Field(
        12,
        ge=0,
        le=600,
        description="Turns of one conversation: so many at once, then at this pace. 0: no limit.",
    )
    stock_ttl_s: float = Field(
        5.0, ge=0, le=300, description="How long a prepared stock may be used before a new look."
    )
