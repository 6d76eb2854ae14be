"""The aiomysql connection with its unsafe defaults closed. Used by `tenancy.opening`, `.session`.

aiomysql 0.3.2 (pinned) sends the login in plaintext when the server offers no TLS, always allows
stacked statements, answers an authentication switch to clear text with the password, and writes
aware times as if they had no zone. Each override here closes one of these.
"""

# mypy: disable-error-code="no-untyped-call,union-attr"
# The driver ships no types.

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Any

import aiomysql
from pymysql.constants import CLIENT
from pymysql.err import OperationalError

from tenancy.target import Limits, Target, tls_context

_IN_THE_CLEAR = (b"mysql_clear_password", b"mysql_old_password")
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
_NO_TLS = 2026  # CR_SSL_CONNECTION_ERROR


class QuietCursor(aiomysql.Cursor):
    """Asks for no warnings: that is a round trip, and strict mode makes errors of what matters."""

    async def _show_warnings(self, conn: object) -> None:
        """Does nothing."""

    @property
    def rows(self) -> Sequence[tuple[Any, ...]]:
        """All rows, at once: fetchall() would make a future for what is already here."""
        return self._rows or ()


class DriverConnection(aiomysql.Connection):
    """A connection that cannot be talked into the clear, and that can be cut at once."""

    def __init__(self, target: Target, limits: Limits, *, together: bool) -> None:
        """`together`: the server takes several statements at once."""
        self._transport: asyncio.Transport | None = None
        super().__init__(
            host=target.host,
            port=target.port,
            user=target.user,
            # The driver encodes a password as latin-1, servers hash the bytes of its UTF-8.
            password=target.password.get_secret_value().encode().decode("latin-1"),
            db=target.database,
            charset="utf8mb4",
            autocommit=True,
            local_infile=False,
            client_flag=CLIENT.FOUND_ROWS,
            ssl=tls_context(target.host, limits),
            program_name="helix",
        )
        if not together:
            self.client_flag &= ~CLIENT.MULTI_STATEMENTS

    async def open(self) -> None:
        """Connects and logs in. The caller sets the deadline and calls `abort` on any error."""
        await self._connect()
        self._transport = self._writer.transport

    def abort(self) -> None:
        """Cuts the socket without a word, at once. May be called at any time, more than once."""
        transport = self._transport or (self._writer.transport if self._writer else None)
        self.close()
        if transport is not None:
            transport.abort()

    def quit(self) -> None:
        """Says goodbye without waiting for anything."""
        if self._writer is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._writer.write(b"\x01\x00\x00\x00\x01")  # COM_QUIT
            self.close()

    @property
    def alive(self) -> bool:
        """False once the end of the stream or an error was seen; costs no I/O."""
        reader = self._reader
        return (
            self._writer is not None
            and reader is not None
            and not reader.at_eof()
            and not reader.eof_received
            and reader.exception() is None
        )

    @property
    def half_read(self) -> bool:
        """Whether a part of a result is still to come."""
        result = self._result
        return result is not None and bool(result.unbuffered_active or result.has_next)

    async def _request_authentication(self) -> None:
        if self._ssl_context is not None and not self.server_capabilities & CLIENT.SSL:
            raise OperationalError(_NO_TLS, "the server offers no TLS")
        await super()._request_authentication()
        if self._ssl_context is not None and not self._secure:
            raise OperationalError(_NO_TLS, "the connection is not encrypted")

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        if plugin_name in _IN_THE_CLEAR and not self._secure:
            raise OperationalError(_NO_TLS, "the server asks for the password in the clear")
        return await super()._process_auth(plugin_name, auth_packet)

    def _set_keep_alive(self) -> None:
        super()._set_keep_alive()
        raw: socket.socket = self._writer.transport.get_extra_info("socket")
        for name, value in _KEEPALIVE.items():
            option = getattr(socket, name, None)  # not every system has each of them
            if option is not None:
                raw.setsockopt(socket.IPPROTO_TCP, option, value)
