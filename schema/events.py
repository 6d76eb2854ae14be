"""The canonical event: what a gateway tells us, in one form for all gateways.

Written by `gateway` (and by gateways in other languages, see docs/reference/event.schema.json),
read by `worker`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class EventKind(StrEnum):
    """What happened. The first eleven are something that a buyer wrote."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACTS = "contacts"
    INTERACTIVE = "interactive"
    REFERRAL_TEXT = "referral_text"
    UNSUPPORTED = "unsupported"
    REACTION = "reaction"
    EDITED = "edited"
    REVOKED = "revoked"
    STATUS = "status"
    HUMAN_ECHO = "human_echo"
    IGNORED = "ignored"


BUYER_WROTE = frozenset(list(EventKind)[:11])
"""Kinds that become a row of their own and may be answered."""
WITH_FILE = frozenset(list(EventKind)[1:6])
"""Image, audio, video, document, sticker: a file comes with them."""


class DeliveryStatus(StrEnum):
    """How far a message of ours got, as gateways name it. A ladder: it only climbs."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


class Event(BaseModel):
    """One thing that happened on a channel.

    The first eleven fields are the canonical form that is the same for every gateway; the rest is
    what an adapter knows beyond it. Times are unix seconds.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: EventKind
    message_id: Annotated[str, Field(max_length=255)] | None = None
    """The message's own id; for edited, revoked and status: of the message that is changed."""
    phone: Annotated[str, Field(pattern=r"^\d{5,20}$")] | None = None
    """The buyer's number, digits only, Brazilian mobiles with the ninth digit: a key only."""
    channel: Annotated[str, Field(max_length=255)] | None = None
    """The channel as its gateway names it: phone_number_id, instance, session."""
    text: str | None = None
    timestamp: int | None = None
    from_me: bool | None = None
    quoted_id: str | None = None
    media_id_or_url: str | None = None
    status: DeliveryStatus | None = None
    error_code: int | None = None

    gateway: str = ""
    """cloud_api, evolution, waha, ...: the value of `canais.tipo`."""
    reply_to: Annotated[str, Field(max_length=255)] | None = None
    """The address an answer goes to, exactly as received (wa_id, jid, lid or BSUID)."""
    user_id: Annotated[str, Field(max_length=255)] | None = None
    """The gateway's own id of the buyer (BSUID, lid), where there is one."""
    push_name: str | None = None
    button_id: str | None = None
    file_name: str | None = None
    mime_type: str | None = None
    error_text: str | None = None
    our_ref: str | None = None
    """What we gave along when sending (Cloud API: biz_opaque_callback_data)."""
    reason: str | None = None
    """Why an event is ignored or unsupported, for the log."""

    def canonical(self) -> dict[str, object]:
        """Only the eleven keys that every gateway agrees on, JSON-ready, in their order."""
        return {
            "kind": self.kind.value,
            "message_id": self.message_id,
            "phone": self.phone,
            "channel": self.channel,
            "text": self.text,
            "timestamp": self.timestamp,
            "from_me": self.from_me,
            "quoted_id": self.quoted_id,
            "media_id_or_url": self.media_id_or_url,
            "status": None if self.status is None else self.status.value,
            "error_code": self.error_code,
        }
