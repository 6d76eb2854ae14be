"""One dealer with a phone, a database and the jobs in this process: what most tests here need."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from arq.connections import ArqRedis
from pydantic import SecretStr

from bot.lucas import decide
from bot.settings import LucasSettings
from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Turn
from gateway.cloud_api.standin import CloudStandin
from gateway.settings import GatewaySettings
from schema.channels import Channel
from schema.events import Event, EventKind
from tenancy.channels import add_channel
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from worker.arq_queues import connect
from worker.drain.turns import Decide
from worker.jobs import Jobs, ProcessSettings, open_jobs
from worker.media.settings import MediaSettings, TranscribeSettings
from worker.queue.inbox import Inbox
from worker.queue.job import ArqJob
from worker.queue.keys import Task, TaskKeys, dead_letters, inbox
from worker.queue.lease import LeaseDesk
from worker.settings import WorkerSettings

AT_ONCE = LucasSettings(
    quiet_complete_s=0,
    quiet_fragment_s=0,
    quiet_greeting_s=0,
    stock_ttl_s=0,
    turns_per_min=0,
)
"""No quiet window, no pace, no cached stock: each drain answers what it has stored."""

BUYER = "5511980000001"

BY_THE_TEST = ArqJob(id="by-the-test", due_ms=0)

_NUMBERS = itertools.count(1)


def echo(turn: Turn, *, stock: Stock, dealer: Dealer, now: Any) -> Decision:
    """A Lucas who repeats what he was told: the test sees what reached him."""
    del stock, dealer, now
    told = " | ".join(message.text or f"[{message.kind}]" for message in turn.messages)
    return Decision(
        bubbles=(Bubble(text=f"eco: {told}"),),
        state={"turns": turn.state.get("turns", 0) + 1},
        status="em_andamento",
        rule="echo",
    )


def event(text: str | None = "oi", *, phone: str | None = BUYER, **changes: Any) -> Event:
    """A buyer's text, as an adapter makes it; each with an id of its own."""
    values: dict[str, Any] = {
        "kind": EventKind.TEXT,
        "message_id": f"wamid.T{next(_NUMBERS)}",
        "phone": phone,
        "channel": "loja-1",
        "text": text,
        "timestamp": int(time.time()),
        "from_me": False,
        "gateway": "cloud_api",
        "reply_to": phone,
    }
    return Event(**{**values, **changes})


