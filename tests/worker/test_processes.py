"""The promises on real processes: `helix web`, `helix worker`, and real kills."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Container, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from dev.stack import Process, Stack, running_stack
from gateway.cloud_api.standin import CloudStandin
from gateway.standin.base import Standin
from gateway.standin.every import STANDINS, stand_in
from tenancy.channels import add_channel
from tenancy.start import Tenancy
from tests.tenancy.installation import Installation
from tests.worker.phones import UNPACED

BUYERS = [f"55119800{number:05}" for number in range(25)]
AT_ONCE = {
    "LUCAS_QUIET_COMPLETE_S": "0",
    "LUCAS_QUIET_FRAGMENT_S": "0",
    "LUCAS_QUIET_GREETING_S": "0",
    "LUCAS_TURNS_PER_MIN": "0",
}


@dataclass(slots=True)
class Dealer:
    """An empresa with a phone whose webhook leads to the real web process."""

    empresa_id: int
    phone: Standin
    tenancy: Tenancy

    async def count(self, where: str) -> int:
        """Rows of `mensagens`."""
        async with self.tenancy.pools.connection(self.empresa_id) as conn:
            row = await conn.fetch_one(f"SELECT COUNT(*) FROM mensagens WHERE {where}")  # noqa: S608
        return int(row[0]) if row else 0

    async def received(self) -> dict[str, list[str]]:
        """What each buyer wrote, as it is stored, in the order of the ids."""
        async with self.tenancy.pools.connection(self.empresa_id) as conn:
            rows = await conn.fetch_all(
                "SELECT c.phone, m.conteudo FROM mensagens m JOIN customers c"
                " ON c.id = m.customer_id WHERE m.tipo = 'recebida' ORDER BY m.id"
            )
        found: dict[str, list[str]] = {}
        for phone, text in rows:
            found.setdefault(phone, []).append(text)
        return found

    async def sent_turns(self) -> list[tuple[int, int, int]]:
        """(conversation, turn, decisions that were not withdrawn) of each turn of Lucas."""
        async with self.tenancy.pools.connection(self.empresa_id) as conn:
            rows = await conn.fetch_all(
                "SELECT conversation_id, turno, COUNT(decisao) FROM mensagens"
                " WHERE tipo = 'enviada' AND status <> 'cancelada'"
                " GROUP BY conversation_id, turno"
            )
        return [(conversation, turn, decisions) for conversation, turn, decisions in rows]

    async def unanswered(self) -> int:
        """Messages whose turn has no answer that went out."""
        async with self.tenancy.pools.connection(self.empresa_id) as conn:
            row = await conn.fetch_one(
                "SELECT COUNT(*) FROM mensagens m WHERE m.tipo = 'recebida' AND NOT EXISTS ("
                "SELECT 1 FROM mensagens r WHERE r.conversation_id = m.conversation_id"
                " AND r.turno = m.turno AND r.tipo = 'enviada'"
                " AND r.status IN ('enviada', 'entregue', 'lida'))"
            )
        return int(row[0]) if row else 0


@dataclass(slots=True)
class City:
    """Two dealers and the processes that serve them."""

    stack: Stack
    one: Dealer
    two: Dealer
    web: Process

    @property
    def dealers(self) -> tuple[Dealer, Dealer]:
        """Both."""
        return self.one, self.two

    async def stored(self) -> int:
        """Buyers' messages in both databases."""
        return sum([await dealer.count("tipo = 'recebida'") for dealer in self.dealers])


