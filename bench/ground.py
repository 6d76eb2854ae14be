"""An installation for the benchmark alone: central database, dealers, stock, Redis database.

Made by `bench.__main__` and by the tests; everything is dropped at the end.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bench.redis_database import own_database
from dev.fresh import fresh_settings
from dev.servers import MariaDB, Servers
from schema.channels import Channel
from tenancy.channels import add_channel
from tenancy.empresas import Profile
from tenancy.names import database_of, user_of
from tenancy.provision import Provisioner
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy

GATEWAY = "cloud_api"

_CAR = """
    INSERT INTO cars (brand, model, year, year_model, price, mileage, color, fuel_type,
                      transmission, description, status)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_PHOTO = """
    INSERT INTO car_images (car_id, url, ordem, is_principal)
    SELECT id, CONCAT('https://fotos.example/', id, '/', %s, '.jpg'), %s, %s FROM cars
"""
_MODELS = (
    ("Chevrolet", "Onix 1.0 LT", 58_900), ("Hyundai", "HB20 1.0 Comfort", 61_900),
    ("Volkswagen", "Polo 1.6 MSI", 67_900), ("Fiat", "Argo 1.3 Drive", 63_900),
    ("Jeep", "Compass 2.0 Longitude", 118_900), ("Toyota", "Corolla 2.0 XEi", 112_900),
    ("Honda", "HR-V 1.8 EX", 104_900), ("Renault", "Kwid 1.0 Zen", 44_900),
)  # fmt: skip
_COLOURS = ("Prata", "Branco", "Preto", "Cinza", "Vermelho")
_PHOTOS_PER_CAR = 3
_TALKED = ("mensagens", "conversations", "customer_identities", "customers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What contests run on; one at a time, wiped in between."""

    mariadb: MariaDB
    settings: TenancySettings
    redis_url: str
    empresa_ids: tuple[int, ...]
    used: set[int] = field(default_factory=set)
    """Empresas that somebody may have written to since they were wiped."""

    def environment(self) -> dict[str, str]:
        """For a worker process: this installation, and no waiting for more from the buyer."""
        settings = self.settings
        return {
            "DB_HOST": settings.db_host,
            "DB_PORT": str(settings.db_port),
            "DB_USER": settings.db_user,
            "DB_PASSWORD": settings.db_password.get_secret_value(),
            "DB_NAME": settings.db_name,
            "TENANCY_KEYS": settings.tenancy_keys.get_secret_value(),
            "REDIS_URL": self.redis_url,
            "LUCAS_QUIET_COMPLETE_S": "0",
            "LUCAS_QUIET_FRAGMENT_S": "0",
            "LUCAS_QUIET_GREETING_S": "0",
            "LUCAS_TURNS_PER_MIN": "0",
        }

    async def wipe(self) -> None:
        """As if nobody had ever written; the stock stays."""
        for empresa_id in sorted(self.used):
            await run(
                self.mariadb,
                "SET foreign_key_checks = 0",
                *(f"TRUNCATE TABLE {table}" for table in _TALKED),
                database=database_of(empresa_id),
            )
        self.used.clear()

    async def rows(self, empresa_id: int, sql: str) -> list[tuple[Any, ...]]:
        """What an empresa's database holds, asked as administrator."""
        return await run(self.mariadb, sql, database=database_of(empresa_id))


def channel_of(empresa_id: int) -> str:
    """The number of an empresa, as its gateway names it."""
    return f"bench-{empresa_id}"


@asynccontextmanager
async def prepared(servers: Servers, *, empresas: int, cars: int = 40) -> AsyncIterator[Ground]:
    """New dealers with `cars` cars each, on the servers that everything else here uses too."""
    first_id = random.SystemRandom().randrange(10_000_000, 30_000_000) * 64
    ids = tuple(range(first_id, first_id + empresas))
    mariadb = servers.mariadb
    settings = fresh_settings(mariadb, central=f"bench_{uuid4().hex[:16]}")
    async with own_database(servers.redis_url) as redis_url:
        try:
            for empresa_id in ids:
                await _open_dealer(settings, empresa_id, cars)
            yield Ground(mariadb=mariadb, settings=settings, redis_url=redis_url, empresa_ids=ids)
        finally:
            await _remove(mariadb, settings.db_name, ids)


async def give_channels(
    ground: Ground,
    credentials: Mapping[int, Mapping[str, str]],
    *,
    limits: Mapping[str, object] | None = None,
) -> dict[int, Channel]:
    """The channels of these empresas, with new secrets."""
    async with open_tenancy(ground.settings, grace_s=1) as tenancy:
        found = {}
        for empresa_id, secrets in credentials.items():
            async with tenancy.central.transaction() as conn:
                found[empresa_id] = await add_channel(
                    conn, tenancy.keyring, empresa_id=empresa_id, gateway=GATEWAY,
                    identifier=channel_of(empresa_id), credentials=dict(secrets), limits=limits,
                )  # fmt: skip
        return found


async def run(mariadb: MariaDB, *statements: str, database: str | None = None) -> list[Any]:
    """Statements on one connection as administrator; the rows of the last."""
    async with mariadb.connect(database) as connection, connection.cursor() as cursor:
        for statement in statements:
            await cursor.execute(statement)
        return list(await cursor.fetchall())


async def _open_dealer(settings: TenancySettings, empresa_id: int, cars: int) -> None:
    profile = Profile(nome="Auto Show Curitiba", endereco="Av. Sete de Setembro, 100")
    await Provisioner(settings).create(empresa_id, profile)
    async with open_tenancy(settings, grace_s=1) as tenancy:
        async with tenancy.central.transaction() as conn:
            await add_channel(conn, tenancy.keyring, empresa_id=empresa_id, gateway=GATEWAY,
                              identifier=channel_of(empresa_id), credentials=None)  # fmt: skip
        async with tenancy.pools.transaction(empresa_id) as stock:
            await stock.execute_many(_CAR, [_car(number) for number in range(cars)])
            for place in range(_PHOTOS_PER_CAR):
                await stock.execute(_PHOTO, (place, place, int(place == 0)))


def _car(number: int) -> tuple[object, ...]:
    brand, model, price = _MODELS[number % len(_MODELS)]
    year = 2016 + number % 9
    return (
        brand, model, year, year + number % 2, price + 900 * number, 9_000 + 3_100 * number,
        _COLOURS[number % len(_COLOURS)], "Flex", ("Manual", "Automático")[number % 2],
        "Único dono, revisões em dia, ar-condicionado, direção elétrica.",
        "sold" if number % 10 == 9 else "available",
    )  # fmt: skip


async def _remove(mariadb: MariaDB, central: str, ids: tuple[int, ...]) -> None:
    names = [central, *(database_of(empresa_id) for empresa_id in ids)]
    await run(mariadb, *(f"DROP DATABASE IF EXISTS `{name}`" for name in names))
    await run(mariadb, *(f"DROP USER IF EXISTS '{user_of(empresa_id)}'@'%'" for empresa_id in ids))
