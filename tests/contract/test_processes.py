"""The contract on real processes: `helix worker`, a gateway beside it, a kill in the middle."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis

from dev.stack import running_stack
from tenancy.channels import add_channel
from tests.contract.conftest import CHANNEL, GROUP, STREAM, Gateway
from tests.tenancy.installation import Installation
from tests.worker.test_processes import AT_ONCE

BUYERS = [f"55119800{number:05}" for number in range(12)]


@dataclass(slots=True)
class Consumer:
    """Takes replies, remembers them as sent, reports them: what the page asks for."""

    gateway: Gateway
    sent: list[tuple[str, str]] = field(default_factory=list)
    """(ref, address), in the order of sending."""

    async def serve(self) -> None:
        """For ever."""
        while True:
            found = await self.gateway.redis.xreadgroup(
                GROUP, "a", {STREAM: ">"}, count=5, block=1000
            )
            for _, fields in found[0][1] if found else []:
                reply = json.loads(fields[b"reply"])
                self.sent.append((reply["our_ref"], reply["to"]))
                await self.gateway.report(reply["our_ref"], "sent", message_id=f"N{len(self.sent)}")


@asynccontextmanager
async def _serving(gateway: Gateway) -> AsyncIterator[Consumer]:
    await gateway.start()
    consumer = Consumer(gateway)
    task = asyncio.create_task(consumer.serve())
    try:
        yield consumer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_1_2_3_6_a_killed_worker_loses_doubles_and_reorders_nothing(
    installation: Installation, redis_url: str, redis: Redis
) -> None:
    """Pushed before a worker is there, killed in the middle: each reply once, in order."""
    empresa = await installation.create()
    settings = {**installation.environment(), "REDIS_URL": redis_url, **AT_ONCE}
    settings |= {"WORKER_LEASE_S": "2"}
    async with (
        installation.tenancy() as tenancy,
        running_stack(settings) as stack,
        _serving(Gateway(redis, empresa.id)) as consumer,
    ):
        async with tenancy.central.transaction() as conn:
            await add_channel(conn, tenancy.keyring, empresa_id=empresa.id, gateway="redis",
                              identifier=CHANNEL, credentials=None)  # fmt: skip
        worker = await stack.worker()
        for number in range(5):
            await consumer.gateway.push(*(_event(buyer, number) for buyer in BUYERS))
            if number == 2:
                worker.kill()
                worker = await stack.worker()

        async def all_sent() -> bool:
            async with tenancy.pools.connection(empresa.id) as conn:
                rows = await conn.fetch_all(
                    "SELECT (SELECT COUNT(*) FROM mensagens WHERE tipo = 'recebida'),"
                    " (SELECT COUNT(*) FROM conversations WHERE responder_em IS NOT NULL),"
                    " (SELECT COUNT(*) FROM mensagens WHERE status IN ('pendente', 'enviando'))"
                )
            return rows == [(5 * len(BUYERS), 0, 0)] and await redis.xlen(STREAM) == 0

        await stack.until(all_sent, timeout_s=60)

        async with tenancy.pools.connection(empresa.id) as conn:
            rows = await conn.fetch_all(
                "SELECT id, external_id FROM mensagens WHERE autor = 'lucas'"
                " AND status = 'enviada' ORDER BY id"
            )
        assert set(Counter(consumer.sent).values()) == {1}
        assert {ref for ref, _ in consumer.sent} == {f"{empresa.id}:{row}" for row, _ in rows}
        assert all(external_id for _, external_id in rows)
        for buyer in BUYERS:
            refs = [int(ref.partition(":")[2]) for ref, to in consumer.sent if to == buyer]
            assert refs == sorted(refs) != []


def _event(buyer: str, number: int) -> dict[str, object]:
    return {"kind": "text", "gateway": "redis", "channel": CHANNEL, "phone": buyer,
            "reply_to": buyer, "message_id": f"{buyer}-{number}",
            "text": f"tem argo até {60 + number} mil?"}  # fmt: skip
