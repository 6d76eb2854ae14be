"""Checks that a webhook comes from Meta. Called through the adapter, before anything is parsed.

Source: Meta, Webhooks, "Getting started": X-Hub-Signature-256 is an HMAC-SHA256 over the body as
sent. Meta escapes non-ASCII characters and slashes, so JSON written anew never matches.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from gateway.cloud_api.credentials import CloudCredentials
from gateway.credentials import matches_any
from gateway.errors import Forbidden, Unauthenticated

_SIGNATURE = "x-hub-signature-256"


def signature(raw: bytes, secret: bytes) -> str:
    """The header's value for a body; the stand-in signs with it too."""
    return "sha256=" + hmac.new(secret, raw, "sha256").hexdigest()


def verify(headers: Mapping[str, str], raw: bytes, credentials: CloudCredentials) -> None:
    """Returns when the body is signed with one of the app secrets.

    `headers` has lower-case names. Raises Unauthenticated without a signature (one made with
    SHA-1 is none), Forbidden with a wrong one.
    """
    given = headers.get(_SIGNATURE, "")
    if not given:
        raise Unauthenticated(f"no {_SIGNATURE} header")
    wanted = [signature(raw, secret).encode() for secret in credentials.secrets()]
    if not matches_any(given.encode("utf-8", "replace"), wanted):
        raise Forbidden("the signature is not one of this channel's app")


def challenge(query: Mapping[str, str], credentials: CloudCredentials) -> str:
    """What a GET is answered with, as text/plain, when Meta registers the webhook.

    Raises Forbidden unless the query asks to subscribe and knows the verify token.
    """
    given = query.get("hub.verify_token", "").encode("utf-8", "replace")
    known = matches_any(given, [credentials.verify_token.get_secret_value().encode()])
    wanted = query.get("hub.challenge", "")
    if not known or query.get("hub.mode") != "subscribe" or not wanted:
        raise Forbidden("no handshake with this channel's verify token")
    return wanted
