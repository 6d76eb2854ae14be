"""Where the servers are and how to get in. Made by `dev.servers.client`, read by every command."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiomysql
from pydantic import (
    BaseModel,
    ConfigDict,
    RedisDsn,
    Secret,
    SecretStr,
    SerializationInfo,
    field_serializer,
)

OPEN = "open"
"""Serialization context under which passwords are written out: to the supervisor's socket only."""


class ServersError(Exception):
    """The servers cannot be had; the message says what to type."""


class MariaDB(BaseModel):
    """A MariaDB server and its administrator."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int
    user: str
    password: SecretStr
    programs: Path | None = None
    """Folder of `mariadb` and `mariadb-dump` where they are not on the PATH already."""

    @field_serializer("password")
    def _password(self, password: SecretStr, info: SerializationInfo) -> str:
        return password.get_secret_value() if (info.context or {}).get(OPEN) else str(password)

    def connect(self, database: str | None = None) -> Any:
        """An aiomysql connection as administrator, to be awaited or entered with `async with`."""
        return aiomysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password.get_secret_value(),
            db=database,
            charset="utf8mb4",
            autocommit=True,
        )

    @asynccontextmanager
    async def database(self, prefix: str = "t") -> AsyncIterator[str]:
        """The name of a new, empty database, which is dropped afterwards."""
        name = f"{prefix}_{uuid4().hex[:16]}"
        await self._execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        try:
            yield name
        finally:
            await self._execute(f"DROP DATABASE `{name}`")

    async def _execute(self, statement: str) -> None:
        async with self.connect() as connection, connection.cursor() as cursor:
            await cursor.execute(statement)


class Servers(BaseModel):
    """Both servers, as the commands of this checkout use them."""

    model_config = ConfigDict(frozen=True)

    mariadb: MariaDB
    redis_dsn: Secret[RedisDsn]

    @property
    def redis_url(self) -> str:
        """The address with its password: not for logs."""
        return str(self.redis_dsn.get_secret_value())

    def environment(self) -> dict[str, str]:
        """What a child process is told, so that it finds the same servers."""
        told = {
            "DB_HOST": self.mariadb.host,
            "DB_PORT": str(self.mariadb.port),
            "DB_USER": self.mariadb.user,
            "DB_PASSWORD": self.mariadb.password.get_secret_value(),
            "REDIS_URL": self.redis_url,
        }
        if self.mariadb.programs is not None:
            told["PATH"] = f"{self.mariadb.programs}{os.pathsep}{os.environ.get('PATH', '')}"
        return told
