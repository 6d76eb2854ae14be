"""Checks that a webhook comes from a channel's WAHA server. Called through the adapter.

Source: WAHA's docs, "Webhooks", "HMAC authentication": X-Webhook-Hmac is an HMAC-SHA512 in hex over
the body as sent. X-Webhook-Timestamp is not signed, so it proves nothing and is not looked at.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from gateway.credentials import matches_any
from gateway.errors import Forbidden, Unauthenticated
from gateway.waha.credentials import WahaCredentials

_HMAC, _ALGORITHM = "x-webhook-hmac", "x-webhook-hmac-algorithm"
ALGORITHM = "sha512"
"""The only one. What the request names is compared with it and never used."""


def signature(raw: bytes, key: bytes) -> str:
    """The header's value for a body; the stand-in signs with it too."""
    return hmac.new(key, raw, ALGORITHM).hexdigest()


def verify(headers: Mapping[str, str], raw: bytes, credentials: WahaCredentials) -> None:
    """Returns when the body is signed with one of the keys.

    `headers` has lower-case names. Raises Unauthenticated without a signature, Forbidden with a
    wrong one or when the request names another algorithm.
    """
    given = headers.get(_HMAC, "")
    if not given:
        raise Unauthenticated(f"no {_HMAC} header")
    if headers.get(_ALGORITHM, ALGORITHM).lower() != ALGORITHM:
        raise Forbidden(f"the signature is not said to be {ALGORITHM}")
    wanted = [signature(raw, key).encode() for key in credentials.webhook_keys()]
    if not matches_any(given.encode("utf-8", "replace"), wanted):
        raise Forbidden("the signature is not one of this channel's keys")
