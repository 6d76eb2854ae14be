"""An installation on servers of this folder's own, and what `helix doctor` says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis

from dev.fresh import fresh_settings
from dev.servers import MariaDB, extra_mariadb, extra_redis
from tenancy.channels import add_channel
from tenancy.empresas import Profile
from tenancy.provision import Provisioner
from tenancy.server_setup import ServerSetup
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from tenancy.target import Target
from worker.doctor.run import examine
from worker.doctor.values import Finding, Report
from worker.queue.functions import Functions

DEALERS = (1, 2)


_SPOILED = ("empresas", "canais", "trocas_senha", "servidores", "_migrations")
"""Tables of the central database that tests write to."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Two healthy dealers with a number each, on servers of their own."""

    server: MariaDB
    redis_url: str
    settings: TenancySettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The same, for one test to spoil. `given`: the environment of the processes."""

    server: MariaDB
    redis: Redis
    settings: TenancySettings
    monkeypatch: pytest.MonkeyPatch
    given: dict[str, str] = field(default_factory=dict)
    undo: list[str] = field(default_factory=list)

    async def sql(self, *statements: str, undo: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        """As administrator; the rows of the last. Afterwards `undo` makes it good, but for the
        central database, which is as it was anyway."""
        self.undo.extend(undo)
        return await run_sql(self.server, *statements)

    async def raw(self, *command: str) -> None:
        """A command of Redis."""
        raw: Any = self.redis
        await raw.execute_command(*command)

    def set(self, name: str, value: str) -> None:
        """A setting."""
        self.given[name] = value
        self.monkeypatch.setenv(name, value)

    async def report(self, file: Path | None = None, only: int | None = None) -> Report:
        """All that is found."""
        return await examine(self.given, file=file, only=only)

    async def found(self, kind: str, *, file: Path | None = None) -> Finding:
        """The one finding of this kind; it says how to mend it."""
        findings = (await self.report(file)).findings
        of_kind = [one for one in findings if one.kind == kind]
        assert len(of_kind) == 1, f"{kind} once among {[each.kind for each in findings]}"
        (one,) = of_kind
        assert one.what
        assert one.why
        assert one.mend
        return one


async def run_sql(server: MariaDB, *statements: str) -> list[tuple[Any, ...]]:
    """As administrator, in the central database."""
    async with server.connect("helixai_db") as connection, connection.cursor() as cursor:
        for statement in statements:
            await cursor.execute(statement)
        return list(await cursor.fetchall())


@pytest.fixture(scope="package")
def sound() -> Iterator[Sound]:
    """Whoever looks at rights and settings of a server must have it for himself."""
    options = ["--log-bin=own", "--sync-binlog=1", "--table-open-cache=2000"]
    with extra_mariadb(options=options) as mariadb, extra_redis() as redis:
        server = mariadb.access
        settings = fresh_settings(server)
        uvloop.run(_open(settings, server))
        yield Sound(server, str(redis.dsn.get_secret_value()), settings)


async def _open(settings: TenancySettings, server: MariaDB) -> None:
    admin = Target(host=settings.db_host, port=settings.db_port, user=settings.db_user,
                   password=settings.db_password, database=None)  # fmt: skip
    await ServerSetup(settings, admin).run()
    for empresa_id in DEALERS:
        await Provisioner(settings).create(empresa_id, Profile(nome="Auto Show"))
    async with open_tenancy(settings, grace_s=0.5) as tenancy:
        for empresa_id in DEALERS:
            async with tenancy.central.transaction() as conn:
                await add_channel(conn, tenancy.keyring, empresa_id=empresa_id,
                                  gateway="evolution", identifier=f"loja-{empresa_id}",
                                  credentials={"api_key": "k"})  # fmt: skip
    copies = [
        f"CREATE TABLE copia.{name} AS SELECT * FROM {name}"  # noqa: S608
        for name in _SPOILED
    ]
    await run_sql(server, "CREATE DATABASE copia", *copies)


@pytest.fixture
async def patient(sound: Sound, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Patient]:
    """Healthy before each test."""
    server, settings = sound.server, sound.settings
    async with Redis.from_url(sound.redis_url) as redis:
        await redis.flushall()
        for name, value in {
            "maxmemory": "1gb", "appendfsync": "always", "appendonly": "yes",
            "maxmemory-policy": "noeviction",
        }.items():  # fmt: skip
            await redis.config_set(name, value)
        await Functions(redis).register()
        seconds, _ = await redis.time()
        await redis.zadd("helix:workers", {"w": int(seconds) * 1000 + 60_000})
        made = Patient(server=server, redis=redis, settings=settings, monkeypatch=monkeypatch)
        for name, value in {
            "DB_HOST": server.host, "DB_PORT": str(server.port), "DB_USER": server.user,
            "DB_PASSWORD": server.password.get_secret_value(), "DB_NAME": "helixai_db",
            "TENANCY_KEYS": settings.tenancy_keys.get_secret_value(),
            "REDIS_URL": sound.redis_url,
            "ALARM_WEBHOOK_URL": "https://alarme.example/", "ALARM_WEBHOOK_SECRET": "s" * 32,
        }.items():  # fmt: skip
            made.set(name, value)
        yield made
    back = [
        statement
        for name in _SPOILED
        for statement in (
            f"DELETE FROM {name}",  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM copia.{name}",  # noqa: S608
        )
    ]
    await run_sql(server, *back, *made.undo)
