"""The canonical reply: what is to be sent, in one form for all gateways.

Written by `worker` from a row of `mensagens`, read by `gateway`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ReplyKind(StrEnum):
    """The values of `mensagens.tipo_conteudo` that we send."""

    TEXT = "text"
    IMAGE = "image"


class Reply(BaseModel):
    """One outbound message (one bubble on the buyer's screen)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    to: Annotated[str, Field(min_length=1, max_length=255)]
    """The buyer's address exactly as the gateway gave it (`Event.reply_to`)."""
    kind: ReplyKind = ReplyKind.TEXT
    text: str | None = None
    """The body, or the caption of an image."""
    media_url: str | None = None
    quoted_id: str | None = None
    our_ref: str | None = None
    """Comes back in status events where a gateway can carry it: `<empresa_id>:<mensagens.id>`."""

    @model_validator(mode="after")
    def _has_content(self) -> Reply:
        if self.kind is ReplyKind.TEXT and not self.text:
            raise ValueError("a text reply needs a text")
        if self.kind is ReplyKind.IMAGE and not self.media_url:
            raise ValueError("an image reply needs a media_url")
        return self


class Sent(BaseModel):
    """What the gateway said when it took a reply."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    """The gateway's id of our message; statuses and echoes carry it."""
    address: str | None = None
    """The buyer's address as the gateway knows it (Cloud API: contacts[0].wa_id), if it said so."""
