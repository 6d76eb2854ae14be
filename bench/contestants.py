"""Who takes part: the product, its rivals, and the limit. Called by the parts of the benchmark."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import orjson
from arq.connections import ArqRedis

from bench import node_program
from bench.ground import GATEWAY, Ground, channel_of
from bench.queues import (
    BULLMQ,
    ArqQueue,
    BullQueue,
    Filled,
    InboxAndOutbox,
    InboxQueue,
    NoQueue,
    SaqQueue,
)
from bench.sizes import Shape
from tenancy.start import open_tenancy

PRODUCT = "helix"
Tell = Callable[[Ground, Shape], Awaitable[bytes]]
"""The first line that a process reads, with what no command line should hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A process, and the queue that it works off."""

    name: str
    answer: str
    """A name in `bench.answers.ANSWERS`, and what becomes of it."""
    command: tuple[str, ...]
    queue: Callable[[Ground, ArqRedis], Filled]
    ours: bool = False
    tell: Tell | None = None


def helix(answer: str, *, sends: bool = False) -> Contestant:
    """The product with an answer. `sends`: its replies have to reach the gateway, too."""
    return Contestant(
        name=PRODUCT,
        answer=f"{answer}, sent" if sends else answer,
        command=_python("bench.product", answer, "sends" if sends else "keeps"),
        queue=InboxAndOutbox if sends else InboxQueue,
        ours=True,
    )


def plain_arq(
    answer: str, *, cached: bool, max_jobs: int = 50, poll_s: float = 0.001
) -> Contestant:
    """A job per message in Python. `cached`: reads the stock every five seconds, not each time."""
    return Contestant(
        name=f"plain arq, {_stock(cached)} stock",
        answer=answer,
        command=_python("bench.plain_arq", answer, _stock(cached), str(max_jobs), str(poll_s)),
        queue=ArqQueue,
    )


def plain_saq(answer: str, *, cached: bool, max_jobs: int = 50) -> Contestant:
    """The same with SAQ, whose workers wait at Redis and do not poll."""
    return Contestant(
        name=f"SAQ, {_stock(cached)} stock",
        answer=answer,
        command=_python("bench.plain_saq", answer, _stock(cached), str(max_jobs)),
        queue=SaqQueue,
    )


def bullmq(*, cached: bool, max_jobs: int = 50) -> Contestant:
    """A job per message in Node; its answer is the trivial one. `node_program.installed` first."""
    return Contestant(
        name=f"BullMQ, {_stock(cached)} stock",
        answer="trivial",
        command=node_program.command("worker.mjs", _stock(cached), str(max_jobs)),
        queue=BullQueue,
        tell=_databases,
    )


def limit(batch: int) -> Contestant:
    """Multi-row statements in a loop without a queue: no engine can be faster than its database."""
    return Contestant(
        name=f"limit, batches of {batch}",
        answer="trivial",
        command=_python("bench.limit", str(batch)),
        queue=NoQueue,
        tell=_shape,
    )


def _python(module: str, *args: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *args)


def _stock(cached: bool) -> str:
    return "cached" if cached else "fresh"


async def _databases(ground: Ground, _: Shape) -> bytes:
    """Where each dealer's messages belong, for a program that knows nothing of ours."""
    empresas = {}
    async with open_tenancy(ground.settings, grace_s=1) as tenancy:
        for empresa_id in ground.empresa_ids:
            target = (await tenancy.registry.tenant(empresa_id)).target
            channel = await tenancy.registry.channel(GATEWAY, channel_of(empresa_id))
            if channel is None:
                raise LookupError(f"empresa {empresa_id} has no channel")
            empresas[str(empresa_id)] = {
                "host": target.host,
                "port": target.port,
                "user": target.user,
                "password": target.password.get_secret_value(),
                "database": target.database,
                "channel": channel.id,
            }
    return orjson.dumps({"redis": ground.redis_url, "queue": BULLMQ, "empresas": empresas})


async def _shape(ground: Ground, shape: Shape) -> bytes:
    return orjson.dumps({"empresas": ground.empresa_ids, "shape": asdict(shape)})
