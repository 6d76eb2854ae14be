"""What Evolution reports beyond the recorded bodies."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.evolution.parse import parse
from schema.events import DeliveryStatus, Event, EventKind

JID = "553199990001@s.whatsapp.net"
KEY = {"remoteJid": JID, "fromMe": False, "id": "3EB0A"}


def one(event: str, data: Any) -> Event:
    """The only event of a body."""
    (found,) = parse(
        {"event": event, "instance": "loja", "data": data, "sender": "551133330001@c.us"}
    )
    return found


def upsert(message: Any, **data: Any) -> Event:
    """The event of a message of the buyer."""
    base = {"key": KEY, "message": message, "messageTimestamp": 1795400001, "pushName": "Ana"}
    return one("messages.upsert", base | data)


@pytest.mark.parametrize(
    "name", ["messages.upsert", "MESSAGES_UPSERT", "messages-upsert", "Messages.Upsert"]
)
def test_an_event_has_one_name_in_all_spellings(name: str) -> None:
    """Upper case and underscores come with webhook-by-events."""
    assert one(name, {"key": KEY, "message": {"conversation": "oi"}}).kind is EventKind.TEXT


@pytest.mark.parametrize(
    ("key", "phone", "reply_to", "user_id"),
    [
        ({"remoteJid": JID}, "5531999990001", JID, None),
        ({"remoteJid": "1@lid"}, None, "1@lid", "1@lid"),
        ({"remoteJid": "1@lid", "senderPn": JID}, "5531999990001", "1@lid", "1@lid"),
        ({"remoteJid": "1@lid", "remoteJidAlt": JID}, "5531999990001", "1@lid", "1@lid"),
        ({"remoteJid": JID, "senderLid": "1@lid"}, "5531999990001", JID, "1@lid"),
        (
            {"remoteJid": "553199990001:24@s.whatsapp.net"},
            "5531999990001",
            "553199990001:24@s.whatsapp.net",
            None,
        ),
        ({}, None, None, None),
    ],
)
def test_phone_address_and_lid_are_three_facts(
    key: dict[str, Any], phone: str | None, reply_to: str | None, user_id: str | None
) -> None:
    """The envelope's sender is our own number and never taken."""
    event = upsert({"conversation": "oi"}, key={"id": "3EB0A", "fromMe": False, **key})
    assert (event.phone, event.reply_to, event.user_id) == (phone, reply_to, user_id)


@pytest.mark.parametrize("wrapper", ["ephemeralMessage", "viewOnceMessageV2", "deviceSentMessage"])
def test_wrapped_content_is_found(wrapper: str) -> None:
    """A disappearing text with a quote, in two wrappers, the file's address outside of both."""
    inner = {"extendedTextMessage": {"text": "oi", "contextInfo": {"stanzaId": "3EB0Q"}}}
    event = upsert({wrapper: {"message": {"viewOnceMessage": {"message": inner}}}})
    assert (event.kind, event.text, event.quoted_id) == (EventKind.TEXT, "oi", "3EB0Q")
    photo = {
        wrapper: {"message": {"imageMessage": {"url": "https://x/enc"}}},
        "mediaUrl": "https://s3/a",
    }
    assert upsert(photo).media_id_or_url == "https://s3/a"


