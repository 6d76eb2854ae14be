"""One HTTP request to a gateway; sorts what can go wrong. Called by the adapters' send, diagnose.

The line between "nothing was sent" and "nobody knows" is drawn here, once: until a connection
stands nothing has left us; from then on a lost answer may hide a delivered message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import orjson

from gateway.errors import NotJson
from gateway.json import loads
from schema.errors import ChannelRefused, GatewayAway, GatewaySilent

_LONGEST_ANSWER = 32 * 1024 * 1024
"""Evolution with the webhook option base64 answers with the whole photo that we sent."""
_CONNECT_SHARE = 0.5
"""How much of the time may go into connecting: a total that ends first would hide which it was."""
_LONGEST_RETRY_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a gateway answered: the status, the JSON (None if it was none), its wish to wait."""

    status: int
    body: object
    retry_after_s: float | None


async def post(
    session: aiohttp.ClientSession,
    url: str,
    body: Mapping[str, object],
    *,
    headers: Mapping[str, str],
    timeout_s: float,
) -> Answer:
    """One POST without redirects.

    Raises GatewayAway (no connection came about), GatewaySilent (the answer got lost) or
    ChannelRefused (the address is wrong or sends us elsewhere). Other statuses are the caller's.
    """
    return await _request(
        session,
        "POST",
        url,
        headers={**headers, "Content-Type": "application/json"},
        data=orjson.dumps(body),
        timeout_s=timeout_s,
    )


async def get(
    session: aiohttp.ClientSession,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout_s: float,
    query: Mapping[str, str] | None = None,
) -> Answer:
    """One GET without redirects; raises what `post` raises. Asking changes nothing over there."""
    return await _request(session, "GET", url, headers=headers, query=query, timeout_s=timeout_s)


async def _request(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout_s: float,
    data: bytes | None = None,
    query: Mapping[str, str] | None = None,
) -> Answer:
    timeout = aiohttp.ClientTimeout(total=timeout_s, connect=timeout_s * _CONNECT_SHARE)
    try:
        async with session.request(
            method,
            url,
            data=data,
            params=query,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            raw = await _read(response.content)
            status, sent_headers = response.status, response.headers
    except aiohttp.InvalidURL:
        raise ChannelRefused("the gateway's address is not one") from None
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise GatewayAway(f"no connection to the gateway: {type(error).__name__}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise GatewaySilent(f"the gateway's answer got lost: {type(error).__name__}") from error
    if 300 <= status < 400:
        raise ChannelRefused("the gateway's address redirects; set the final one", code=status)
    return Answer(
        status=status, body=_json_or_none(raw), retry_after_s=_retry_after_s(sent_headers)
    )


async def _read(content: aiohttp.StreamReader) -> bytes:
    """At most what an answer may be long: the other side is not trusted with our memory."""
    parts: list[bytes] = []
    missing = _LONGEST_ANSWER
    while missing > 0 and (part := await content.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _json_or_none(raw: bytes) -> object:
    try:
        return loads(raw)
    except NotJson:
        return None


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Retry-After is a number of seconds or a date (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return min(seconds, _LONGEST_RETRY_AFTER_S)


def _seconds_until(date: str) -> float:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())
