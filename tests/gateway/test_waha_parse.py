"""What WAHA reports beyond the recorded bodies."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.waha.parse import parse
from schema.events import DeliveryStatus, Event, EventKind

CHAT = "553199990001@c.us"


def one(event: str, payload: Any, **envelope: Any) -> Event:
    """The only event of a body."""
    me = {"id": "551133330001@c.us", "lid": "9@lid"}
    base = {"event": event, "session": "loja", "timestamp": 1795400009123, "me": me}
    (found,) = parse({**base, **envelope, "payload": payload})
    return found


def said(**payload: Any) -> Event:
    """The event of a message of the buyer."""
    base = {"id": f"false_{CHAT}_3EB0A", "timestamp": 1795400001, "from": CHAT, "fromMe": False}
    return one("message.any", {**base, "body": None, "hasMedia": False, "_data": {}, **payload})


@pytest.mark.parametrize(
    ("message_id", "bare", "address"),
    [
        (f"false_{CHAT}_3EB0A", "3EB0A", CHAT),
        ("false_77@lid_3EB0A", "3EB0A", "77@lid"),
        (f"false_{CHAT}_3EB0_A-1", "3EB0_A-1", CHAT),
        (f"false_{CHAT}_3EB0A_551@c.us", "3EB0A", CHAT),
        ("3EB0A", "3EB0A", CHAT),
        ({"_serialized": f"false_{CHAT}_3EB0A", "id": "other"}, "3EB0A", CHAT),
        ({"fromMe": False, "remote": CHAT, "id": "3EB0A"}, "3EB0A", CHAT),
    ],
)
def test_an_id_has_one_bare_form(message_id: object, bare: str, address: str) -> None:
    """The same message shows up in a chat by number and in one by lid."""
    event = said(id=message_id, body="oi")
    assert (event.message_id, event.reply_to) == (bare, address)


def test_a_megabyte_of_an_id_costs_nothing_and_stays_itself() -> None:
    """Two long ids that differ at their ends are two messages, each within its column."""
    first, second = (said(id=f"false_{CHAT}_{'_' * 1_000_000}{end}", body="oi") for end in "ab")
    assert first.message_id != second.message_id
    assert len(first.message_id or "") == len(second.message_id or "") == 255


@pytest.mark.parametrize("chat", ["1@g.us", "status@broadcast", "1@newsletter"])
@pytest.mark.parametrize("event", ["message", "message.any", "message.ack", "message.edited"])
def test_groups_stories_and_channels_are_no_buyers(chat: str, event: str) -> None:
    """In whichever event they show up."""
    message_id = f"false_{chat}_3EB0A_551@c.us"
    payload = {"id": message_id, "fromMe": False, "body": "x", "editedMessageId": "3EB0B"}
    assert one(event, payload).kind is EventKind.IGNORED


def test_an_answer_to_our_story_is_a_message() -> None:
    """The chat is the buyer's; the quote alone says broadcast, and the story's ad is no click."""
    context = {"remoteJID": "status@broadcast", "stanzaID": "3EB0S", "conversionSource": "FB_Ads"}
    text = {"extendedTextMessage": {"text": "lindo", "contextInfo": context}}
    event = said(body="lindo", _data={"Message": text})
    assert (event.kind, event.quoted_id) == (EventKind.TEXT, "3EB0S")


@pytest.mark.parametrize(
    ("data", "ours", "phone"),
    [
        ({"key": {"remoteJidAlt": "553199990001@s.whatsapp.net"}}, False, "5531999990001"),
        ({"key": {"senderPn": "553199990001@s.whatsapp.net"}}, False, "5531999990001"),
        ({"Info": {"SenderAlt": "553199990001@s.whatsapp.net"}}, False, "5531999990001"),
        ({"Info": {"SenderAlt": ""}}, False, None),
        ({"Info": {"RecipientAlt": "553199990001@s.whatsapp.net"}}, True, "5531999990001"),
        ({"Info": {"SenderAlt": "551133330001@s.whatsapp.net"}}, True, None),
        ({"key": {"senderPn": "551133330001@s.whatsapp.net"}}, True, None),
        ({"key": {"remoteJidAlt": "551133330001:7@s.whatsapp.net"}}, True, None),
    ],
)
def test_a_lid_has_the_phone_that_the_engine_knows(
    data: dict[str, Any], ours: bool, phone: str | None
) -> None:
    """Never our own number: of our messages the sender's fields name us."""
    event = said(id=f"{str(ours).lower()}_77@lid_3EB0A", fromMe=ours, body="oi", _data=data)
    assert (event.phone, event.reply_to, event.user_id) == (phone, "77@lid", "77@lid")
    assert event.kind is (EventKind.HUMAN_ECHO if ours else EventKind.TEXT)