@dataclass(slots=True)
class Shop:
    """A dealer, ready to sell. Two of them may share Redis and servers."""

    empresa_id: int
    installation: Installation
    tenancy: Tenancy
    redis: ArqRedis
    jobs: Jobs
    channel: Channel
    phone: CloudStandin
    settings: ProcessSettings
    files: Path
    """The folder of the media store."""
    inbox: Inbox = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.redis)

    async def push(self, *events: Event) -> None:
        """As the webhook does once it has parsed."""
        await self.inbox.push(self.empresa_id, events)

    async def drain(self) -> None:
        """The job, as arq would run it."""
        await self.jobs.drainer.drain(self.empresa_id, BY_THE_TEST)

    async def deliver(self) -> None:
        """The job, as arq would run it."""
        await self.jobs.deliverer.deliver(self.empresa_id, BY_THE_TEST)

    async def fetch(self) -> None:
        """The job, as arq would run it."""
        await self.jobs.media.fetch(self.empresa_id, BY_THE_TEST)

    async def handle(self, *events: Event) -> None:
        """The whole way: in, stored, answered, sent."""
        await self.push(*events)
        await self.drain()
        await self.deliver()

    async def rows(self, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        """From the dealer's database."""
        async with self.tenancy.pools.connection(self.empresa_id) as conn:
            return await conn.fetch_all(sql, params)

    async def execute(self, sql: str, params: Any = ()) -> None:
        """In the dealer's database."""
        async with self.tenancy.pools.connection(self.empresa_id) as conn:
            await conn.execute(sql, params)

    async def texts(self, tipo: str) -> list[str]:
        """`recebida` or `enviada`, in the order of their ids."""
        rows = await self.rows(
            "SELECT conteudo FROM mensagens WHERE tipo = %s AND COALESCE(status, '') <> 'cancelada'"
            " ORDER BY id",
            (tipo,),
        )
        return [text for (text,) in rows]

    async def waiting(self) -> int:
        """Entries on the inbox."""
        return int(await self.redis.xlen(inbox(self.empresa_id)))

    async def dead(self) -> list[dict[str, str]]:
        """The dead letters."""
        entries = await self.redis.xrange(dead_letters(self.empresa_id))
        return [
            {key.decode(): value.decode() for key, value in fields.items()} for _, fields in entries
        ]

    async def queued(self, task: Task = Task.DRAIN) -> list[tuple[str, float]]:
        """arq jobs of a task of this empresa, with the time they are for (ms)."""
        queue = TaskKeys(self.empresa_id, task).queue
        found = await self.redis.zrange(queue, 0, -1, withscores=True)
        jobs = [(job.decode(), score) for job, score in found]
        return [(job, score) for job, score in jobs if job.startswith(f"{task}:{self.empresa_id}:")]

    async def next_job_may_run(self, task: Task = Task.DRAIN) -> None:
        """Ends the wait that a failure put on a task, as the clock would."""
        await self.redis.delete(TaskKeys(self.empresa_id, task).lease)

    async def waits_are_over(self) -> None:
        """Ends the waits of replies, buyers, channel and gateway, as the clock would."""
        await self.execute("UPDATE mensagens SET tentar_em = NULL")
        keys = await self.redis.keys(f"helix:{{{self.empresa_id}}}:canal:*")
        for key in [*keys, *await self.redis.keys("helix:gateway:*")]:
            # Typed as if a synchronous client might have been given.
            redis: Any = self.redis
            ends = {b"hold", b"until", b"probe_at", b"pace:slot", b"pace:tail"}
            for name in ends & set(await redis.hkeys(key)):
                await redis.hset(key, name, 1)

    async def decisions(self) -> list[dict[str, Any]]:
        """Why, turn by turn."""
        rows = await self.rows(
            "SELECT decisao FROM mensagens WHERE decisao IS NOT NULL ORDER BY id"
        )
        return [orjson.loads(text) for (text,) in rows]

    def desk(self) -> LeaseDesk:
        """Where another worker would ask for a lease."""
        return LeaseDesk(self.redis, life_s=self.settings.worker.lease_s)


@asynccontextmanager
async def open_shop(
    installation: Installation,
    redis_url: str,
    number: int = 1,
    *,
    lucas: LucasSettings = AT_ONCE,
    decide_turn: Decide = echo,
    tenancy_changes: Mapping[str, object] | None = None,
    media: Mapping[str, object] | None = None,
    transcribe: TranscribeSettings | None = None,
    **worker: object,
) -> AsyncIterator[Shop]:
    """A dealer that is made for the length of the block."""
    empresa = await installation.create(number, nome=f"Loja {number}")
    folder = tempfile.TemporaryDirectory()
    settings = ProcessSettings(
        worker=WorkerSettings.model_validate({"redis_url": SecretStr(redis_url), **worker}),
        tenancy=installation.settings.model_copy(update=dict(tenancy_changes or {})),
        lucas=lucas,
        gateway=GatewaySettings(send_timeout_s=5),
        media=MediaSettings.model_validate({"store": folder.name, **(media or {})}),
        transcribe=transcribe or TranscribeSettings(url=None),
    )
    async with AsyncExitStack() as stack:
        stack.enter_context(folder)
        phone = await stack.enter_async_context(
            CloudStandin(access_token="token", app_secret="secret", channel=f"loja-{number}")
        )
        tenancy = await stack.enter_async_context(installation.tenancy())
        redis = await connect(settings.worker)
        stack.push_async_callback(redis.aclose)
        async with tenancy.central.transaction() as conn:
            channel = await add_channel(
                conn,
                tenancy.keyring,
                empresa_id=empresa.id,
                gateway="cloud_api",
                identifier=f"loja-{number}",
                credentials=phone.credentials(),
            )
        jobs = await stack.enter_async_context(open_jobs(settings, redis, decide_turn=decide_turn))
        yield Shop(
            empresa_id=empresa.id,
            installation=installation,
            tenancy=tenancy,
            redis=redis,
            jobs=jobs,
            channel=channel,
            phone=phone,
            settings=settings,
            files=Path(folder.name),
        )


@pytest.fixture
async def shop(installation: Installation, redis_url: str) -> AsyncIterator[Shop]:
    """A dealer whose Lucas answers at once with what he was told."""
    async with open_shop(installation, redis_url) as made:
        yield made


lucas = decide
"""The real one, for tests that want him."""
