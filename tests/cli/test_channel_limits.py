"""`helix channel`: limits of a number, and letting one send again."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.traits import Traits
from tests.cli.helix import helix
from tests.tenancy.installation import Installation
from worker.deliver.gate import Cause, Gate, Outcome, stopped
from worker.deliver.limits import limits_of, pace_of
from worker.queue.keys import DELIVERY_QUEUE

TRAITS = Traits(window=None, paced=False, tells=True)


async def test_limits_are_checked_and_kept(installation: Installation) -> None:
    """What is not given stays a default; a slip is named; other changes leave them alone."""
    env = installation.environment()
    await installation.create(1)
    number = ("channel", "add", "--empresa", str(installation.empresa_id(1)), "--gateway",
              "cloud_api", "--identifier", "1065", "--json")  # fmt: skip

    slip = await helix(*number, "--limits", '{"per_secnd": 20}', env=env)
    added = await helix(*number, "--limits", '{"per_second": 20}', env=env)
    again = await helix(*number, env=env)

    assert slip.code != 0
    assert "per_secnd" in slip.err
    assert (added.code, again.code) == (0, 0), added.err + again.err
    async with installation.tenancy() as tenancy:
        channel = await tenancy.registry.channel("cloud_api", "1065")
    assert channel is not None
    assert channel.limits == {"per_second": 20.0}
    assert limits_of(channel, TRAITS).pair_every_s == 6


async def test_a_person_lets_a_stopped_number_send_again(
    installation: Installation, redis: Redis, redis_url: str
) -> None:
    """At once, and its dealer's delivery is rung."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    await installation.create(1)
    empresa = str(installation.empresa_id(1))
    added = await helix("channel", "add", "--empresa", empresa, "--gateway", "cloud_api",
                        "--identifier", "1065", "--json", env=env)  # fmt: skip
    async with installation.tenancy() as tenancy:
        channel = await tenancy.registry.channel("cloud_api", "1065")
    assert channel is not None
    gate = Gate(redis, timeout_s=5)
    pace = pace_of(limits_of(channel, TRAITS), reply_id=1, length=1, is_first=False)
    admitted = await gate.ask(channel, "5511980000001", pace, written_ms=0)
    await gate.tell(channel, "5511980000001", Outcome.STOPPED, admitted=admitted)
    assert (await gate.ask(channel, "5511980000001", pace, written_ms=0)).cause is Cause.STOPPED
    await redis.delete(DELIVERY_QUEUE)

    resumed = await helix(
        "channel", "resume", "--empresa", empresa, "--channel", str(added.json["id"]), env=env
    )

    assert resumed.code == 0, resumed.err
    assert await stopped(redis) == 0
    assert (await gate.ask(channel, "5511980000001", pace, written_ms=0)).cause is None
    assert await redis.zcard(DELIVERY_QUEUE) == 1
    other = await helix("channel", "resume", "--empresa", empresa, "--channel", "999999", env=env)
    assert other.code != 0
