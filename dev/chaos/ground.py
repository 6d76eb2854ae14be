"""What a run stands on: servers of its own, ways to them that can be cut, dealers and phones.

Made by `run`. Dealers live behind a few database addresses, each process has its own way to Redis
and to the central database.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from dev.chaos.proxy import HOST, Proxy
from dev.chaos.sizes import Shape
from dev.fresh import fresh_settings
from dev.servers import MariadbServer, RedisServer
from gateway.standin.base import Standin
from gateway.standin.every import STANDINS, stand_in
from gateway.standin.trouble import Trouble
from tenancy.channels import add_channel
from tenancy.empresas import Profile
from tenancy.names import database_of
from tenancy.provision import Provisioner
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy

_GATEWAYS = ("cloud_api", "evolution", "waha")
_PACE = 0.1
"""Gateways repeat refused webhooks ten times sooner than the true ones."""
_LIMITS = {"gap_s": [0.005, 0.015], "typing_per_s": 1000, "new_contacts_per_min": 1000}
"""For the numbers that are to look like a person's: they do, but faster."""
_CAR = """
    INSERT INTO cars (brand, model, year, year_model, price, status)
    VALUES ('Fiat', 'Argo Drive', 2021, 2022, %s, 'available')
"""
_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """An empresa, the phone of its number, and a price that no other empresa asks."""

    id: int
    host: int
    """Which of the database addresses its database is behind."""
    phone: Standin
    price: int

    @property
    def database(self) -> str:
        """Its name on the server."""
        return database_of(self.id)

    def buyer(self, number: int) -> str:
        """The phone of a buyer; nobody else's number begins like those of this empresa."""
        return f"551198{self.id:02}{number:05}"

    def is_buyer(self, phone: str) -> bool:
        """Whether a number is that of a buyer of this empresa."""
        return phone.startswith(f"551198{self.id:02}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All of it, ready."""

    shape: Shape
    mariadb: MariadbServer
    redis: RedisServer
    settings: TenancySettings
    hosts: Sequence[Proxy]
    dealers: Sequence[Dealer]

    def environment(self, *, central: Proxy, redis: Proxy) -> dict[str, str]:
        """For a process that has these ways to the servers."""
        settings, dsn = self.settings, self.redis.dsn.get_secret_value()
        return {
            "DB_HOST": HOST,
            "DB_PORT": str(central.port),
            "DB_USER": settings.db_user,
            "DB_PASSWORD": settings.db_password.get_secret_value(),
            "DB_NAME": settings.db_name,
            "TENANCY_KEYS": settings.tenancy_keys.get_secret_value(),
            "REDIS_URL": f"redis://:{dsn.password}@{HOST}:{redis.port}/0",
            **self.shape.settings(),
        }

    def at_mariadb(self) -> Proxy:
        """A new way to the database server, not yet open."""
        access = self.mariadb.access
        return Proxy(lambda: [(access.host, access.port)])

    def at_redis(self) -> Proxy:
        """A new way to Redis, not yet open."""
        dsn = self.redis.dsn.get_secret_value()
        return Proxy(lambda: [(dsn.host or HOST, dsn.port or 6379)])


@asynccontextmanager
async def prepared(
    shape: Shape, mariadb: MariadbServer, redis: RedisServer, *, seed: int
) -> AsyncIterator[Ground]:
    """Dealers with a car each, their phones and channels; no process yet."""
    access = mariadb.access
    settings = fresh_settings(access)
    async with AsyncExitStack() as stack:
        hosts = [
            await stack.enter_async_context(Proxy(lambda: [(access.host, access.port)]))
            for _ in range(shape.hosts)
        ]
        tenancy = await stack.enter_async_context(open_tenancy(settings, grace_s=1))
        dealers = [dealer_of(number, shape) for number in range(1, shape.empresas + 1)]
        places = asyncio.Semaphore(_AT_ONCE)

        async def opened(dealer: Dealer) -> None:
            async with places:
                await _open(tenancy, settings, dealer, port=hosts[dealer.host].port)

        for dealer in dealers:
            await stack.enter_async_context(dealer.phone)
        await opened(dealers[0])  # the central database comes with it
        async with asyncio.TaskGroup() as group:
            for dealer in dealers[1:]:
                group.create_task(opened(dealer))
        trouble(dealers, seed)
        yield Ground(
            shape=shape,
            mariadb=mariadb,
            redis=redis,
            settings=settings,
            hosts=hosts,
            dealers=dealers,
        )


def trouble(dealers: Sequence[Dealer], seed: int) -> None:
    """What gateways do all the time, beside the faults of the plan."""
    dice = random.Random(seed)
    for dealer in dealers:
        dealer.phone.trouble = Trouble(
            seed=dice.getrandbits(32), repeated=0.1, late=0.1, failed=0.04, lost=0.03, cut=0.02
        )


def dealer_of(number: int, shape: Shape) -> Dealer:
    """The empresa with this number; its phone is not yet switched on."""
    kind = _GATEWAYS[number % len(_GATEWAYS)]
    secrets = dict.fromkeys(STANDINS[kind].needs + STANDINS[kind].proofs, "s")
    return Dealer(
        id=number,
        host=number % shape.hosts,
        phone=stand_in(kind, secrets, channel=f"loja-{number}", pace=_PACE),
        price=58_000 + 100 * number,
    )


async def _open(tenancy: Tenancy, settings: TenancySettings, dealer: Dealer, *, port: int) -> None:
    profile = Profile(nome=f"Loja {dealer.id}")
    await Provisioner(settings).create(dealer.id, profile, host=HOST, port=port)
    async with tenancy.central.transaction() as conn:
        channel = await add_channel(
            conn,
            tenancy.keyring,
            empresa_id=dealer.id,
            gateway=dealer.phone.kind,
            identifier=dealer.phone.channel,
            credentials=dealer.phone.credentials(),
            limits=None if dealer.phone.kind == "cloud_api" else _LIMITS,
        )
    # The address is completed when the way to the web processes is open.
    dealer.phone.webhook_url = f"/webhook/{channel.gateway}/{channel.webhook_token}"
    async with tenancy.pools.connection(dealer.id) as conn:
        await conn.execute(_CAR, (dealer.price,))
