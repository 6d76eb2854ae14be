"""What the Cloud API reports beyond the recorded bodies."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.cloud_api.parse import parse
from schema.events import DeliveryStatus, Event, EventKind

SHOP, BUYER, CHANNEL = "551133330001", "553199990001", "1065"


def change(field: str = "messages", **value: Any) -> dict[str, Any]:
    """One change of one number."""
    return {"field": field, "value": {"metadata": {"phone_number_id": CHANNEL}, **value}}


def body(*changes: dict[str, Any]) -> dict[str, Any]:
    """A webhook body."""
    entry = {"id": "1", "changes": list(changes)}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def message(**content: Any) -> dict[str, Any]:
    """A message of the buyer."""
    return {"from": BUYER, "id": "wamid.1", "timestamp": "1795400001", **content}


def one(**content: Any) -> Event:
    """The event of one message."""
    (event,) = parse(body(change(messages=[message(**content)])))
    return event


def test_an_answer_goes_to_the_address_as_received() -> None:
    """The key gets its ninth digit, the address keeps what WhatsApp said."""
    event = one(type="text", text={"body": " oi "}, from_user_id="BR.7")
    assert (event.phone, event.reply_to, event.user_id) == ("5531999990001", BUYER, "BR.7")
    assert event.text == " oi "


def test_a_buyer_without_a_phone_is_answered_by_user_id() -> None:
    """User names: no `from`, no `wa_id`."""
    sender = {"id": "wamid.1", "from_user_id": "BR.7", "timestamp": "1"}
    contact = {"profile": {"name": "Ana"}, "user_id": "BR.7"}
    text = {"type": "text", "text": {"body": "oi"}}
    (event,) = parse(body(change(contacts=[contact], messages=[{**sender, **text}])))
    assert (event.phone, event.reply_to, event.user_id) == (None, "BR.7", "BR.7")
    assert event.push_name == "Ana"


def test_contacts_are_matched_by_id_and_not_by_place() -> None:
    """Two buyers in one change, the contacts the other way round and one without a profile."""
    contacts = [{"wa_id": "5521980000002"}, {"wa_id": BUYER, "profile": {"name": "Carlos"}}]
    text = {"type": "text", "text": {"body": "oi"}}
    events = parse(
        body(
            change(
                contacts=contacts,
                messages=[message(**text), message(**text) | {"from": "5521980000002"}],
            )
        )
    )
    assert [event.push_name for event in events] == ["Carlos", None]


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        ({"type": "text", "text": {"body": ""}}, EventKind.TEXT, ""),
        ({"type": "text", "text": {"body": 5}}, EventKind.UNSUPPORTED, None),
        ({"type": "text"}, EventKind.UNSUPPORTED, None),
        ({"type": ["text"], "text": {"body": "oi"}}, EventKind.UNSUPPORTED, None),
        ({"type": "order", "order": {"text": "quero"}}, EventKind.UNSUPPORTED, None),
        ({"type": "novelty", "novelty": {}}, EventKind.UNSUPPORTED, None),
        ({"type": "image", "image": {"id": "9", "caption": ""}}, EventKind.IMAGE, None),
        ({"type": "location", "location": {"latitude": 1}}, EventKind.LOCATION, None),
        ({"type": "contacts", "contacts": [{}, {"name": {}}, 4]}, EventKind.CONTACTS, None),
        ({"type": "contacts", "contacts": {}}, EventKind.UNSUPPORTED, None),
        ({"type": "reaction", "reaction": {"message_id": "w"}}, EventKind.REACTION, ""),
        (
            {"type": "button", "button": {"text": "Sim", "payload": "s"}},
            EventKind.INTERACTIVE,
            "Sim",
        ),
        (
            {
                "type": "interactive",
                "interactive": {"type": "nfm_reply", "nfm_reply": {"body": "Enviado"}},
            },
            EventKind.INTERACTIVE,
            "Enviado",
        ),
        (
            {"type": "interactive", "interactive": {"type": "call_permission_reply"}},
            EventKind.INTERACTIVE,
            None,
        ),
        ({"type": "interactive"}, EventKind.UNSUPPORTED, None),
        ({"type": "system", "system": {"type": "user_changed_number"}}, EventKind.IGNORED, None),
        ({"type": "edit", "edit": {}}, EventKind.UNSUPPORTED, None),
        ({"type": "revoke"}, EventKind.UNSUPPORTED, None),
        (
            {"type": "text", "text": {"body": ""}, "referral": {"source_type": "ad"}},
            EventKind.REFERRAL_TEXT,
            "",
        ),
        ({"type": "text", "referral": {"source_type": "ad"}}, EventKind.REFERRAL_TEXT, None),
        (
            {"type": "image", "image": {"id": "9"}, "referral": {"source_type": "ad"}},
            EventKind.IMAGE,
            None,
        ),
    ],
)
def test_every_type_has_its_kind(
    content: dict[str, Any], kind: EventKind, text: str | None
) -> None:
    """A buyer who wrote something is never dropped, an ad click without text least of all."""
    event = one(**content)
    assert (event.kind, event.text) == (kind, text)


def test_the_error_of_a_missing_object_stands_beside_the_messages() -> None:
    """131000 comes with `interactive` and no object; an error of the message itself wins."""
    errors = [{"code": 131000, "title": "x"}]
    lacking, own = message(type="interactive"), message(type="interactive", errors=[{"code": 7}])
    whole = message(type="text", text={"body": "oi"})
    events = parse(body(change(messages=[lacking, own, whole], errors=errors)))
    assert [event.error_code for event in events] == [131000, 7, None]


def test_a_media_message_with_errors_keeps_its_kind() -> None:
    """The buyer did send a picture, whether or not Meta could fetch it."""
    event = one(
        type="image", image={"id": "9"}, errors=[{"code": 131052, "message": "Media error"}]
    )
    assert (event.kind, event.error_code) == (EventKind.IMAGE, 131052)
    assert event.error_text == "Media error"


def test_messages_come_before_echoes_before_statuses() -> None:
    """The order within one change, whichever order the JSON has; changes in their own order."""
    text = {"type": "text", "text": {"body": "oi"}}
    status = {"id": "wamid.9", "status": "read", "timestamp": "1"}
    echo = {"from": SHOP, "to": BUYER, "id": "wamid.2", "type": "image", "image": {"id": "3"}}
    first = change(statuses=[status], message_echoes=[echo], messages=[message(**text)])
    second = change("message_template_status_update")
    kinds = [event.kind for event in parse(body(first, second, change()))]
    assert kinds == [
        EventKind.TEXT,
        EventKind.HUMAN_ECHO,
        EventKind.STATUS,
        EventKind.IGNORED,
        EventKind.IGNORED,
    ]


def test_a_seller_who_edits_or_deletes_is_told_from_the_buyer() -> None:
    """Both inside message_echoes, from_me; any other content of the seller's is an echo."""
    base = {"from": SHOP, "to": BUYER, "id": "wamid.2", "timestamp": "1795400001"}
    edit = {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "novo"}}}
    echoes = [
        {**base, "type": "edit", "edit": edit},
        {**base, "type": "revoke", "revoke": {"original_message_id": "wamid.1"}},
        {**base, "type": "novelty"},
    ]
    events = parse(body(change("smb_message_echoes", message_echoes=echoes)))
    assert [event.kind for event in events] == ["edited", "revoked", "human_echo"]
    assert {event.from_me for event in events} == {True}
    assert {event.phone for event in events} == {"5531999990001"}
    assert events[0].message_id == events[1].message_id == "wamid.1"


