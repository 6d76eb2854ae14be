"""Checks that a webhook comes from a channel's Evolution server. Called through the adapter.

Evolution signs no bodies. It can send headers of ours (`webhook.headers` at /webhook/set), or with
`headers.jwt_key` a token in HS256 that lives ten minutes. The body's `apikey` proves nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

import orjson

from gateway import fields
from gateway.credentials import matches_any
from gateway.errors import Forbidden, NotJson, Unauthenticated
from gateway.evolution.credentials import EvolutionCredentials
from gateway.json import loads

SECRET_HEADER = "x-webhook-secret"  # noqa: S105 the name of a header
_BEARER = "bearer "
_LONGEST_TOKEN = 8192
_LIFE_S = 600


def verify(headers: Mapping[str, str], credentials: EvolutionCredentials, *, now: float) -> None:
    """Returns when the request carries the secret or a token that is good at `now` (unix seconds).

    `headers` has lower-case names. Raises Unauthenticated when neither is there, Forbidden when
    what is there is wrong. A secret that the channel does not use is not looked at.
    """
    secret = headers.get(SECRET_HEADER, "")
    authorization = headers.get("authorization", "")
    if not secret and not authorization:
        raise Unauthenticated(f"neither {SECRET_HEADER} nor authorization")
    given = secret.encode("utf-8", "replace")
    if secret and matches_any(given, credentials.header_secrets()):
        return
    if _good_token(authorization, credentials.token_keys(), now=now):
        return
    raise Forbidden("neither the secret nor the token is this channel's")


def token(key: bytes, *, now: float) -> str:
    """A token as Evolution makes them; the stand-in sends it."""
    head = _encoded(orjson.dumps({"alg": "HS256", "typ": "JWT"}))
    claims = {"iat": int(now), "exp": int(now) + _LIFE_S, "app": "evolution", "action": "webhook"}
    signed = head + b"." + _encoded(orjson.dumps(claims))
    return (signed + b"." + _encoded(_signature(signed, key))).decode("ascii")


def _good_token(authorization: str, keys: list[bytes], *, now: float) -> bool:
    """The algorithm is ours to say, never the token's: HS256 or nothing."""
    if not authorization.lower().startswith(_BEARER) or len(authorization) > _LONGEST_TOKEN:
        return False
    parts = authorization[len(_BEARER) :].strip().encode("utf-8", "replace").split(b".")
    if len(parts) != 3:
        return False
    head, claims, signature = parts
    signed = head + b"." + claims
    if not matches_any(signature, [_encoded(_signature(signed, key)) for key in keys]):
        return False
    header = _decoded(head)
    expires = fields.unix_seconds(_decoded(claims).get("exp"))
    if header.get("alg") != "HS256" or "crit" in header or expires is None:
        return False
    return now < expires


def _signature(signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decoded(part: bytes) -> dict[str, object]:
    try:
        return fields.obj(loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))))
    except (binascii.Error, NotJson):
        return {}
