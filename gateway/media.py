"""Fetches files that buyers sent, within limits, from nowhere but where a channel says.

Called by the gateways' `fetch_media`. What comes in a webhook may name any address: only the
channel's own gateway and the hosts that its credentials list are asked, no redirect is followed,
and a listed host must be a public one, by the very address that is then connected to.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from gateway.errors import MediaLater, MediaRefused
from schema.errors import ChannelRefused

_AGENT = "helix"
"""Meta answers nobody without a User-Agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRef:
    """What a message says of its file."""

    address: str
    """The gateway's id of the file, or where it lies (`Event.media_id_or_url`)."""
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """How much and how long."""

    max_bytes: int
    timeout_s: float
    """For one request with its whole answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file, whole."""

    data: bytes
    claimed_type: str | None = None
    """MIME type as the gateway has it; nobody has looked at the bytes yet."""
    file_name: str | None = None


class PrivateAddress(OSError):
    """A host that should be public leads into a private network."""


class PublicOnly(AbstractResolver):
    """Finds the addresses of a host; all must be public. The connection takes one of these."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises PrivateAddress when any address is not public: a mix is an attack."""
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise PrivateAddress(f"{host} is no public host")
        return found

    async def close(self) -> None:
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also where it wraps an IPv4 address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip.sixtofour is not None or ip.teredo is not None or ip in _NAT64:
            return False
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def public_session() -> aiohttp.ClientSession:
    """For one download from a listed host: no cookies, no kept connections, public addresses."""
    connector = aiohttp.TCPConnector(resolver=PublicOnly(), force_close=True, use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def download(
    session: aiohttp.ClientSession,
    url: str,
    *,
    home: str,
    hosts: Collection[str],
    headers: Mapping[str, str],
    limits: MediaLimits,
    abroad: Callable[[], aiohttp.ClientSession] = public_session,
) -> bytes:
    """The bytes at `url`, which lies at `home` (the channel's base_url) or at one of `hosts`.

    `headers` go along to either. Raises MediaLater, MediaRefused, ChannelRefused.
    """
    address = _url(url)
    if address.origin() == URL(home).origin():
        return await _get(session, address, headers, limits)
    if address.scheme != "https" or address.port != 443 or address.host not in hosts:
        raise MediaRefused("the file lies at a place that this channel does not name")
    async with abroad() as other:
        return await _get(other, address, headers, limits)


def host_of(address: str) -> str | None:
    """The host that an address names; None for what is no address."""
    try:
        return URL(address).host
    except ValueError:
        return None


def rebased(url: str, home: str) -> str:
    """The same path and query at `home`, for servers that tell an address of their own inside."""
    told, base = _url(url), URL(home)
    return str(base.origin().with_path(told.raw_path, encoded=True).with_query(told.query))


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    limits: MediaLimits,
    json: Mapping[str, object] | None = None,
) -> tuple[int, bytes]:
    """One request without redirects: status and body, of at most `limits.max_bytes`.

    Raises MediaLater (no answer, or not in time) and MediaRefused (too long, compressed).
    """
    timeout = aiohttp.ClientTimeout(total=limits.timeout_s)
    sent = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **headers}
    try:
        async with session.request(
            method, url, headers=sent, json=json, timeout=timeout, allow_redirects=False
        ) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise MediaRefused("the file comes compressed; its true size cannot be known")
            return response.status, await _limited(response, limits.max_bytes)
    except aiohttp.InvalidURL:
        raise MediaRefused("the file's address is not one") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, PrivateAddress):
            raise MediaRefused("the file's host lies in a private network") from error
        raise MediaLater(f"no connection: {type(error).__name__}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise MediaLater(f"the file did not come through: {type(error).__name__}") from error


def refuse(status: int) -> MediaLater | MediaRefused | ChannelRefused:
    """What an answer other than 200 means, where the gateway has no more to say."""
    if 300 <= status < 400:
        return MediaRefused("the file's address leads elsewhere")
    if status in (401, 403):
        return ChannelRefused(f"HTTP {status}: we may not have the file", code=status)
    if status in (408, 425, 429) or status >= 500:
        return MediaLater(f"HTTP {status}")
    return MediaRefused(f"HTTP {status}: the file is not there")


async def _get(
    session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str], limits: MediaLimits
) -> bytes:
    status, data = await ask(session, "GET", str(url), headers=headers, limits=limits)
    if status != 200:
        raise refuse(status)
    return data


async def _limited(response: aiohttp.ClientResponse, most: int) -> bytes:
    """A length that is told saves the reading; what is not told, or a lie, is counted."""
    too_long = MediaRefused(f"the file has more than {most} bytes")
    if (response.content_length or 0) > most:
        raise too_long
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > most:
            raise too_long
        parts.append(part)
    return b"".join(parts)


def _url(url: str) -> URL:
    try:
        found = URL(url)
        found.origin()
    except ValueError:
        raise MediaRefused("the file's address is not one") from None
    if found.scheme not in {"http", "https"} or found.user or found.password or not found.host:
        raise MediaRefused("the file's address is not one that we follow")
    return found
