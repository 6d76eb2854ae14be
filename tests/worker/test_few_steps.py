"""A lone message costs few steps: each is a round trip that its buyer waits for.

Who adds one on the way of every message shall know it, and say here why it is worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from tenancy import session, trips
from tenancy.driver import QuietCursor
from tenancy.trips import Result
from tests.worker.shop import Shop, event

_WARM = "5511980000001"


@pytest.fixture
async def steps(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the dealer's database and of Redis from here on; his stock is on the shelf,
    his channel was heard, his connection is open."""
    shop.jobs.shelf._ttl_s = 60
    await shop.push(event("oi", phone=_WARM))
    await shop.drain()
    asked: list[str] = []
    run, command = trips.results_of, cast("Any", Redis.execute_command)

    async def noted_trip(cursor: QuietCursor, trip: Sequence[str]) -> list[Result]:
        asked.append("; ".join(" ".join(sql.split()) for sql in trip))
        return await run(cursor, trip)

    async def noted_command(self: Any, *args: Any, **more: Any) -> Any:
        asked.append(f"redis {args[0]}")
        return await command(self, *args, **more)

    monkeypatch.setattr(session, "results_of", noted_trip)
    monkeypatch.setattr(Redis, "execute_command", noted_command)
    return asked


def _of_the_drain(steps: list[str]) -> tuple[list[str], list[str]]:
    """Calls of Redis; trips of the transaction (a test's registry is read each time)."""
    redis = [step for step in steps if step.startswith("redis ")]
    begins = next(place for place, step in enumerate(steps) if step.startswith("BEGIN; "))
    return redis, steps[begins : steps.index("COMMIT") + 1]


async def test_a_new_buyers_message_costs_few_steps(shop: Shop, steps: list[str]) -> None:
    """Nothing is asked of what his own transaction has just made: no second look at him, at his
    conversation, at his appointments; nobody looks whether others are due when nobody is."""
    await shop.push(event("oi", phone="5511980000002"))
    steps.clear()
    await shop.drain()

    redis, sql = _of_the_drain(steps)
    assert redis == ["redis EVALSHA", "redis EVALSHA"]  # takes the lease and reads; ends and rings
    assert len([step for step in sql if "customers cu" in step]) == 0
    assert not [step for step in sql if "FROM agendamentos" in step]
    assert len(sql) <= 7, sql
    assert await shop.redis.zscore("helix:due:deliver_replies", shop.empresa_id)


async def test_a_known_buyers_message_costs_few_steps(shop: Shop, steps: list[str]) -> None:
    """His conversation is read once, with what his history ends with."""
    await shop.deliver()
    await shop.push(event("e agora?", phone=_WARM))
    steps.clear()
    await shop.drain()

    redis, sql = _of_the_drain(steps)
    assert len(redis) == 2
    assert not [step for step in sql if "status_anotado" in step and step.startswith("UPDATE")]
    assert len(sql) <= 9, sql


async def test_a_replys_delivery_costs_few_steps(shop: Shop, steps: list[str]) -> None:
    """What is there and whether it still holds, the claim, the record; nobody looks once more for
    what has rung by itself."""
    await shop.deliver()  # what the warm-up left
    await shop.push(event("tem onix?", phone="5511980000004"))
    await shop.drain()
    steps.clear()
    await shop.deliver()

    redis = [step for step in steps if step.startswith("redis ")]
    sql = [step for step in steps if "mensage" in step]
    assert len(await shop.texts("enviada")) == 2
    assert redis == ["redis EVALSHA"] * 4  # the lease, the gate, what the gate hears, the end
    assert len(sql) == 4, sql


async def test_others_who_are_due_are_answered_with_it(shop: Shop, steps: list[str]) -> None:
    """The look that is left out where nobody else waits is taken where somebody does."""
    await shop.execute(
        "UPDATE conversations SET responder_em = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND,"
        " sem_resposta_desde = UTC_TIMESTAMP(3) - INTERVAL 2 SECOND"
    )
    before = len(await shop.texts("enviada"))
    await shop.push(event("oi", phone="5511980000003"))
    steps.clear()
    await shop.drain()

    assert steps.count("COMMIT") == 1
    assert len(await shop.texts("enviada")) == before + 2
