"""A paused dealer: what comes is kept, nothing is done for him, and all is done afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import Empresas
from tenancy.faults import CentralFaults
from tenancy.target import Limits
from tests.cli.helix import helix
from tests.tenancy.installation import Installation
from tests.worker.shop import BY_THE_TEST, Shop, event
from tests.worker.test_processes import BUYERS, open_city
from worker.announce import ring_when_settled
from worker.queue.bell import Bell
from worker.queue.keys import Task
from worker.queue.lease import Lease
from worker.remind.writer import Reminded


@asynccontextmanager
async def empresas(shop: Shop) -> AsyncIterator[Empresas]:
    """The registry's rows, as the command line changes them."""
    settings = shop.installation.settings
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        yield Empresas(conn)


async def pause(shop: Shop) -> None:
    """And this process has heard of it."""
    async with empresas(shop) as rows:
        await rows.pause(shop.empresa_id, "mudança de servidor")


async def resume(shop: Shop) -> None:
    """And this process has heard of it, as the announcement would tell it."""
    async with empresas(shop) as rows:
        row = await rows.resume(shop.empresa_id)
    await ring_when_settled(Bell(shop.redis), _nobody)(shop.empresa_id, row.versao)


async def test_1_what_comes_for_a_paused_dealer_is_kept_and_answered_later(shop: Shop) -> None:
    """It stays on the inbox, untouched; the first job after the pause does it all."""
    await pause(shop)

    await shop.handle(event("tem onix?"), event("e argo?", phone="5511980000002"))

    assert await shop.waiting() == 2
    assert await shop.texts("recebida") == []
    assert await shop.dead() == []
    await resume(shop)
    assert [at for _, at in await shop.queued()] != []
    await shop.handle()
    assert sorted(await shop.texts("enviada")) == ["eco: e argo?", "eco: tem onix?"]
    assert len(shop.phone.outbox) == 2
    assert await shop.waiting() == 0


async def test_what_was_decided_before_the_pause_is_sent_after_it(shop: Shop) -> None:
    """Nothing goes out meanwhile, though it was ready."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    await pause(shop)

    await shop.deliver()

    assert shop.phone.outbox == []
    await resume(shop)
    await shop.deliver()
    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]


async def test_6_a_send_that_had_begun_is_recorded(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause comes while the gateway has the reply: it went out once, and its row says so."""
    sender = shop.jobs.deliverer._sender
    record = sender._rows.record

    async def paused_meanwhile(*args: object) -> None:
        await pause(shop)
        await record(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sender._rows, "record", paused_meanwhile)
    await shop.handle(event("tem onix?"))

    assert await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada'") == [("enviada",)]
    assert len(shop.phone.outbox) == 1


async def test_nobody_is_reminded_while_the_dealer_is_paused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job asks for no reminder; the first one afterwards does."""
    asked: list[int] = []

    async def run(lease: Lease, *, now: datetime) -> Reminded:
        del now
        asked.append(lease.empresa_id)
        return Reminded()

    monkeypatch.setattr(shop.jobs.reminder.writer, "run", run)
    await pause(shop)
    await shop.jobs.reminder.remind(shop.empresa_id, BY_THE_TEST)
    assert asked == []

    await resume(shop)
    await shop.jobs.reminder.remind(shop.empresa_id, BY_THE_TEST)

    assert asked == [shop.empresa_id]


async def test_a_paused_dealers_waits_are_no_failures(shop: Shop) -> None:
    """So that he is not left alone for longer once he is back; and who rings wakes nobody."""
    await pause(shop)
    await shop.push(event("oi"))
    await shop.drain()

    assert not await shop.redis.exists(f"helix:{{{shop.empresa_id}}}:drain_inbox:failures")
    before = await shop.queued()
    await shop.push(event("oi"))
    assert await shop.queued() == before
    assert not await Bell(shop.redis).ring(Task.DRAIN, shop.empresa_id)


async def test_1_pause_and_resume_on_real_processes(
    installation: Installation, redis_url: str
) -> None:
    """By the command line: 200 to the gateway meanwhile, over a worker's end, and no answer lost;
    the other dealer notices nothing."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    async with open_city(installation, redis_url) as city:
        worker = await city.stack.worker()
        one = str(city.one.empresa_id)
        paused = await helix("empresa", "pause", one, "--reason", "mudança", "--json", env=env)
        assert (paused.code, paused.json["status"]) == (0, "pausado"), paused.err

        for buyer in BUYERS[:3]:
            await city.one.phone.buyer_writes(buyer, "tem argo?")
        await city.two.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.two.phone.wait_for(1)
        assert await city.one.count("1 = 1") == 0
        worker.kill()
        await city.stack.worker()
        listed = await helix("empresa", "list", "--json", env=env)
        reasons = {row["id"]: (row["status"], row["pause_reason"]) for row in listed.json}
        assert reasons[city.one.empresa_id] == ("pausado", "mudança")

        resumed = await helix("empresa", "resume", one, "--json", env=env)

        assert (resumed.code, resumed.json["status"]) == (0, "ativo"), resumed.err
        assert resumed.json["events_on_the_inbox"] == 3
        await city.one.phone.wait_for(3)
        assert {push.status for push in city.one.phone.pushes} == {200}
        assert await city.one.count("tipo = 'recebida'") == 3


async def test_pausing_is_safe_to_repeat_and_outlives_a_repair(installation: Installation) -> None:
    """The newest reason stands; `create` again mends a dealer and does not resume him."""
    await installation.create()
    env, empresa = installation.environment(), str(installation.empresa_id())
    first = await helix("empresa", "pause", empresa, "--reason", "um", "--json", env=env)
    again = await helix("empresa", "pause", empresa, "--reason", "dois", "--json", env=env)
    assert again.json["paused_since_utc"] == first.json["paused_since_utc"]
    assert again.json["pause_reason"] == "dois"

    row = await installation.create()

    assert (row.status, row.pause_reason) == ("pausado", "dois")
    for _ in range(2):
        resumed = await helix("empresa", "resume", empresa, "--json", env=env)
        assert (resumed.code, resumed.json["status"]) == (0, "ativo"), resumed.err
        assert resumed.json["pause_reason"] is None


async def test_a_pause_needs_a_reason_and_a_dealer(installation: Installation) -> None:
    """Exit code 2 for words that are missing, 1 with what to do for a dealer who is not there."""
    await installation.create()
    env, empresa = installation.environment(), str(installation.empresa_id())
    assert (await helix("empresa", "pause", empresa, env=env)).code == 2
    assert (await helix("empresa", "pause", empresa, "--reason", " ", env=env)).code == 2
    unknown = await helix("empresa", "resume", "999", env=env)
    assert unknown.code == 1
    assert "helix empresa list" in unknown.err
    await installation.central("UPDATE empresas SET status = 'suspenso'")
    refused = await helix("empresa", "resume", empresa, env=env)
    assert refused.code == 1
    assert "suspenso" in refused.err


async def _nobody(_empresa_id: int, _versao: int) -> None:
    """Nobody waits for it."""