@pytest.mark.parametrize(
    ("message", "kind", "text"),
    [
        ({"conversation": ""}, EventKind.TEXT, ""),
        ({"conversation": 5}, EventKind.UNSUPPORTED, None),
        ({"ptvMessage": {"url": "u"}}, EventKind.VIDEO, None),
        ({"imageMessage": "x"}, EventKind.UNSUPPORTED, None),
        ({"conversation": "", "imageMessage": {"caption": "foto"}}, EventKind.IMAGE, "foto"),
        ({"liveLocationMessage": {"degreesLatitude": 1}}, EventKind.LOCATION, None),
        (
            {
                "contactsArrayMessage": {
                    "displayName": "2 contatos",
                    "contacts": [{"displayName": "A"}, {"displayName": "B"}],
                }
            },
            EventKind.CONTACTS,
            "A, B",
        ),
        ({"reactionMessage": {"key": {"id": "3EB0Q"}}}, EventKind.REACTION, ""),
        (
            {"buttonsResponseMessage": {"selectedButtonId": "s", "selectedDisplayText": "Sim"}},
            EventKind.INTERACTIVE,
            "Sim",
        ),
        (
            {"templateButtonReplyMessage": {"selectedId": "s", "selectedDisplayText": "Sim"}},
            EventKind.INTERACTIVE,
            "Sim",
        ),
        (
            {
                "interactiveResponseMessage": {
                    "body": {"text": "Ok"},
                    "nativeFlowResponseMessage": {"name": "f", "paramsJson": "[" * 1_000_000},
                }
            },
            EventKind.INTERACTIVE,
            "Ok",
        ),
        ({"pollCreationMessageV3": {"name": "?"}}, EventKind.UNSUPPORTED, None),
        ({"messageContextInfo": {}}, EventKind.UNSUPPORTED, None),
        (None, EventKind.UNSUPPORTED, None),
        ({"protocolMessage": {"type": 3}, "messageContextInfo": {}}, EventKind.IGNORED, None),
        ({"senderKeyDistributionMessage": {}}, EventKind.IGNORED, None),
        ({"senderKeyDistributionMessage": {}, "conversation": "oi"}, EventKind.TEXT, "oi"),
        (
            {"editedMessage": {"message": {"protocolMessage": {"type": 14}}}},
            EventKind.IGNORED,
            None,
        ),
        ({"pollUpdateMessage": {}, "novelMessage": {}}, EventKind.UNSUPPORTED, None),
    ],
)
def test_every_content_has_its_kind(message: Any, kind: EventKind, text: str | None) -> None:
    """What a person wrote is never dropped; what the protocol says to itself always is."""
    event = upsert(message)
    assert (event.kind, event.text) == (kind, text)


def test_a_flows_answer_gives_its_id_unless_it_is_huge() -> None:
    """Senders can make the parameters a megabyte: then the flow's name must do."""
    for padding, button in (("", "carro_42"), (" " * 1_000_000, "flow")):
        flow = {"name": "flow", "paramsJson": '{"id": "carro_42"}' + padding}
        message = {"interactiveResponseMessage": {"nativeFlowResponseMessage": flow}}
        assert upsert(message).button_id == button


@pytest.mark.parametrize(
    "context",
    [
        {"externalAdReply": {"showAdAttribution": True}},
        {"externalAdReply": {"sourceType": "ad"}},
        {"externalAdReply": {"ctwaClid": "A"}},
        {"conversionSource": "FB_Ads"},
        {"entryPointConversionSource": "ctwa_ad"},
    ],
)
def test_an_ad_click_is_seen_wherever_it_is_told(context: dict[str, Any]) -> None:
    """In the event's context or in the content's; with no text at all, too; not for a photo."""
    assert upsert({"conversation": "oi"}, contextInfo=context).kind is EventKind.REFERRAL_TEXT
    own = {"extendedTextMessage": {"text": "oi", "contextInfo": context}}
    assert upsert(own, contextInfo={"expiration": 1}).kind is EventKind.REFERRAL_TEXT
    assert upsert({}, contextInfo=context).kind is EventKind.REFERRAL_TEXT
    assert upsert({"imageMessage": {}}, contextInfo=context).kind is EventKind.IMAGE


def test_an_answer_to_our_story_is_a_message_and_no_ad() -> None:
    """The chat is the buyer's; only the quoted context says status@broadcast."""
    context = {
        "remoteJid": "status@broadcast",
        "externalAdReply": {"sourceType": "ad"},
        "stanzaId": "S",
    }
    event = upsert({"conversation": "quanto?"}, contextInfo=context)
    assert (event.kind, event.quoted_id) == (EventKind.TEXT, "S")
    shared = {"externalAdReply": {"title": "a link with a preview"}}
    assert upsert({"conversation": "veja"}, contextInfo=shared).kind is EventKind.TEXT


