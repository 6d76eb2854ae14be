"""Only a channel's own gateway gets in; nothing in the request chooses how it is checked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.adapters import ADAPTERS, Adapter
from gateway.errors import BadCredentials, Forbidden, Unauthenticated

CLOUD, EVOLUTION, WAHA = ADAPTERS["cloud_api"], ADAPTERS["evolution"], ADAPTERS["waha"]
NOW = 1795400100.0


def cloud(**changed: str) -> dict[str, str]:
    """Credentials of a Cloud API channel."""
    return {"access_token": "t", "app_secret": "s1", "verify_token": "v"} | changed


def evolution(**proof: str) -> dict[str, str]:
    """Credentials of an Evolution channel."""
    return {"base_url": "https://evo.example.test", "apikey": "k"} | proof


def waha(**changed: str) -> dict[str, str]:
    """Credentials of a WAHA channel."""
    return {"base_url": "https://waha.example.test", "api_key": "k", "hmac_key": "h"} | changed


def accepted(headers: dict[str, str], raw: bytes, credentials: dict[str, str], **at: float) -> bool:
    """Whether the request gets in; the credentials tell the gateway."""
    signing = {"app_secret": CLOUD, "hmac_key": WAHA}
    adapter = next((signing[key] for key in signing if key in credentials), EVOLUTION)
    try:
        adapter.verify(headers, raw, credentials, now=at.get("now", NOW))
    except (Unauthenticated, Forbidden):
        return False
    return True


def test_metas_signatures_byte_for_byte(auth_vectors: dict[str, Any]) -> None:
    """Over the raw body: the same JSON in other bytes, SHA-1 and non-ASCII are all refused."""
    vectors = auth_vectors["cloud_api"]
    credentials = cloud(app_secret=vectors["app_secret"])
    for vector in vectors["post"]:
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        raw = base64.b64decode(vector["body_b64"])
        assert accepted(headers, raw, credentials) is vector["accepted"], vector["name"]


def test_metas_handshake(auth_vectors: dict[str, Any]) -> None:
    """The challenge comes back to whoever knows the verify token and asks to subscribe."""
    vectors = auth_vectors["cloud_api"]
    for vector in vectors["challenge"]:
        query = dict(parse_qsl(vector["query"]))
        credentials = cloud(verify_token=vectors["verify_token"])
        if vector["status"] == 200:
            assert CLOUD.challenge(query, credentials) == vector["body"]
        else:
            with pytest.raises(Forbidden):
                CLOUD.challenge(query, credentials)
    assert EVOLUTION.challenge({}, evolution(jwt_key="k")) is None


def test_evolutions_token_byte_for_byte(auth_vectors: dict[str, Any]) -> None:
    """Good for ten minutes and with this key alone."""
    vectors = auth_vectors["evolution"]
    headers = {"authorization": f"Bearer {vectors['jwt']}"}
    for check in vectors["checks"]:
        credentials = evolution(jwt_key=check.get("jwt_key", vectors["jwt_key"]))
        assert accepted(headers, b"{}", credentials, now=check["now"]) is check["accepted"], check


def test_wahas_signatures_byte_for_byte(auth_vectors: dict[str, Any]) -> None:
    """SHA-512 over the raw body, with the vector of WAHA's own docs."""
    vectors = auth_vectors["waha"]
    for vector in vectors["post"]:
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        raw = base64.b64decode(vector["body_b64"])
        credentials = waha(hmac_key=vectors["hmac_key"])
        assert accepted(headers, raw, credentials) is vector["accepted"], vector["name"]
        assert not accepted(headers, raw + b" ", credentials)


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha384", "none", "", "x" * 10_000])
def test_a_request_cannot_choose_wahas_algorithm(name: str) -> None:
    """A true signature of another algorithm is refused; so is a false name beside a good one."""
    raw = b'{"event":"message"}'
    good = hmac.new(b"h", raw, "sha512").hexdigest()
    assert accepted({"x-webhook-hmac": good, "x-webhook-hmac-algorithm": "sha512"}, raw, waha())
    assert accepted({"x-webhook-hmac": good}, raw, waha())
    assert not accepted({"x-webhook-hmac": good, "x-webhook-hmac-algorithm": name}, raw, waha())
    if name in hashlib.algorithms_guaranteed:
        weak = hmac.new(b"h", raw, name).hexdigest()
        for named in ({}, {"x-webhook-hmac-algorithm": name}):
            assert not accepted({"x-webhook-hmac": weak, **named}, raw, waha())


def encoded(value: object) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(header: object, claims: object, key: str, digest: str = "sha256") -> dict[str, str]:
    """Headers with a token of our making."""
    body = f"{encoded(header)}.{encoded(claims)}"
    mark = hmac.new(key.encode(), body.encode(), digest).digest()
    return {
        "authorization": f"Bearer {body}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
    }