@asynccontextmanager
async def open_city(
    installation: Installation,
    redis_url: str,
    *,
    adopted: Container[int] = (),
    changes: Mapping[str, str] | None = None,
    gateways: tuple[str, str] = ("cloud_api", "evolution"),
    paced: Mapping[str, object] = UNPACED,
) -> AsyncIterator[City]:
    """Two dealers, each at a gateway of his own; a web process, no worker yet.

    `adopted`: the numbers of dealers that exist already; `changes`: settings of the processes;
    `paced`: the limits of the second channel.
    """
    settings = {
        **installation.environment(),
        "REDIS_URL": redis_url,
        **AT_ONCE,
        **(changes or {}),
    }
    async with AsyncExitStack() as stack:
        tenancy = await stack.enter_async_context(installation.tenancy())
        phones = [
            stand_in(kind, dict.fromkeys(STANDINS[kind].needs + STANDINS[kind].proofs, "s"),
                     channel=channel)
            for kind, channel in zip(gateways, ("123", "loja dois"), strict=True)
        ]  # fmt: skip
        processes = await stack.enter_async_context(running_stack(settings))
        web, base = await processes.web()
        dealers = []
        for number, phone in enumerate(phones, start=1):
            await stack.enter_async_context(phone)
            empresa_id = installation.empresa_id(number)
            if number not in adopted:
                await installation.create(number, nome=f"Loja {number}")
            async with tenancy.central.transaction() as conn:
                channel = await add_channel(
                    conn,
                    tenancy.keyring,
                    empresa_id=empresa_id,
                    gateway=phone.kind,
                    identifier=phone.channel,
                    credentials=phone.credentials(),
                    limits=None if number == 1 else paced,
                )
            phone.webhook_url = f"{base}/webhook/{phone.kind}/{channel.webhook_token}"
            async with tenancy.pools.connection(empresa_id) as conn:
                await conn.execute(
                    "INSERT INTO cars (brand, model, year, year_model, price, status) VALUES"
                    " ('Fiat', 'Argo Drive', 2021, 2022, 69900, 'available')"
                )
            dealers.append(Dealer(empresa_id, phone, tenancy))
        yield City(processes, dealers[0], dealers[1], web)


@pytest.mark.parametrize("gateways", [("cloud_api", "evolution"), ("waha", "cloud_api")])
async def test_the_whole_way_on_every_gateway(
    installation: Installation, redis_url: str, gateways: tuple[str, str]
) -> None:
    """Webhook, Redis, worker, the dealer's database, Lucas, gateway: the buyer has an answer."""
    async with open_city(installation, redis_url, gateways=gateways) as city:
        await city.stack.worker()
        for dealer in city.dealers:
            await dealer.phone.buyer_writes(BUYERS[0], "oi, tem argo?")

            (answer,) = await dealer.phone.wait_for(1)

            assert "R$ 69.900" in (answer.text or "")
            assert answer.to.partition("@")[0] == BUYERS[0]

        async def delivered() -> bool:
            counts = [
                await dealer.count("status IN ('entregue', 'lida')") for dealer in city.dealers
            ]
            return counts == [1, 1]

        await city.stack.until(delivered)


async def test_1_2_3_6_a_worker_killed_twice_loses_and_doubles_nothing(
    installation: Installation, redis_url: str
) -> None:
    """500 messages for 2 dealers, SIGKILL twice: 500 rows, in order, each turn answered once."""
    texts = [f"tem argo até {number} mil?" for number in range(60, 70)]
    async with open_city(
        installation, redis_url, changes={"WORKER_LEASE_S": "2", "WORKER_BATCH": "32"}
    ) as city:
        worker = await city.stack.worker()
        sent = 0
        for text in texts:
            for dealer in city.dealers:
                for buyer in BUYERS:
                    await dealer.phone.buyer_writes(buyer, text)
                    sent += 1
                    if sent in {170, 340}:
                        worker.kill()
                        worker = await city.stack.worker()

        async def all_answered() -> bool:
            return await city.stored() == sent and not sum(
                [await dealer.unanswered() for dealer in city.dealers]
            )

        await city.stack.until(all_answered, timeout_s=60)

        assert sent == 500
        for dealer in city.dealers:
            assert await dealer.received() == dict.fromkeys(BUYERS, texts)
            turns = await dealer.sent_turns()
            assert {decisions for _, _, decisions in turns} == {1}
            assert await in_order(dealer)
            # The documented window: what a kill cut between sending and recording goes out again.
            assert await doubled(dealer) <= 2 * 4


