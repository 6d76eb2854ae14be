"""Opens the Redis that REDIS_URL names: one server, or whichever Sentinel says is the master.

Called by the web and worker processes and by commands. Whoever is told READONLY talks to a server
that was a master before: the connection is dropped, and the next one goes to where the master is.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from redis.asyncio import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ReadOnlyError, RedisError

_SCHEMES = {"redis+sentinel": False, "rediss+sentinel": True}
_SENTINEL_PORT = 26379
_NODE = re.compile(r"(?P<host>\[[0-9A-Fa-f:]+\]|[^\[\]:@/]+)(?::(?P<port>[0-9]{1,5}))?")
_PATH = re.compile(r"/(?P<service>[A-Za-z0-9._-]+)(?:/(?P<database>[0-9]{1,5}))?")
_WRONG = (
    "neither redis://[user:password@]host[:port][/number] (rediss:// with TLS) nor"
    " redis+sentinel://[user:password@]host[:port],host[:port]/service[/number]"
)
"""Never with the value, which may hold a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A Redis behind Sentinel."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    database: int
    username: str | None
    password: SecretStr | None
    """Of the Redis servers; Sentinels have one of their own, or none."""
    tls: bool


def read_url(url: SecretStr) -> Guarded | None:
    """What a REDIS_URL names; None for a single server. Raises ValueError without the value."""
    try:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme in _SCHEMES:
            return _guarded(parts.netloc, parts.path, tls=_SCHEMES[parts.scheme])
        parse_url(url.get_secret_value())
    except ValueError:
        raise ValueError(_WRONG) from None
    return None


def redis_pool(
    url: SecretStr,
    *,
    timeout_s: float,
    sentinel_user: str = "",
    sentinel_password: SecretStr | None = None,
) -> ConnectionPool:
    """Connections that follow the master. No I/O yet; `timeout_s` bounds each answer."""
    limits: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    guarded = read_url(url)
    if guarded is None:
        given: dict[str, Any] = {**parse_url(url.get_secret_value())}
        plain = given.get("connection_class", Connection)
        if plain is not UnixDomainSocketConnection:
            given.setdefault("socket_keepalive", True)
        return ConnectionPool(**{**limits, **given, "connection_class": _FOLLOWING[plain]})
    limits["socket_keepalive"] = True
    secret = None if sentinel_password is None else sentinel_password.get_secret_value()
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        guarded.sentinels,
        sentinel_kwargs={
            **limits,
            "username": sentinel_user or None,
            "password": secret or None,
            "ssl": guarded.tls,
        },
    )
    password = guarded.password
    return _GuardedPool(  # type: ignore[no-untyped-call]
        guarded.service,
        sentinel,
        **limits,
        db=guarded.database,
        username=guarded.username,
        password=None if password is None else password.get_secret_value(),
        connection_class=_GuardedSSLConnection if guarded.tls else _GuardedConnection,
    )


def _guarded(netloc: str, path: str, *, tls: bool) -> Guarded:
    login, _, nodes = netloc.rpartition("@")
    user, _, password = login.partition(":")
    found = [_NODE.fullmatch(node) for node in nodes.split(",")]
    where = _PATH.fullmatch(path)
    if where is None or None in found:
        raise ValueError(_WRONG)
    return Guarded(
        sentinels=tuple(
            (match["host"].strip("[]"), int(match["port"] or _SENTINEL_PORT))
            for match in found
            if match is not None
        ),
        service=where["service"],
        database=int(where["database"] or 0),
        username=unquote(user) or None,
        password=SecretStr(unquote(password)) if password else None,
        tls=tls,
    )


class _Sends:
    """Laid over a class of connections, for two faults of what lies under it.

    Python 3.11's `asyncio.wait_for`, which sends a command, may swallow a cancellation. uvloop
    answers a write to a connection that was reset with RuntimeError, where asyncio has an OSError:
    it would end a worker, and a webhook would get 500 for 503.
    """

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        """Raises the cancellation that came while it was sent, whatever else went wrong then, and
        redis-py's ConnectionError for a connection that broke."""
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            await super().send_packed_command(*args, **kwargs)  # type: ignore[misc]
        except (RedisError, RuntimeError) as error:
            if task and task.cancelling() > before:
                raise asyncio.CancelledError from error
            if isinstance(error, RuntimeError):
                raise Disconnected("the connection broke while it was written to") from error
            raise
        if task and task.cancelling() > before:
            await self.disconnect(nowait=True)  # type: ignore[attr-defined]
            raise asyncio.CancelledError


class _Follows(_Sends):
    """For a connection to one address behind which the master may change (DNS, a proxy)."""

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """An answer; READONLY ends the connection."""
        try:
            return await super().read_response(*args, **kwargs)  # type: ignore[misc]
        except ReadOnlyError as error:
            await self.disconnect()  # type: ignore[attr-defined]
            raise Disconnected("this Redis has become a replica") from error


class _FollowingConnection(_Follows, Connection):
    pass


class _FollowingSSLConnection(_Follows, SSLConnection):
    pass


class _FollowingUnixConnection(_Follows, UnixDomainSocketConnection):
    pass


_FOLLOWING: dict[type, type] = {
    Connection: _FollowingConnection,
    SSLConnection: _FollowingSSLConnection,
    UnixDomainSocketConnection: _FollowingUnixConnection,
}


class _GuardedConnection(_Sends, SentinelManagedConnection):
    pass


class _GuardedSSLConnection(_Sends, SentinelManagedSSLConnection):
    pass


class _GuardedPool(SentinelConnectionPool):
    """Closes its connections to the Sentinels, too."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        """With `inuse_connections` at the end, without them when the master has changed."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            for sentinel in self.sentinel_manager.sentinels:
                await sentinel.aclose()
