"""What a command and the supervisor say to each other, one JSON object a time.

Used by `client` and `supervisor`. The socket lies in a folder that only its owner can enter.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, RedisDsn, Secret, SerializationInfo, field_serializer

from dev.servers.values import OPEN, MariaDB

Kind = Literal["mariadb", "redis"]

_SOCKET_PATH_MAX = 100  # sockaddr_un: 108 bytes on Linux, 104 on BSD and macOS


class Request(BaseModel):
    """What a command wants. Without kinds and keep: only to know how things are."""

    model_config = ConfigDict(frozen=True)

    kinds: tuple[Kind, ...] = ()
    keep: bool | None = None
    """True: the servers stay when all commands have ended. False: they no longer do."""


class Reply(BaseModel):
    """How things are now."""

    model_config = ConfigDict(frozen=True)

    mariadb: MariaDB | None
    redis_dsn: Secret[RedisDsn] | None
    others: int
    """Commands that use the servers, besides the one that asks."""
    kept: bool
    error: str | None = None

    def encoded(self) -> bytes:
        """The reply on the wire, passwords included."""
        return self.model_dump_json(context={OPEN: True}).encode() + b"\n"

    @field_serializer("redis_dsn")
    def _address(self, dsn: Secret[RedisDsn] | None, info: SerializationInfo) -> str | None:
        if dsn is None:
            return None
        return str(dsn.get_secret_value()) if (info.context or {}).get(OPEN) else str(dsn)


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """An address for bind or connect, also where the path is longer than a socket's may be."""
    if len(os.fsencode(path)) <= _SOCKET_PATH_MAX or sys.platform != "linux":
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