@pytest.mark.parametrize("server", ["g.us", "broadcast", "newsletter"])
@pytest.mark.parametrize(
    ("event", "data"),
    [
        (
            "messages.upsert",
            {"key": {"id": "1", "remoteJid": "9@{}"}, "message": {"conversation": "x"}},
        ),
        ("messages.update", {"keyId": "1", "remoteJid": "9@{}", "fromMe": True, "status": "READ"}),
        ("messages.delete", {"id": "1", "remoteJid": "9@{}", "fromMe": False}),
    ],
)
def test_chats_that_are_no_buyers_are_ignored(
    server: str, event: str, data: dict[str, Any]
) -> None:
    """Groups, stories, channels: in every event."""
    key = data.get("key", data)
    moved = {**key, "remoteJid": f"9@{server}"}
    found = one(event, {**data, "key": moved} if "key" in data else moved)
    assert found.kind is EventKind.IGNORED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ERROR", DeliveryStatus.FAILED),
        ("PENDING", DeliveryStatus.PENDING),
        ("SERVER_ACK", DeliveryStatus.SENT),
        ("DELIVERY_ACK", DeliveryStatus.DELIVERED),
        ("READ", DeliveryStatus.READ),
        ("PLAYED", DeliveryStatus.PLAYED),
        (0, DeliveryStatus.FAILED),
        (4, DeliveryStatus.READ),
        ("DELETED", None),
        (False, None),
        (None, None),
        ([], None),
    ],
)
def test_acks_become_the_ladder(status: Any, expected: DeliveryStatus | None) -> None:
    """As name or number; DELETED is what 2.3.6 says when it does not know."""
    data = {
        "keyId": "3EB0A",
        "messageId": "cm1",
        "remoteJid": JID,
        "fromMe": True,
        "status": status,
    }
    event = one("messages.update", data)
    assert (event.kind is EventKind.STATUS, event.status) == (expected is not None, expected)
    assert event.message_id == "3EB0A"
    assert one("messages.update", {**data, "fromMe": False}).kind is EventKind.IGNORED


@pytest.mark.parametrize(
    ("type_", "kind", "text"),
    [
        (14, EventKind.EDITED, "novo"),
        ("MESSAGE_EDIT", EventKind.EDITED, "novo"),
        (0, EventKind.REVOKED, None),
        ("REVOKE", EventKind.REVOKED, None),
        (3, EventKind.IGNORED, None),
        ("EPHEMERAL_SETTING", EventKind.IGNORED, None),
        (False, EventKind.IGNORED, None),
        (None, EventKind.IGNORED, None),
    ],
)
def test_of_an_edit_only_the_id_is_believed(type_: Any, kind: EventKind, text: str | None) -> None:
    """Its key is in the sender's perspective: whose number it names depends on who wrote."""
    data = {
        "key": {"id": "3EB0A", "remoteJid": "551133330001@s.whatsapp.net", "fromMe": True},
        "type": type_,
        "editedMessage": {
            "ephemeralMessage": {"message": {"extendedTextMessage": {"text": "novo"}}}
        },
        "timestampMs": {"low": 103898272, "high": 418, "unsigned": False},
    }
    event = one("messages.edited", data)
    assert (event.kind, event.text, event.phone, event.from_me) == (kind, text, None, None)
    assert event.message_id == "3EB0A"
    assert event.timestamp == (None if kind is EventKind.IGNORED else 1795400228)


def test_several_messages_in_one_body_keep_their_order() -> None:
    """`data` as a list; a broken one amid them costs only itself."""
    data = [{"key": {**KEY, "id": str(n)}, "message": {"conversation": str(n)}} for n in range(3)]
    events = parse(
        {"event": "messages.upsert", "instance": "loja", "data": [*data[:2], 7, data[2]]}
    )
    assert [event.text for event in events] == ["0", "1", None, "2"]
    assert str(events[2].reason).startswith("malformed")
    assert len(parse({"event": "messages.upsert", "data": []})) == 1


def test_our_own_api_send_coming_back_tells_its_id() -> None:
    """It must not silence Lucas, and it settles a send whose answer got lost."""
    data = {"key": {**KEY, "fromMe": True, "id": "3EB0OUT"}, "message": {"conversation": "Temos!"}}
    event = one("send.message", data)
    assert (event.kind, event.reason) == (EventKind.IGNORED, "api_echo")
    assert (event.message_id, event.text, event.phone) == ("3EB0OUT", "Temos!", "5531999990001")


