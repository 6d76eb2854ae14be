"""Takes WAHA's ids of messages apart and puts them together. Called by this gateway's modules.

`true|false_CHAT_ID[_PARTICIPANT]`: whether it is ours, whose chat it is in, WhatsApp's own id. The
same message may show up in a chat by number and in one by lid, so only the bare ID names it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageId:
    """The parts of an id; `chat` and `ours` are None when it came bare."""

    id: str | None
    chat: str | None = None
    ours: bool | None = None


def read_id(value: object) -> MessageId:
    """An id in any of the shapes that engines give it; never raises.

    WAHA's own text, a bare id, whatsapp-web.js's {_serialized, id, remote, fromMe}, or Baileys's
    key {remoteJid, fromMe, id}.
    """
    if isinstance(value, dict):
        serialized = fields.text(value.get("_serialized"))
        return _of_text(serialized) if serialized else _of_key(value)
    if isinstance(value, str):
        return _of_text(fields.text(value) or "")
    return MessageId(id=fields.ident(value))


def full_id(bare: str, *, chat: str, ours: bool = False) -> str:
    """The id as WAHA wants it back: engines find a message by chat and id."""
    return f"{'true' if ours else 'false'}_{chat}_{bare}"


def _of_text(text: str) -> MessageId:
    prefix, _, rest = text.partition("_")
    chat, parted, tail = rest.partition("_")
    if prefix not in {"true", "false"} or not parted or "@" not in chat:
        return MessageId(id=fields.ident(text))
    bare, _, participant = tail.rpartition("_")
    if not bare or "@" not in participant:
        bare = tail
    return MessageId(id=fields.ident(bare), chat=fields.address(chat), ours=prefix == "true")


def _of_key(key: dict[str, object]) -> MessageId:
    ours = key.get("fromMe")
    return MessageId(
        id=fields.ident(key.get("id")),
        chat=fields.address(key.get("remoteJid")) or fields.address(key.get("remote")),
        ours=ours if isinstance(ours, bool) else None,
    )
