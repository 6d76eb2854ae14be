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
    LEAD = "lead"
    """A portal's lead: somebody asked for a car elsewhere and left his number."""
    PREFERENCE = "preference"
    """The buyer switched a shop's advertising off or on, in WhatsApp itself."""
    TYPING = "typing"
    """The buyer is writing at this moment."""


BUYER_WROTE = frozenset(list(EventKind)[:11]) | {EventKind.LEAD}
"""Kinds that become a row of their own and may be answered."""
WITH_FILE = frozenset(list(EventKind)[1:6])
"""Image, audio, video, document, sticker: a file comes with them."""

_OF_SOME_GATEWAYS = frozenset({EventKind.LEAD, EventKind.PREFERENCE, EventKind.TYPING})

API_ECHO = "api_echo"
"""`reason` of an ignored event that is our own send through the API coming back."""


class DeliveryStatus(StrEnum):
    """How far a message of ours got, as gateways name it. A ladder: it only climbs."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    PLAYED = "played"
    FAILED = "failed"


class Ad(BaseModel):
    """The ad that a buyer clicked on before he wrote, as far as his gateway tells."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_id: Annotated[str, Field(max_length=255)] | None = None
    source_url: Annotated[str, Field(max_length=2000)] | None = None
    headline: Annotated[str, Field(max_length=255)] | None = None
    body: Annotated[str, Field(max_length=255)] | None = None
    ctwa_clid: Annotated[str, Field(max_length=255)] | None = None
    """Meta's id of the click, for telling Meta what became of it."""


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
    ad: Ad | None = None
    car_ref: Annotated[str, Field(max_length=255)] | None = None
    """A lead's car, as the portal names it: the id in `cars` where it is only digits."""
    source: Annotated[str, Field(max_length=100)] | None = None
    """Where a lead comes from, for people."""
    wants_marketing: bool | None = None
    """What a preference says."""
    former_phone: Annotated[str, Field(pattern=r"^\d{5,20}$")] | None = None
    """The buyer's number until now; `phone` is the one that he has from now on."""
    former_user_id: Annotated[str, Field(max_length=255)] | None = None
    """The gateway's id of the buyer until now, when it gave him another."""

    @property
    def is_api_echo(self) -> bool:
        """Our own send through the API: it tells that the message is out, and its id."""
        return self.kind is EventKind.IGNORED and self.reason == API_ECHO

    @property
    def is_changed_identity(self) -> bool:
        """The buyer goes on under another number or id."""
        former = self.former_phone or self.former_user_id
        return self.kind is EventKind.IGNORED and former is not None

    @property
    def is_of_use(self) -> bool:
        """Whether a worker can do anything with it: with a few of the ignored, too."""
        return self.kind is not EventKind.IGNORED or self.is_api_echo or self.is_changed_identity

    def canonical(self) -> dict[str, object]:
        """Only the eleven keys that every gateway agrees on, JSON-ready, in their order. A kind
        that not every gateway has is none of theirs: it is shown as ignored."""
        kind = EventKind.IGNORED if self.kind in _OF_SOME_GATEWAYS else self.kind
        return {
            "kind": kind.value,
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