async def test_1_a_killed_workers_dealer_is_taken_up_within_15_s(
    installation: Installation, redis_url: str
) -> None:
    """The one that is killed holds the lease in the middle of its work; another goes on."""
    async with open_city(installation, redis_url) as city:
        holder = await city.stack.worker()
        city.one.phone.statuses = ()
        city.one.phone.answer_delay_s = 3600  # whoever sends now hangs in the middle
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)
        await city.stack.worker()
        city.one.phone.answer_delay_s = 0

        holder.kill()

        async def sent() -> bool:
            return await city.one.count("status IN ('enviada', 'entregue')") == 1

        await city.stack.until(sent, timeout_s=15)
        assert len(city.one.phone.outbox) == 2  # the documented window: the phone had it already


async def test_a_worker_that_is_told_to_stop_finishes_and_hands_over(
    installation: Installation, redis_url: str
) -> None:
    """SIGTERM: it ends by itself with code 0, no lease is left, nothing is lost."""
    async with open_city(installation, redis_url) as city:
        worker = await city.stack.worker()
        for buyer in BUYERS:
            await city.one.phone.buyer_writes(buyer, "tem argo?")

        code = await worker.stop()
        assert code == 0

        await city.stack.worker()

        async def all_answered() -> bool:
            stored = await city.one.count("tipo = 'recebida'")
            return stored == len(BUYERS) and not await city.one.unanswered()

        await city.stack.until(all_answered, timeout_s=10)
        assert await doubled(city.one) == 0


async def test_7_a_stopped_worker_that_wakes_up_writes_nothing_twice(
    installation: Installation, redis_url: str
) -> None:
    """SIGSTOP past the lease, then CONT: another one has gone on, the sleeper finds its fence."""
    async with open_city(installation, redis_url, changes={"WORKER_LEASE_S": "1"}) as city:
        sleeper = await city.stack.worker()
        os.kill(sleeper.pid, signal.SIGSTOP)
        for buyer in BUYERS:
            await city.one.phone.buyer_writes(buyer, "tem argo?")
        await city.stack.worker()

        async def all_answered() -> bool:
            stored = await city.one.count("tipo = 'recebida'")
            return stored == len(BUYERS) and not await city.one.unanswered()

        await city.stack.until(all_answered)
        os.kill(sleeper.pid, signal.SIGCONT)
        for buyer in BUYERS:
            await city.one.phone.buyer_writes(buyer, "e até 70 mil?")

        async def all_answered_again() -> bool:
            stored = await city.one.count("tipo = 'recebida'")
            return stored == 2 * len(BUYERS) and not await city.one.unanswered()

        await city.stack.until(all_answered_again)
        assert await doubled(city.one) == 0


@pytest.mark.parametrize("secret", ["DB_PASSWORD", "TENANCY_KEYS", "REDIS_URL"])
async def test_no_secret_is_logged(installation: Installation, redis_url: str, secret: str) -> None:
    """Not by a process that works, nor by one that cannot."""
    async with open_city(installation, redis_url) as city:
        await city.stack.worker()
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)
        await city.stack.stop()

        value = {**installation.environment(), "REDIS_URL": redis_url}[secret]
        log = "\n".join(str(line) for process in city.stack.processes for line in process.lines)
        assert value not in log
        assert BUYERS[0] not in log


async def doubled(dealer: Dealer) -> int:
    """Replies that the phone got more than once, told by their row and text."""
    if isinstance(dealer.phone, CloudStandin):
        seen = Counter(sent.our_ref for sent in dealer.phone.outbox)
        return sum(times - 1 for times in seen.values())
    rows = await dealer.count("tipo = 'enviada' AND status IN ('enviada', 'entregue', 'lida')")
    return len(dealer.phone.outbox) - rows


async def in_order(dealer: Dealer) -> bool:
    """Whether each buyer's phone got the replies in the order of their rows."""
    async with dealer.tenancy.pools.connection(dealer.empresa_id) as conn:
        rows = await conn.fetch_all(
            "SELECT c.phone, m.external_id FROM mensagens m JOIN customers c"
            " ON c.id = m.customer_id WHERE m.tipo = 'enviada' AND m.external_id IS NOT NULL"
            " ORDER BY m.id"
        )
    place = {sent.id: number for number, sent in enumerate(dealer.phone.outbox)}
    last: dict[str, int] = {}
    for phone, external_id in rows:
        if place[external_id] < last.get(phone, -1):
            return False
        last[phone] = place[external_id]
    return True