HS256, FRESH = {"alg": "HS256", "typ": "JWT"}, {"iat": NOW, "exp": NOW + 600}


def test_a_token_cannot_choose_its_algorithm() -> None:
    """`none`, another digest, an unknown critical extension, no expiry: refused."""
    credentials = evolution(jwt_key="key")
    assert accepted(token(HS256, FRESH, "key"), b"", credentials)
    bare = f"{encoded({'alg': 'none'})}.{encoded(FRESH)}."
    refused: list[dict[str, str]] = [
        {"authorization": f"Bearer {bare}"},
        token({"alg": "none"}, FRESH, "key"),
        token({"alg": "HS512"}, FRESH, "key", "sha512"),
        token({"alg": "HS512"}, FRESH, "key"),
        token({"alg": "RS256"}, FRESH, "key"),
        token({**HS256, "crit": ["exp"]}, FRESH, "key"),
        token(HS256, {"iat": NOW}, "key"),
        token(HS256, {"exp": "tomorrow"}, "key"),
        token(HS256, {"exp": NOW}, "key"),
        token([], FRESH, "key"),
        token(HS256, [], "key"),
        token(HS256, FRESH, ""),
        {"authorization": token(HS256, FRESH, "key")["authorization"].removeprefix("Bearer ")},
        {"authorization": token(HS256, FRESH, "key")["authorization"] + "="},
        {"authorization": "Bearer " + "a." * 100_000},
    ]
    assert [headers for headers in refused if accepted(headers, b"", credentials)] == []


def test_the_secret_header_of_evolution() -> None:
    """The right one gets in, next to a foreign token too; a secret of another kind is no use."""
    credentials = evolution(webhook_secret="abc")
    assert accepted({"x-webhook-secret": "abc"}, b"", credentials)
    assert accepted({"x-webhook-secret": "abc", "authorization": "Basic x"}, b"", credentials)
    assert not accepted({"x-webhook-secret": "abd"}, b"", credentials)
    assert not accepted({"x-webhook-secret": "key"}, b"", evolution(jwt_key="key"))
    assert not accepted(token(HS256, FRESH, "abc"), b"", credentials)


@pytest.mark.parametrize(
    ("kind", "credentials", "named"),
    [
        ("cloud_api", {}, {"access_token", "app_secret", "verify_token"}),
        ("cloud_api", cloud(app_secret=" , "), {"app_secret"}),
        ("cloud_api", cloud(acess_token="x"), {"acess_token"}),
        ("cloud_api", cloud(base_url="ftp://x"), {"base_url"}),
        ("cloud_api", cloud(base_url="https://u:p@x"), {"base_url"}),
        ("cloud_api", cloud(api_version="v1/../.."), {"api_version"}),
        ("cloud_api", cloud(access_token="a\r\nX: y"), {"access_token"}),
        ("evolution", evolution(), {"credentials"}),
        ("evolution", {"webhook_secret": "s"}, {"base_url", "apikey"}),
        ("waha", {}, {"base_url", "api_key", "hmac_key"}),
        ("waha", waha(hmac_key=","), {"hmac_key"}),
        ("waha", waha(api_key="a\nb"), {"api_key"}),
    ],
)
def test_bad_credentials_name_the_key_and_never_the_value(
    kind: str, credentials: dict[str, str], named: set[str]
) -> None:
    """A person must act and is told on what; no secret in the error, its cause or its repr."""
    with pytest.raises(BadCredentials) as caught:
        ADAPTERS[kind].check_credentials(credentials)
    assert set(caught.value.problems) == named
    assert kind in str(caught.value)
    assert caught.value.__cause__ is None
    for value in credentials.values():
        assert len(value.strip(" ,")) < 3 or value not in f"{caught.value!s} {caught.value!r}"


@pytest.mark.parametrize(
    ("adapter", "one", "other", "shared"),
    [
        (CLOUD, cloud(app_secret="new,old"), cloud(app_secret="old"), True),
        (CLOUD, cloud(app_secret="s1"), cloud(app_secret="s2"), False),
        (EVOLUTION, evolution(webhook_secret="w"), evolution(webhook_secret="w"), True),
        (EVOLUTION, evolution(jwt_key="j"), evolution(jwt_key="j"), True),
        (EVOLUTION, evolution(webhook_secret="w"), evolution(jwt_key="w"), False),
        (EVOLUTION, evolution(webhook_secret="w"), evolution(webhook_secret="x"), False),
    ],
)
def test_who_may_push_for_one_channel_may_push_for_another_of_the_same_secret_only(
    adapter: Adapter, one: dict[str, str], other: dict[str, str], shared: bool
) -> None:
    """The same address or API key at the gateway is no secret of the webhook."""
    assert adapter.shares_secret(one, other) is shared
    assert adapter.shares_secret(other, one) is shared
