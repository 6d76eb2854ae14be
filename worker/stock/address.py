"""Fetches a stock file from an address, within limits. Called by `.watch` and `helix stock import`.

What an address names may be anything, so only public ones are asked, over https, unless whoever
runs this allows private ones.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from worker.stock.files import MAX_BYTES, MAX_MB, StockFile
from worker.stock.reading import BadFile

_LIMIT_S = 60.0
_CONNECT_S = 10.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class NotNow(Exception):
    """The address does not answer as it should; the next look may find it. In Portuguese."""


@dataclass(slots=True)
class Seen:
    """What the server said of the file that was last taken: it need not come again."""

    etag: str | None = None
    modified: str | None = None

    def headers(self) -> dict[str, str]:
        """For a request that is answered 304 where nothing has changed."""
        said = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a stock file is. Its origin, for logs, has neither user nor query: they may be keys."""

    url: str = field(repr=False)
    authorization: str | None = field(default=None, repr=False)
    private: bool = False
    """Whether addresses of private networks, and plain http, may be asked."""
    limit_s: float = _LIMIT_S

    @property
    def origin(self) -> str:
        """What may be shown."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"

    async def fetch(self, seen: Seen) -> tuple[StockFile, Seen] | None:
        """The file, and what to say at the next look; None when it has not changed.

        Raises BadFile for what a person must change, NotNow for what may pass.
        """
        timeout = aiohttp.ClientTimeout(total=self.limit_s, sock_connect=_CONNECT_S)
        connector = aiohttp.TCPConnector(resolver=_Guard(private=self.private), use_dns_cache=False)
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                return await self._follow(session, seen)
        except TimeoutError as error:
            raise NotNow(
                f"O endereço não respondeu por inteiro em {self.limit_s:.0f} s."
            ) from error
        except aiohttp.ClientError as error:
            raise NotNow(f"O endereço não respondeu direito ({type(error).__name__}).") from error

    async def _follow(
        self, session: aiohttp.ClientSession, seen: Seen
    ) -> tuple[StockFile, Seen] | None:
        url = self.url
        for _ in range(_MOST_REDIRECTS + 1):
            self._check(url)
            headers = seen.headers()
            if self.authorization and _place(url) == _place(self.url):  # no other host gets it
                headers["Authorization"] = self.authorization
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status in _REDIRECTS:
                    url = urljoin(url, answer.headers.get("Location", ""))
                    continue
                if answer.status == 304:
                    return None
                _refuse(answer.status)
                data = await _body(answer)
                now = Seen(answer.headers.get("ETag"), answer.headers.get("Last-Modified"))
                name = answer.content_disposition.filename if answer.content_disposition else None
                return StockFile(
                    name=name or PurePosixPath(urlsplit(url).path).name, data=data
                ), now
        raise BadFile(
            f"O endereço redireciona mais de {_MOST_REDIRECTS} vezes: use o endereço final."
        )

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname
            _ = parts.port
        except ValueError as error:
            raise BadFile("O endereço está escrito errado.") from error
        if not host or parts.scheme not in (("https", "http") if self.private else ("https",)):
            raise BadFile("O endereço deve começar com https:// e ter um servidor.")
        if not self.private and _is_address(host) and not _is_public(host):
            raise BadFile("O endereço é de uma rede interna; se está certo, use --allow-private.")


class _Guard(AbstractResolver):
    """Resolves names to public addresses only. The connection is made to what was checked here."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises BadFile when one of the name's addresses is private."""
        found = await self._resolver.resolve(host, port, family)
        if not self._private and not all(_is_public(entry["host"]) for entry in found):
            raise BadFile("O endereço é de uma rede interna; se está certo, use --allow-private.")
        return found

    async def close(self) -> None:
        """Nothing is kept."""
        await self._resolver.close()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_public(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            address = inner
        elif address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _refuse(status: int) -> None:
    if status in (401, 403):
        raise BadFile(
            f"O endereço recusa o acesso (HTTP {status}): confira a chave em HELIX_STOCK_AUTH."
        )
    if status in (404, 410):
        raise BadFile(f"Não há arquivo neste endereço (HTTP {status}): confira-o.")
    if status in _LATER:
        raise NotNow(f"O endereço está fora do ar (HTTP {status}).")
    if status != 200:
        raise BadFile(f"O endereço respondeu HTTP {status} em vez do arquivo: confira-o.")


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """All of it: a body that ends early raises. Counted as it is unpacked, against bombs."""
    data = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > MAX_BYTES:
            raise BadFile(f"O arquivo tem mais de {MAX_MB} MB: deixe nele só o estoque.")
    return bytes(data)