def test_a_chat_by_number_may_tell_its_lid() -> None:
    """Three facts for one buyer."""
    event = said(body="oi", _data={"Info": {"SenderAlt": "77@lid"}})
    assert (event.phone, event.reply_to, event.user_id) == ("5531999990001", CHAT, "77@lid")


def test_our_own_messages_are_of_the_chat_they_are_in() -> None:
    """By hand a person's, by the API our own; without a source a person's, and checked later."""
    sent = {"id": f"true_{CHAT}_3EB0A", "fromMe": True, "body": "oi", "from": "551133330001@c.us"}
    for source, kind in (
        ("app", EventKind.HUMAN_ECHO),
        (None, EventKind.HUMAN_ECHO),
        ("api", EventKind.IGNORED),
    ):
        event = said(**sent, source=source)
        assert (event.kind, event.phone, event.from_me) == (kind, "5531999990001", True)
        assert event.push_name is None
    assert said(**{**sent, "id": "3EB0A"}, to=CHAT).reply_to == CHAT


WRAPPED = {"ephemeralMessage": {"message": {"extendedTextMessage": {"text": "oi"}}}}
AD = {"extendedTextMessage": {"contextInfo": {"externalAdReply": {"ctwaClid": "x"}}}}


@pytest.mark.parametrize(
    ("payload", "kind", "text"),
    [
        ({"body": ""}, EventKind.TEXT, ""),
        ({"body": " oi \n"}, EventKind.TEXT, " oi \n"),
        ({"body": "oi", "media": {}, "vCards": [], "location": None}, EventKind.TEXT, "oi"),
        ({"_data": {"message": WRAPPED}}, EventKind.TEXT, "oi"),
        ({"_data": {"Message": WRAPPED}}, EventKind.TEXT, "oi"),
        ({"body": "", "_data": {"message": AD}}, EventKind.REFERRAL_TEXT, ""),
        ({"_data": {"Message": AD}}, EventKind.REFERRAL_TEXT, None),
        ({"body": "oi", "_data": {"ctwaContext": {"x": 1}}}, EventKind.REFERRAL_TEXT, "oi"),
        ({"_data": {"message": {"pollCreationMessage": {}}}}, EventKind.UNSUPPORTED, None),
        ({"_data": {"message": {"albumMessage": {}}}}, EventKind.IGNORED, None),
        ({"body": "", "_data": {"type": "album"}}, EventKind.IGNORED, None),
        ({"body": "", "_data": {"type": "e2e_notification"}}, EventKind.IGNORED, None),
        ({"body": "x", "_data": {"type": "call_log"}}, EventKind.IGNORED, None),
        ({"body": "", "_data": {"type": "ciphertext"}}, EventKind.UNSUPPORTED, None),
        ({"body": 5}, EventKind.UNSUPPORTED, None),
        ({}, EventKind.UNSUPPORTED, None),
        ({"location": {"description": "Sé"}, "body": "x"}, EventKind.LOCATION, "Sé"),
        ({"location": {}, "hasMedia": True}, EventKind.LOCATION, None),
    ],
)
def test_what_a_message_is_shows_in_its_fields(
    payload: dict[str, Any], kind: EventKind, text: str | None
) -> None:
    """There is no type: the first field that is filled decides."""
    event = said(**payload)
    assert (event.kind, event.text if kind is not EventKind.IGNORED else None) == (kind, text)


@pytest.mark.parametrize(
    ("data", "mime_type", "kind"),
    [
        ({"type": "ptt"}, None, EventKind.AUDIO),
        ({"type": "sticker"}, "image/webp", EventKind.STICKER),
        ({"message": {"ptvMessage": {}}}, "video/mp4", EventKind.VIDEO),
        ({"Message": {"viewOnceMessage": {"message": {"imageMessage": {}}}}}, "", EventKind.IMAGE),
        ({"Message": {"stickerMessage": {}}}, "image/webp", EventKind.STICKER),
        ({}, "audio/ogg; codecs=opus", EventKind.AUDIO),
        ({}, "VIDEO/mp4", EventKind.VIDEO),
        ({}, "application/pdf", EventKind.DOCUMENT),
        ({}, None, EventKind.UNSUPPORTED),
    ],
)  # fmt: skip
def test_a_file_is_what_the_engine_says_else_its_mime_type(
    data: dict[str, Any], mime_type: str | None, kind: EventKind
) -> None:
    """Without a download the kind stays and the address is missing."""
    media = None if not mime_type else {"url": "http://x/a", "mimetype": mime_type}
    event = said(hasMedia=True, media=media, _data=data, body="")
    assert (event.kind, event.text) == (kind, None)
    assert event.media_id_or_url == (None if media is None else "http://x/a")
    failed = said(hasMedia=True, media={**(media or {}), "error": {"code": 1}}, _data=data)
    assert (failed.kind, failed.media_id_or_url) == (kind, None)


CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\n{}\r\nEND:VCARD"


def test_a_card_is_read_by_its_full_name() -> None:
    """With parameters, a group or escapes; a card without a name names nobody."""
    lines = ("FN;CHARSET=UTF-8:José\\, o Silva", "item1.FN:Ana", "fn: Bia ", "TEL:1", "XFN:no")
    event = said(vCards=[*(CARD.format(line) for line in lines), 5, None])
    assert (event.kind, event.text) == (EventKind.CONTACTS, "José, o Silva, Ana, Bia")
    assert said(vCards=["x"]).text is None


@pytest.mark.parametrize(
    ("payload", "text", "button"),
    [
        (
            {"_data": {"message": {"buttonsResponseMessage": {
                "selectedButtonId": "b1", "selectedDisplayText": "Sim"}}}},
            "Sim", "b1",
        ),
        (
            {"_data": {"Message": {"buttonsResponseMessage": {
                "selectedButtonID": "b1", "Response": {"SelectedDisplayText": "Sim"}}}}},
            "Sim", "b1",
        ),
        (
            {"_data": {"Message": {"listResponseMessage": {
                "title": "Onix", "singleSelectReply": {"selectedRowID": "r1"}}}}},
            "Onix", "r1",
        ),
        (
            {"_data": {"Message": {"templateButtonReplyMessage": {
                "selectedID": "t1", "selectedDisplayText": "Sim"}}}, "body": "Sim"},
            "Sim", "t1",
        ),
        (
            {"_data": {"message": {"interactiveResponseMessage": {"body": {"text": "Ok"}}}}},
            "Ok", None,
        ),
        (
            {"_data": {"message": {"interactiveResponseMessage": {
                "body": {"text": "Ok"},
                "nativeFlowResponseMessage": {"name": "f", "paramsJson": '{"id":"p1"}'}}}}},
            "Ok", "p1",
        ),
        (
            {"_data": {"Message": {"interactiveResponseMessage": {
                "body": {"text": "Ok"}, "InteractiveResponseMessage": {
                    "NativeFlowResponseMessage": {"name": "f", "paramsJSON": "{"}}}}}},
            "Ok", "f",
        ),
        ({"_data": {"type": "buttons_response", "selectedButtonId": "b1"}, "body": "Sim"},
         "Sim", "b1"),
        (
            {"_data": {"type": "list_response", "listResponse": {
                "title": "Onix", "singleSelectReply": {"selectedRowId": "r1"}}}, "body": "Onix"},
            "Onix", "r1",
        ),
    ],
)  # fmt: skip
def test_an_answer_brings_its_title_and_id(
    payload: dict[str, Any], text: str, button: str | None
) -> None:
    """As Baileys, whatsmeow and whatsapp-web.js write it."""
    event = said(**payload)
    assert (event.kind, event.text, event.button_id) == (EventKind.INTERACTIVE, text, button)


def test_a_reaction_may_be_taken_back_and_may_be_ours() -> None:
    """An empty emoji is one taken back; the seller's is a human sign; the quoted id is bare."""
    taken = {"text": "", "messageId": f"true_{CHAT}_3EB0B"}
    payload: dict[str, Any] = {"id": f"false_{CHAT}_3EB0A", "fromMe": False, "reaction": taken}
    event = one("message.reaction", payload)
    assert (event.kind, event.text, event.quoted_id) == (EventKind.REACTION, "", "3EB0B")
    assert event.timestamp == 1795400009
    ours = one("message.reaction", {**payload, "id": f"true_{CHAT}_3EB0A", "fromMe": True})
    assert ours.kind is EventKind.HUMAN_ECHO


