"""The canonical reply: what is to be sent, in one form for all gateways.

Written by `worker` from a row of `mensagens`, read by `gateway`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

_FROZEN = ConfigDict(frozen=True, extra="ignore")


class ReplyKind(StrEnum):
    """The values of `mensagens.tipo_conteudo` that we send."""

    TEXT = "text"
    IMAGE = "image"
    DOCUMENT = "document"
    LOCATION = "location"
    BUTTONS = "buttons"
    LIST = "list"
    TEMPLATE = "template"


class Location(BaseModel):
    """A point on the map, in degrees."""

    model_config = _FROZEN

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: str | None = None
    address: str | None = None


class Option(BaseModel):
    """One thing to tap: a button, or a row of a list. The buyer's answer brings `id` back."""

    model_config = _FROZEN

    id: Annotated[str, Field(min_length=1, max_length=200)]
    title: Annotated[str, Field(min_length=1, max_length=24)]
    """What the buyer sees and what his answer says: at most 20 characters on a button."""
    description: Annotated[str, Field(max_length=72)] | None = None
    """Lists only."""


class Template(BaseModel):
    """A text that Meta has approved: all that may be sent when the buyer's last message is old."""

    model_config = _FROZEN

    name: Annotated[str, Field(min_length=1, max_length=512)]
    language: str = "pt_BR"
    parameters: tuple[str, ...] = ()
    """What fills {{1}}, {{2}}, ... of the body, in order."""


class Reply(BaseModel):
    """One outbound message (one bubble on the buyer's screen)."""

    model_config = _FROZEN

    to: Annotated[str, Field(min_length=1, max_length=255)]
    """The buyer's address exactly as the gateway gave it (`Event.reply_to`)."""
    kind: ReplyKind = ReplyKind.TEXT
    text: str | None = None
    """The body, or the caption of an image or document."""
    media_url: str | None = None
    file_name: Annotated[str, Field(max_length=240)] | None = None
    """Of a document, as the buyer sees it."""
    location: Location | None = None
    options: Annotated[tuple[Option, ...], Field(max_length=10)] = ()
    """Up to three buttons, or up to ten rows of a list."""
    button: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    """What opens a list."""
    template: Template | None = None
    quoted_id: str | None = None
    our_ref: str | None = None
    """Comes back in status events where a gateway can carry it: `<empresa_id>:<mensagens.id>`."""

    @model_validator(mode="after")
    def _has_content(self) -> Reply:
        missing = [name for name in _NEEDED[self.kind] if not getattr(self, name)]
        if missing:
            raise ValueError(f"a reply of kind {self.kind} needs {' and '.join(missing)}")
        if self.kind is ReplyKind.BUTTONS and len(self.options) > _MOST_BUTTONS:
            raise ValueError(f"at most {_MOST_BUTTONS} buttons; more make a list")
        if self.kind is ReplyKind.BUTTONS and any(len(o.title) > _BUTTON for o in self.options):
            raise ValueError(f"a button's title has at most {_BUTTON} characters")
        return self


_MOST_BUTTONS, _BUTTON = 3, 20
"""Of WhatsApp itself, like the lengths above: Cloud API reference, "Interactive messages"."""

_NEEDED = {
    ReplyKind.TEXT: ("text",),
    ReplyKind.IMAGE: ("media_url",),
    ReplyKind.DOCUMENT: ("media_url", "file_name"),
    ReplyKind.LOCATION: ("location",),
    ReplyKind.BUTTONS: ("text", "options"),
    ReplyKind.LIST: ("text", "options", "button"),
    ReplyKind.TEMPLATE: ("template",),
}


class Sent(BaseModel):
    """What the gateway said when it took a reply."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    """The gateway's id of our message; statuses and echoes carry it."""
    address: str | None = None
    """The buyer's address as the gateway knows it (Cloud API: contacts[0].wa_id), if it said so."""