def test_a_lost_connection_is_told_with_its_reason() -> None:
    """401 wants a scan: whoever watches the channel needs to see it."""
    event = one("CONNECTION_UPDATE", {"state": "close", "statusReason": 401})
    assert (event.kind, event.reason, event.error_code) == (
        EventKind.IGNORED,
        "connection: close",
        401,
    )


@pytest.mark.parametrize("name", ["Você", "5531999990001", "Ana"])
def test_only_a_buyers_own_name_is_a_name(name: str) -> None:
    """Ours is always `Você`; an ad click may bring the number in its place."""
    ours = upsert({"conversation": "oi"}, key={**KEY, "fromMe": True}, pushName=name)
    assert (ours.kind, ours.push_name) == (EventKind.HUMAN_ECHO, None)
    theirs = upsert({"conversation": "oi"}, pushName=name)
    assert theirs.push_name == (None if name.isdigit() else name)


@pytest.mark.parametrize(
    "event", ["messages.set", "qrcode.updated", "contacts.update", None, {}, "x"]
)
def test_everything_else_is_ignored(event: Any) -> None:
    """The history above all: it must never reach the bot."""
    (found,) = parse({"event": event, "instance": "loja", "data": [{"key": KEY}] * 3})
    assert (found.kind, found.channel) == (EventKind.IGNORED, "loja")


@pytest.mark.parametrize(
    ("presence", "kind"),
    [
        ("composing", EventKind.TYPING),
        ("recording", EventKind.TYPING),
        ("available", EventKind.IGNORED),
        ("paused", EventKind.IGNORED),
        (None, EventKind.IGNORED),
        ([], EventKind.IGNORED),
    ],
)
def test_who_writes_is_typing(presence: Any, kind: EventKind) -> None:
    """Only what says that more is to come."""
    jid = "553199990001@s.whatsapp.net"
    data = {"id": jid, "presences": {jid: {"lastKnownPresence": presence}}}
    (found,) = parse({"event": "presence.update", "instance": "loja", "data": data})
    assert found.kind is kind
    if kind is EventKind.TYPING:
        assert (found.phone, found.reply_to) == ("5531999990001", jid)


@pytest.mark.parametrize("chat", ["1-2@g.us", "status@broadcast", None, 7])
def test_nobody_of_ours_is_typing(chat: Any) -> None:
    """A group's members are no buyers."""
    data = {"id": chat, "presences": {"x": {"lastKnownPresence": "composing"}}}
    (found,) = parse({"event": "PRESENCE_UPDATE", "instance": "loja", "data": data})
    assert found.kind is EventKind.IGNORED


def test_our_own_send_coming_back_is_of_use() -> None:
    """Ignored by all, but it says that a send is out: the worker is told, with id and words."""
    body = {"key": {**KEY, "fromMe": True}, "message": {"conversation": "oi"}}
    (found,) = parse({"event": "send.message", "instance": "loja", "data": body})
    assert (found.kind, found.is_api_echo, found.text) == (EventKind.IGNORED, True, "oi")


def test_an_ad_is_told_beside_whatever_was_written() -> None:
    """What is known of it; newer accounts tell only that there was one."""
    ad = {"title": "Onix 2020", "sourceId": "1202", "sourceType": "ad", "ctwaClid": "ARA"}
    photo = upsert({"imageMessage": {"url": "https://x"}}, contextInfo={"externalAdReply": ad})
    assert photo.kind is EventKind.IMAGE
    assert photo.ad is not None
    assert (photo.ad.headline, photo.ad.source_id, photo.ad.ctwa_clid) == (
        "Onix 2020", "1202", "ARA",
    )  # fmt: skip
    bare = upsert({"conversation": "oi"}, contextInfo={"conversionSource": "FB_Ads"})
    assert (bare.kind, bare.ad is not None) == (EventKind.REFERRAL_TEXT, True)
    assert upsert({"conversation": "oi"}).ad is None