@pytest.mark.parametrize(
    ("ack", "status"),
    [
        ({"ackName": "ERROR"}, DeliveryStatus.FAILED),
        ({"ackName": "PENDING"}, DeliveryStatus.PENDING),
        ({"ackName": "SERVER"}, DeliveryStatus.SENT),
        ({"ackName": "DEVICE"}, DeliveryStatus.DELIVERED),
        ({"ackName": "READ", "ack": -1}, DeliveryStatus.READ),
        ({"ackName": "PLAYED"}, DeliveryStatus.PLAYED),
        ({"ack": -1}, DeliveryStatus.FAILED),
        ({"ack": 2}, DeliveryStatus.DELIVERED),
        ({"ackName": "UNKNOWN", "ack": 2}, None),
        ({"ack": 99}, None),
        ({}, None),
    ],
)
def test_an_ack_is_a_step_of_the_ladder(ack: dict[str, Any], status: DeliveryStatus | None) -> None:
    """By its name, by its number where an engine gives no name."""
    event = one("message.ack", {"id": f"true_{CHAT}_3EB0A", "fromMe": True, **ack})
    assert event.status is status
    assert event.kind is (EventKind.IGNORED if status is None else EventKind.STATUS)


def test_a_failure_tells_its_code() -> None:
    """463: WhatsApp restricts what this number may write to strangers."""
    error = {"code": "463", "blocked": True, "reason": "account_restricted"}
    payload = {"id": f"true_{CHAT}_3EB0A", "fromMe": True, "ackName": "ERROR", "error": error}
    event = one("message.ack", payload)
    assert (event.error_code, event.error_text) == (463, "account_restricted")
    read = one("message.ack", {**payload, "id": f"false_{CHAT}_3EB0A", "fromMe": False})
    assert read.kind is EventKind.IGNORED


def test_a_change_names_the_message_that_is_changed() -> None:
    """Bare or whole ids; an old revocation has only what was there before."""
    after = {"id": f"true_{CHAT}_3EB0Z", "fromMe": True, "timestamp": 1795400002}
    edited = one("message.edited", {**after, "body": "novo", "editedMessageId": f"true_{CHAT}_E"})
    assert (edited.kind, edited.message_id, edited.text) == (EventKind.EDITED, "E", "novo")
    assert (edited.from_me, edited.phone) == (True, "5531999990001")
    before = {"id": f"true_{CHAT}_3EB0B", "fromMe": True}
    revoked = one("message.revoked", {"after": after, "before": before})
    assert (revoked.kind, revoked.message_id, revoked.from_me) == (EventKind.REVOKED, "3EB0B", True)
    assert one("message.revoked", {"after": None, "before": before}).message_id == "3EB0B"
    lost = one("message.revoked", {"after": after, "before": None})
    assert (lost.kind, lost.reason) == (EventKind.IGNORED, "malformed: a change of no message")


@pytest.mark.parametrize("name", ["message.waiting", "label.upsert", "engine.event", ""])
def test_other_events_are_ignored_with_their_name(name: str) -> None:
    """One line in the log says what it was."""
    (event,) = parse({"event": name, "session": "loja", "payload": {}})
    assert (event.kind, event.channel) == (EventKind.IGNORED, "loja")
    assert (event.reason or "").startswith("event: ")


def test_an_event_without_payload_is_kept_for_a_person() -> None:
    """Malformed: what the webhook keeps whole."""
    no_objects: list[object] = [None, [], "x", 5]
    for payload in no_objects:
        assert (one("message.any", payload).reason or "").startswith("malformed:")
    assert (said(id=None, body="oi").reason or "").startswith("malformed:")
    for body in [*no_objects, {}, {"event": 5}]:
        assert (parse(body)[0].reason or "").startswith("malformed:")


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("typing", EventKind.TYPING),
        ("recording", EventKind.TYPING),
        ("paused", EventKind.IGNORED),
        ("online", EventKind.IGNORED),
        (7, EventKind.IGNORED),
    ],
)
def test_who_writes_is_typing(state: object, kind: EventKind) -> None:
    """It makes Lucas wait; that somebody is online does not."""
    chat = "551199999999@c.us"
    payload = {"id": chat, "presences": [{"participant": chat, "lastKnownPresence": state}]}
    (event,) = parse({"event": "presence.update", "session": "loja", "payload": payload})
    assert event.kind is kind
    if kind is EventKind.TYPING:
        assert (event.reply_to, event.from_me) == (chat, False)


def test_in_a_group_nobody_types() -> None:
    """Groups are nobody's talk."""
    payload = {"id": "1@g.us", "presences": [{"lastKnownPresence": "typing"}]}
    (event,) = parse({"event": "presence.update", "session": "loja", "payload": payload})
    assert event.kind is EventKind.IGNORED
