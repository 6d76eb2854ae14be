"""A whole installation on this machine, from the databases to the phones. Used by chat and demo.

What runs is the product itself: `helix web` and `helix worker` as processes of their own, MariaDB,
Redis. Only the WhatsApp gateways are stand-ins.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis

from dev.chat.phones import Buyer, Shop, new_phone, stand_in
from dev.chat.rows import Rows
from dev.chat.steps import Steps
from dev.chat.trace import LogLine
from dev.dealers import DemoDealer
from dev.dealers.claim import claimed
from dev.dealers.provision import provide_cars, provide_channel, provide_database
from dev.servers import Servers
from dev.servers.process import private_umask
from dev.servers.programs import ROOT
from dev.stack import Process, Stack, running_stack
from tenancy.keyring import new_key
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy

KEYS = ROOT / ".local" / "demo" / "keys"
"""TENANCY_KEYS of the demo: with them a later run opens what this one sealed."""
CENTRAL = "helixai_db"


@dataclass(slots=True)
class Installation:
    """All that runs, and the way to look into it."""

    servers: Servers
    settings: TenancySettings
    tenancy: Tenancy
    redis: Redis
    stack: Stack
    web: Process
    worker: Process
    """The one that was started last."""
    shops: dict[int, Shop]
    """By empresa id."""

    def buyer(self, empresa_id: int, *, phone: str | None = None) -> Buyer:
        """A phone that writes to this shop; a new number unless one is given."""
        return Buyer(self.shops[empresa_id], phone or new_phone())

    def rows(self, empresa_id: int) -> Rows:
        """This dealer's database."""
        return Rows(self.tenancy.pools, empresa_id)

    def log_of(self, empresa_id: int) -> list[LogLine]:
        """What all processes have logged about this dealer, in the order of time."""
        lines = [line for process in self.stack.processes for line in process.lines]
        ours = [line for line in lines if line.get("empresa_id") == empresa_id]
        return sorted(ours, key=lambda line: str(line["timestamp"]))

    async def another_worker(self) -> Process:
        """One more worker process, ready to work."""
        self.worker = await self.stack.worker()
        return self.worker


@asynccontextmanager
async def running_installation(
    servers: Servers, dealers: Sequence[DemoDealer], steps: Steps
) -> AsyncIterator[Installation]:
    """Everything for these dealers; stopped at the end of the block, and the data stays.

    Raises NotOurs, NotStarted, and what the product's own commands raise.
    """
    settings = _settings(servers)
    async with AsyncExitStack() as stack:
        names = {dealer.empresa_id: dealer.nome for dealer in dealers}
        await stack.enter_async_context(claimed(servers.mariadb, settings.db_name, names))
        for dealer in dealers:
            with steps.step(f"empresa {dealer.empresa_id}, {dealer.nome}: banco e usuário"):
                await provide_database(settings, dealer)
        tenancy = await stack.enter_async_context(open_tenancy(settings))
        shops, paths = {}, {}
        for dealer in dealers:
            with steps.step(f"empresa {dealer.empresa_id}: carros, fotos e canal {dealer.gateway}"):
                await provide_cars(tenancy, dealer)
                standin = stand_in(dealer)
                await stack.enter_async_context(standin)
                channel = await provide_channel(tenancy, dealer, standin.credentials())
                shops[dealer.empresa_id] = Shop(dealer, standin, channel.id)
                paths[dealer.empresa_id] = f"/webhook/{dealer.gateway}/{channel.webhook_token}"
        redis = await stack.enter_async_context(Redis.from_url(servers.redis_url))
        processes = await stack.enter_async_context(running_stack(_environment(servers, settings)))
        with steps.step("processos: helix web e helix worker"):
            (web, address), worker = await asyncio.gather(processes.web(), processes.worker())
        for empresa_id, shop in shops.items():
            shop.standin.webhook_url = address + paths[empresa_id]
        yield Installation(
            servers=servers,
            settings=settings,
            tenancy=tenancy,
            redis=redis,
            stack=processes,
            web=web,
            worker=worker,
            shops=shops,
        )


def _settings(servers: Servers) -> TenancySettings:
    mariadb = servers.mariadb
    return TenancySettings(
        db_host=mariadb.host,
        db_port=mariadb.port,
        db_user=mariadb.user,
        db_password=mariadb.password,
        db_name=os.environ.get("DB_NAME") or CENTRAL,
        tenancy_keys=SecretStr(os.environ.get("TENANCY_KEYS") or _kept_keys(KEYS)),
    )


def _environment(servers: Servers, settings: TenancySettings) -> dict[str, str]:
    return {
        **servers.environment(),
        "DB_NAME": settings.db_name,
        "TENANCY_KEYS": settings.tenancy_keys.get_secret_value(),
    }


def _kept_keys(path: Path) -> str:
    """The keys in `path`; a new one is put there, for its owner alone, when there is none."""
    with private_umask():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            whole = path.with_suffix(f".{os.getpid()}")
            whole.write_text(f"{new_key()}\n")
            whole.replace(path)
    return path.read_text().strip()
