"""Reads the engine's own message (`payload._data`), which differs between the three engines.

Called by this gateway's `content`. Source: the code of WAHA 2026.7. NOWEB hands on Baileys's JSON
under `message`; GOWS that of whatsmeow under `Message`, with names as Go spells them (`stanzaID`)
and a choice of types one level deeper (`Response.SelectedDisplayText`); WEBJS has a `type`.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway import fields
from gateway.web_message import TECHNICAL, ad_of, flow_choice, is_from_ad, unwrapped
from schema.events import Ad, EventKind

_FILES = {
    "imageMessage": EventKind.IMAGE,
    "videoMessage": EventKind.VIDEO,
    "ptvMessage": EventKind.VIDEO,
    "audioMessage": EventKind.AUDIO,
    "documentMessage": EventKind.DOCUMENT,
    "stickerMessage": EventKind.STICKER,
}
_FILE_TYPES = {
    "image": EventKind.IMAGE,
    "video": EventKind.VIDEO,
    "ptv": EventKind.VIDEO,
    "audio": EventKind.AUDIO,
    "ptt": EventKind.AUDIO,
    "document": EventKind.DOCUMENT,
    "sticker": EventKind.STICKER,
}
_TECHNICAL_TYPES = frozenset(
    {"e2e_notification", "notification_template", "gp2", "protocol", "call_log", "album"}
)
_UNREADABLE_TYPES = frozenset({"ciphertext", "unknown"})
_ANSWERS = (
    "buttonsResponseMessage",
    "listResponseMessage",
    "templateButtonReplyMessage",
    "interactiveResponseMessage",
)
_ANSWER_TYPES = frozenset(
    {"buttons_response", "list_response", "template_button_reply", "interactive_response"}
)
_TITLES = ("selectedDisplayText", "SelectedDisplayText", "title")
_CHOSEN = ("selectedButtonId", "selectedButtonID", "selectedId", "selectedID")
_BESIDE = frozenset({"messageContextInfo"})


class RawMessage:
    """One message as its engine has it; an empty one for anything that is no object."""

    def __init__(self, data: object) -> None:
        self._data = fields.obj(data)
        message = self._data.get("message") or self._data.get("Message")
        self._content = unwrapped(message)[-1]
        self._type = fields.text(self._data.get("type"))

    @property
    def is_technical(self) -> bool:
        """Whether WEBJS says that no person wrote it."""
        return self._type in _TECHNICAL_TYPES

    @property
    def is_unreadable(self) -> bool:
        """Whether WEBJS could not decrypt it or does not know what it is."""
        return self._type in _UNREADABLE_TYPES

    @property
    def has_only_technical_content(self) -> bool:
        """Whether all of the engine's content is of kinds that no person writes."""
        names = self.content_names()
        return bool(names) and TECHNICAL.issuperset(names)

    @property
    def file_kind(self) -> EventKind | None:
        """What sort of file it is, as far as the engine says."""
        named = (kind for name, kind in _FILES.items() if self._content.get(name) is not None)
        return next(named, None) or _FILE_TYPES.get(self._type or "")

    @property
    def file_name(self) -> str | None:
        """Of a document."""
        file = self._first(_FILES)
        return fields.label(file.get("fileName")) or fields.label(file.get("title"))

    @property
    def text(self) -> str | None:
        """A text that WAHA did not take out of its wrapper."""
        plain = fields.text(self._content.get("conversation"))
        extended = fields.obj(self._content.get("extendedTextMessage"))
        return plain or fields.text(extended.get("text"))

    @property
    def is_answer(self) -> bool:
        """Whether the buyer tapped a button or a row of a list."""
        return self._type in _ANSWER_TYPES or bool(self._first(_ANSWERS))

    @property
    def answer_title(self) -> str | None:
        """What the buyer saw on what he tapped."""
        answer = self._answer()
        body = fields.text(fields.obj(answer.get("body")).get("text"))
        return _first_text(answer, _TITLES) or body

    @property
    def answer_id(self) -> str | None:
        """The id of what he tapped."""
        answer = self._answer()
        row = fields.obj(answer.get("singleSelectReply"))
        chosen = _first_text(answer, _CHOSEN)
        tapped = chosen or _first_text(row, ("selectedRowId", "selectedRowID"))
        return fields.label(tapped) or flow_choice(_flow(answer))

    @property
    def quoted_id(self) -> str | None:
        """The message that this one answers."""
        return fields.ident(_first_text(self._context(), ("stanzaId", "stanzaID")))

    @property
    def is_from_ad(self) -> bool:
        """Whether the buyer came by an ad. WEBJS has a field of its own for that."""
        return is_from_ad(self._context()) or bool(fields.obj(self._data.get("ctwaContext")))

    @property
    def ad(self) -> Ad | None:
        """The ad that he came by."""
        return ad_of(self._context()) if self.is_from_ad else None

    @property
    def push_name(self) -> str | None:
        """The sender's own name."""
        info = fields.obj(self._data.get("Info"))
        found = (self._data.get("pushName"), info.get("PushName"), self._data.get("notifyName"))
        return next((name for name in map(fields.label, found) if name), None)

    def content_names(self) -> list[str]:
        """The names of what the engine found in the message, for a reason in words."""
        return sorted(
            name
            for name, value in self._content.items()
            if value is not None and name not in _BESIDE
        )

    def other_addresses(self, *, ours: bool) -> list[str]:
        """The buyer's other address: his number in a chat by lid, his lid in one by number.

        Of what we sent, the sender's fields name ourselves and are left out.
        """
        key, info = fields.obj(self._data.get("key")), fields.obj(self._data.get("Info"))
        found = [key.get("remoteJidAlt")]
        if ours:
            found.append(info.get("RecipientAlt"))
        else:
            found += [key.get("senderPn"), key.get("senderLid"), info.get("SenderAlt")]
        return [address for address in map(fields.address, found) if address]

    def _first(self, names: Iterable[str]) -> dict[str, object]:
        found = (self._content.get(name) for name in names)
        return next((value for value in found if isinstance(value, dict)), {})

    def _answer(self) -> dict[str, object]:
        """The answer, with Go's level between taken out; WEBJS has it in the message itself."""
        answer = self._first(_ANSWERS)
        if not answer:
            return {**self._data, **fields.obj(self._data.get("listResponse"))}
        return {**answer, **fields.obj(answer.get("Response"))}

    def _context(self) -> dict[str, object]:
        contexts = (
            fields.obj(content).get("contextInfo")
            for name, content in self._content.items()
            if name not in _BESIDE
        )
        return next((context for context in contexts if isinstance(context, dict)), {})


def _flow(answer: dict[str, object]) -> dict[str, object]:
    """The answer of a native flow; in Go's JSON one level deeper."""
    deeper = fields.obj(answer.get("InteractiveResponseMessage"))
    flow = answer.get("nativeFlowResponseMessage") or deeper.get("NativeFlowResponseMessage")
    return fields.obj(flow)


def _first_text(holder: dict[str, object], names: Iterable[str]) -> str | None:
    return next((found for name in names if (found := fields.text(holder.get(name)))), None)