@pytest.mark.parametrize("field", ["history", "smb_app_state_sync", "calls", None, 5, ["messages"]])
def test_old_messages_never_reach_the_bot(field: Any) -> None:
    """Other fields, the history of months above all, are one ignored event each."""
    found = change(messages=[message(type="text", text={"body": "2024"})]) | {"field": field}
    (event,) = parse(body(found))
    assert (event.kind, event.channel) == (EventKind.IGNORED, CHANNEL)


def test_a_status_says_which_message_and_why_it_failed() -> None:
    """Our own reference comes back; the details say more than the title."""
    error = {"code": 131047, "title": "t", "message": "m", "error_data": {"details": "24 hours"}}
    status = {
        "id": "wamid.9",
        "status": "failed",
        "timestamp": "1795400001",
        "recipient_id": BUYER,
        "biz_opaque_callback_data": "7:42",
        "errors": [error],
    }
    (event,) = parse(body(change(statuses=[status])))
    assert (event.status, event.error_code) == (DeliveryStatus.FAILED, 131047)
    assert (event.our_ref, event.error_text) == ("7:42", "24 hours")
    assert (event.phone, event.from_me) == ("5531999990001", True)


@pytest.mark.parametrize(
    "status",
    [
        {"id": "w", "status": "sent", "recipient_type": "group"},
        {"id": "w", "status": "melted"},
        {"id": "w", "status": {}},
        {"id": "w"},
        "sent",
    ],
)
def test_a_status_that_says_nothing_of_a_buyer_is_ignored(status: Any) -> None:
    """Groups and words that no ladder knows."""
    (event,) = parse(body(change(statuses=[status])))
    assert event.kind is EventKind.IGNORED


