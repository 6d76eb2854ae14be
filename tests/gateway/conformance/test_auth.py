"""Only a channel's own gateway gets in; nothing in the request chooses how it is checked."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters import ADAPTERS
from gateway.errors import BadCredentials, Forbidden, Unauthenticated
from gateway.standin.base import Standin
from gateway.standin.every import STANDINS
from tests.gateway.line import made

RAW = '{"olá":"preço/ção"}'.encode()


def headers_of(phone: Standin, raw: bytes = RAW) -> dict[str, str]:
    """What authenticates a body, with lower-case names as the webhook hands them over."""
    return {name.lower(): value for name, value in phone.webhook_headers(raw).items()}


def verify(phone: Standin, headers: Mapping[str, str], **changed: str) -> None:
    """Checks RAW with the stand-in's credentials, some of them changed."""
    credentials = phone.credentials() | changed
    ADAPTERS[phone.kind].verify(headers, RAW, credentials, now=time.time())


def test_adapter_and_stand_in_know_the_same_gateway(kind: str) -> None:
    """One name in ADAPTERS, STANDINS and `canais.tipo`; credentials that the adapter takes."""
    phone = made(kind)
    assert ADAPTERS[kind].kind == STANDINS[kind].kind == phone.kind == kind
    ADAPTERS[kind].check_credentials(phone.credentials())
    assert set(phone.proofs) <= set(phone.credentials())


def test_the_gateways_own_request_gets_in(kind: str) -> None:
    """As the stand-in signs it; what else a request carries changes nothing."""
    phone = made(kind)
    verify(phone, headers_of(phone))
    verify(phone, {**headers_of(phone), "user-agent": "x", "content-type": "application/json"})


def test_nothing_given_is_401_and_something_wrong_is_403(kind: str) -> None:
    """Two answers, so that who sets a webhook up sees which mistake it is."""
    phone = made(kind)
    names = headers_of(phone)
    for nothing in ({}, dict.fromkeys(names, ""), {"x-hub-signature": "sha1=00"}):
        with pytest.raises(Unauthenticated):
            verify(phone, nothing)
    for wrong in ("0" * 128, "sha256=zz", "é" * 10, "x" * 10_000, "\ud800", "Bearer a.b.c"):
        with pytest.raises(Forbidden):
            verify(phone, dict.fromkeys(names, wrong))


def test_two_secrets_are_good_while_one_is_rotated(kind: str) -> None:
    """The old one until it is taken out, the new one at once; blanks and empty parts are none."""
    phone = made(kind)
    headers, credentials = headers_of(phone), phone.credentials()
    for written in ("other, {}", " {} ,other", "{},,"):
        verify(phone, headers, **{name: written.format(credentials[name]) for name in phone.proofs})
    with pytest.raises(Forbidden):
        verify(phone, headers, **dict.fromkeys(phone.proofs, "other,another"))


@given(data=st.data())
def test_no_header_makes_the_check_raise(data: st.DataObject) -> None:
    """And none but the true one opens."""
    phone = made(data.draw(st.sampled_from(sorted(ADAPTERS))))
    names = st.sampled_from(sorted(headers_of(phone)))
    headers = data.draw(st.dictionaries(names, st.text()))
    with pytest.raises((Unauthenticated, Forbidden)):
        verify(phone, headers)


def test_bad_credentials_name_the_key_and_never_the_value(kind: str) -> None:
    """A person must act and is told on what; no secret in the error, its cause or its repr."""
    good = made(kind).credentials()
    bad: list[dict[str, str]] = [
        {**good, "acess": "hidden"},
        {**good, "base_url": "ftp://hidden"},
        {**good, "base_url": "https://hidden:hidden@x"},
        {},
    ]
    for credentials in bad:
        with pytest.raises(BadCredentials) as caught:
            ADAPTERS[kind].check_credentials(credentials)
        assert kind in str(caught.value)
        assert caught.value.problems
        assert caught.value.__cause__ is None
        assert "hidden" not in f"{caught.value!s} {caught.value!r}"
    with pytest.raises(BadCredentials):
        ADAPTERS[kind].verify({}, RAW, {}, now=time.time())


def test_a_handshake_is_there_or_is_not(kind: str) -> None:
    """A GET without a query gets no challenge back."""
    adapter = ADAPTERS[kind]
    credentials = made(kind).credentials()
    try:
        assert adapter.challenge({}, credentials) is None
    except Forbidden:
        assert adapter.challenge(
            {"hub.mode": "subscribe", "hub.verify_token": "unused", "hub.challenge": "1"},
            credentials,
        )
