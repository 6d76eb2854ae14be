"""How WAHA's three engines write a message, for the stand-in. Called by `gateway.waha.standin`.

Source: the code of WAHA 2026.7. They differ in the raw message, in what `from` and `to` mean for
our own messages, and in the answer to a send.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.waha.ids import full_id

OWN_ID = "551133330001@c.us"
_AD_CONTEXT = {"conversionSource": "FB_Ads", "entryPointConversionSource": "ctwa_ad"}


class Engine(StrEnum):
    """As `engine` of a webhook spells them."""

    WEBJS = "WEBJS"
    NOWEB = "NOWEB"
    GOWS = "GOWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A text in a chat. `source` is None for a buyer's, else how we sent it: app or api."""

    chat: str
    id: str
    text: str
    at: int
    name: str = "Comprador"
    quoted_id: str | None = None
    from_ad: bool = False
    source: str | None = None

    @property
    def ours(self) -> bool:
        """Whether the shop sent it."""
        return self.source is not None


def payload_of(said: Said, engine: Engine) -> dict[str, object]:
    """The payload of `message.any`."""
    webjs = engine is Engine.WEBJS
    sender, receiver = (OWN_ID, said.chat) if said.ours else (said.chat, OWN_ID)
    quoted = {"id": said.quoted_id, "participant": OWN_ID, "body": None}
    return {
        "id": full_id(said.id, chat=said.chat, ours=said.ours),
        "timestamp": said.at,
        "from": sender if webjs else said.chat,
        "fromMe": said.ours,
        "source": said.source or "app",
        "to": receiver if webjs else None,
        "participant": None,
        "body": said.text,
        "hasMedia": False,
        "media": None,
        "ack": 1,
        "ackName": "SERVER",
        "vCards": [],
        "replyTo": quoted if said.quoted_id else None,
        "_data": _RAW[engine](said),
    }


def answer(message_id: str, chat: str, engine: Engine) -> dict[str, object]:
    """What a send is answered with."""
    full = full_id(message_id, chat=chat, ours=True)
    jid = _jid(chat)
    if engine is Engine.WEBJS:
        return {"id": {"fromMe": True, "remote": chat, "id": message_id, "_serialized": full}}
    if engine is Engine.NOWEB:
        return {"key": {"remoteJid": jid, "fromMe": True, "id": message_id}, "status": "PENDING"}
    return {"id": full, "_data": {"Info": {"Chat": jid, "ID": message_id, "IsFromMe": True}}}


def _of_webjs(said: Said) -> dict[str, object]:
    full = full_id(said.id, chat=said.chat, ours=said.ours)
    key = {"fromMe": said.ours, "remote": said.chat, "id": said.id, "_serialized": full}
    ad = {"ctwaContext": {"sourceUrl": "https://fb.me/dev", **_AD_CONTEXT}} if said.from_ad else {}
    return {"id": key, "type": "chat", "t": said.at, "notifyName": said.name, **ad}


def _of_noweb(said: Said) -> dict[str, object]:
    return {
        "key": {"remoteJid": _jid(said.chat), "fromMe": said.ours, "id": said.id},
        "messageTimestamp": said.at,
        "pushName": said.name,
        "broadcast": False,
        "message": _message(said, "stanzaId"),
    }


def _of_gows(said: Said) -> dict[str, object]:
    chat = _jid(said.chat)
    info = {
        "Chat": chat,
        "Sender": _jid(OWN_ID) if said.ours else chat,
        "IsFromMe": said.ours,
        "IsGroup": False,
        "SenderAlt": "",
        "RecipientAlt": "",
        "ID": said.id,
        "PushName": said.name,
    }
    return {"Info": info, "Message": _message(said, "stanzaID")}


def _message(said: Said, quoted_key: str) -> dict[str, object]:
    context = {quoted_key: said.quoted_id} if said.quoted_id else {}
    if said.from_ad:
        context |= _AD_CONTEXT
    if not context:
        return {"conversation": said.text}
    return {"extendedTextMessage": {"text": said.text, "contextInfo": context}}


def _jid(chat: str) -> str:
    return chat.replace("@c.us", "@s.whatsapp.net")


_RAW = {Engine.WEBJS: _of_webjs, Engine.NOWEB: _of_noweb, Engine.GOWS: _of_gows}