def test_one_broken_message_amid_nine_good_ones() -> None:
    """The nine come through in order; the broken one is marked for the dead letters."""
    good = [message(type="text", text={"body": str(n)}) | {"id": f"wamid.{n}"} for n in range(9)]
    for broken in (None, 7, "x", [], [message()]):
        events = parse(body(change(messages=[*good[:4], broken, *good[4:]])))
        assert [event.text for event in events if event.kind is EventKind.TEXT] == list("012345678")
        assert str(events[4].reason).startswith("malformed")


def test_a_list_that_is_none_is_one_broken_message() -> None:
    """`messages` as an object: not silently nothing."""
    (event,) = parse(body(change(messages={"id": "wamid.1"})))
    assert event.kind is EventKind.IGNORED
    assert str(event.reason).startswith("malformed")


def test_a_batch_of_ten_thousand_is_all_there() -> None:
    """Every one of them, each once."""
    many = [message(type="text", text={"body": "oi"}) | {"id": f"wamid.{n}"} for n in range(10_000)]
    events = parse(body(change(messages=many)))
    assert len({event.message_id for event in events}) == 10_000


def test_a_switched_off_advertising_is_a_preference() -> None:
    """`stop` and `resume` of marketing; anything else in that field is nothing to us."""
    wish = {
        "wa_id": "553199990001", "user_id": "BR.7", "category": "marketing_messages",
        "value": "stop", "timestamp": 1795400000,
    }  # fmt: skip
    (stop,) = parse(_in_field("user_preferences", [wish]))
    (resume,) = parse(_in_field("user_preferences", [{**wish, "value": "resume"}]))

    assert (stop.kind, stop.wants_marketing, stop.phone, stop.user_id, stop.reply_to) == (
        EventKind.PREFERENCE, False, "5531999990001", "BR.7", "553199990001",
    )  # fmt: skip
    assert resume.wants_marketing is True
    for other in ({**wish, "category": "x"}, {**wish, "value": {}}, None, "x"):
        (found,) = parse(_in_field("user_preferences", [other]))
        assert found.kind is EventKind.IGNORED


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (
            {"type": "user_changed_number", "wa_id": "553188880002", "user_id": "BR.8"},
            ("5531988880002", "BR.8", "5531999990001", "BR.7"),
        ),
        (
            {"type": "user_changed_user_id", "user_id": "BR.8"},
            (None, "BR.8", "5531999990001", "BR.7"),
        ),
    ],
)
def test_a_changed_identity_is_ignored_and_told(
    told: dict[str, Any], wanted: tuple[str | None, ...]
) -> None:
    """Nothing to answer; but who it was and who it is goes to the worker."""
    message = {
        "from": "553199990001", "from_user_id": "BR.7", "id": "wamid.S", "type": "system",
        "timestamp": "1795400000", "system": told,
    }  # fmt: skip
    (found,) = parse(_in_field("messages", [message]))

    assert found.kind is EventKind.IGNORED
    assert (found.phone, found.user_id, found.former_phone, found.former_user_id) == wanted
    assert found.is_of_use


def test_other_system_messages_are_of_no_use() -> None:
    """A changed security code, say."""
    message = {"from": "553199990001", "id": "w", "type": "system", "system": {"type": "x"}}
    (found,) = parse(_in_field("messages", [message]))
    assert not found.is_of_use


def test_an_ad_is_told_beside_whatever_was_written() -> None:
    """Text, photo, or nothing readable: the ad that it came from is kept."""
    ad = {"source_id": "1202", "headline": "Onix\n2020", "ctwa_clid": "ARA", "source_url": {}}
    for content in (
        {"type": "text", "text": {"body": "oi"}},
        {"type": "text"},
        {"type": "image", "image": {"id": "1"}},
    ):
        message = {"from": "553199990001", "id": "w", "referral": ad, **content}
        (found,) = parse(_in_field("messages", [message]))
        assert found.ad is not None
        assert (found.ad.source_id, found.ad.headline, found.ad.ctwa_clid) == (
            "1202", "Onix 2020", "ARA",
        )  # fmt: skip
        assert found.ad.source_url is None


def _in_field(field: str, things: list[Any]) -> dict[str, Any]:
    value = {"metadata": {"phone_number_id": "1"}, field: things}
    return {"entry": [{"changes": [{"field": field, "value": value}]}]}
