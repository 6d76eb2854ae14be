"""The gate: limits and known troubles, one atomic step in Redis per question."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.traits import Traits
from schema.channels import Channel
from schema.errors import NotConfigured
from worker.deliver.gate import Admission, Cause, Change, Gate, Outcome, reopen, stopped
from worker.deliver.limits import Pace, limits_of, pace_of
from worker.queue.keys import channel_state

META = Traits(window=None, paced=False, tells=True)
PHONE = Traits(window=None, paced=True, tells=True)
BUYERS = [f"55119800{number:05}" for number in range(60)]


def channel(number: int = 1, *, apikey: str = "k", **limits: object) -> Channel:
    """A channel at a gateway that all of them share."""
    return Channel(
        id=number,
        empresa_id=7,
        gateway="evolution",
        identifier=f"loja {number}",
        webhook_token="w",
        credentials={"base_url": "http://gateway", "apikey": apikey},
        limits=limits,
    )


def pace(of: Channel, traits: Traits = META, *, reply_id: int = 1, length: int = 0) -> Pace:
    """For a reply of that many characters to a buyer who knows the number."""
    return pace_of(limits_of(of, traits), reply_id=reply_id, length=length, is_first=False)


@pytest.fixture
def gate(redis: Redis) -> Gate:
    """A worker's view; each test has a Redis of its own."""
    return Gate(redis, timeout_s=5)


async def ask(gate: Gate, of: Channel, buyer: str = BUYERS[0], **how: object) -> Admission:
    """One question for a text that was written long ago."""
    asked = how.get("pace", pace(of))
    assert isinstance(asked, Pace)
    return await gate.ask(of, buyer, asked, written_ms=0)


async def test_a_number_never_exceeds_its_limit_in_any_second(redis: Redis) -> None:
    """Six workers ask as fast as they can for many buyers: 20 a second for a coexistence number."""
    of = channel(per_second=20)
    admitted: list[int] = []
    ends = time.monotonic() + 2.5

    async def worker(number: int) -> None:
        gate = Gate(redis, timeout_s=5)
        turn = 0
        while time.monotonic() < ends:
            turn += 1
            found = await ask(gate, of, BUYERS[(turn * 6 + number) % len(BUYERS)])
            if found.cause is None:
                admitted.append(found.at_ms)

    await asyncio.gather(*(worker(number) for number in range(6)))

    admitted.sort()
    most = max(sum(start <= at < start + 1000 for at in admitted) for start in admitted)
    assert most <= 20
    assert len(admitted) >= 2.5 * 10  # and it is used


@given(st.floats(0.01, 1000))
def test_a_burst_and_the_pace_after_it_fit_into_one_second(per_second: float) -> None:
    """Whatever the limit: what may go at once and what follows within a second."""
    asked = pace(channel(per_second=per_second))
    assert asked.at_once >= 1
    assert asked.at_once - 1 + 1000 / asked.every_ms <= per_second + 1e-6


async def test_one_buyer_gets_a_burst_of_45_and_then_one_in_six_seconds(gate: Gate) -> None:
    """What is borrowed from the time after is paid back; other buyers do not wait for it."""
    of = channel(per_second=1000)
    found = [await ask(gate, of) for _ in range(46)]

    assert [admission.cause for admission in found[:45]] == [None] * 45
    assert found[45].cause is Cause.PAIR
    assert not found[45].holds_channel
    assert 5 < found[45].wait_s <= 6
    assert (await ask(gate, of, BUYERS[1])).cause is None


async def test_a_buyer_with_many_messages_does_not_use_up_the_number(gate: Gate) -> None:
    """Who waits has one slot, behind all that wait already: the greedy one comes round once."""
    of = channel(gap_s=(2, 2))
    slow = pace(of, PHONE)
    assert (await ask(gate, of, BUYERS[0], pace=slow)).cause is None
    waits = [await ask(gate, of, buyer, pace=slow) for buyer in BUYERS[:4] for _ in range(3)]

    slots = [round(admission.wait_s) for admission in waits]
    assert {admission.cause for admission in waits} == {Cause.PACE}
    assert slots == [2] * 3 + [4] * 3 + [6] * 3 + [8] * 3


async def test_a_slot_is_kept_for_the_one_who_has_it(gate: Gate, redis: Any) -> None:
    """A newcomer who asks when the slot has come gets one behind, though nobody has sent yet."""
    of = channel(gap_s=(2, 2))
    slow = pace(of, PHONE)
    for buyer in BUYERS[:3]:
        await ask(gate, of, buyer, pace=slow)
    key = channel_state(7, 1)
    now_ms = time.time() * 1000
    await redis.hset(key, "pace:tat", str(now_ms - 1))  # the first interval is over

    newcomer = await ask(gate, of, BUYERS[9], pace=slow)

    assert newcomer.cause is Cause.PACE
    assert newcomer.wait_s > 4


async def test_a_person_types_and_pauses(gate: Gate) -> None:
    """Typing by the length of the text, a gap per number; the same reply always waits the same."""
    of = channel()
    texts = [pace(of, PHONE, reply_id=reply, length=100) for reply in range(1, 50)]

    assert all(2000 <= one.typing_ms <= 3000 for one in texts)
    assert all(1000 <= one.every_ms <= 3000 for one in texts)
    assert len({one.typing_ms for one in texts}) > 40
    assert texts == [pace(of, PHONE, reply_id=reply, length=100) for reply in range(1, 50)]
    assert pace(of, PHONE, length=5000).typing_ms == 5000
    found = await gate.ask(of, BUYERS[0], texts[0], written_ms=int(time.time() * 1000))
    assert found.cause is Cause.TYPING
    assert 1.5 < found.wait_s <= 3


async def test_few_new_contacts_a_minute(gate: Gate) -> None:
    """The first answers beyond the limit have slots of their own; known buyers go on."""
    of = channel(new_contacts_per_min=3, gap_s=None, typing_per_s=None)
    limits = limits_of(of, PHONE)
    first = pace_of(limits, reply_id=1, length=1, is_first=True)
    found = [await ask(gate, of, buyer, pace=first) for buyer in BUYERS[:5]]

    assert [admission.cause for admission in found] == [None] * 3 + [Cause.NEW_CONTACT] * 2
    assert 19 < found[3].wait_s <= 20 < 39 < found[4].wait_s <= 40
    assert (await ask(gate, of, BUYERS[5], pace=pace(of, PHONE))).cause is None


async def test_a_busy_number_slows_down_as_a_whole_and_once(gate: Gate) -> None:
    """130429 for four sends that were under way together is one reason to slow down."""
    of = channel()
    under_way = [await ask(gate, of, buyer) for buyer in BUYERS[:4]]
    told = [
        await gate.tell(of, buyer, Outcome.BUSY, admitted=one)
        for buyer, one in zip(BUYERS, under_way, strict=False)
    ]

    assert [change for change, _ in told] == [Change.BUSY] + [Change.NONE] * 3
    held = await ask(gate, of, BUYERS[9])
    assert held.cause is Cause.BUSY
    assert held.holds_channel
    assert held.wait_s <= 1.2
    assert (await ask(gate, channel(2), BUYERS[9])).cause is None


async def test_the_gateways_own_wish_to_wait_is_kept(gate: Gate) -> None:
    """Retry-After is longer than our own first pause."""
    of = channel()
    one = await ask(gate, of)
    _, wait_s = await gate.tell(of, BUYERS[0], Outcome.BUSY, admitted=one, retry_after_s=90)

    assert 89 < wait_s <= 90
    assert 89 < (await ask(gate, of)).wait_s <= 90


async def test_131056_slows_its_pair_by_powers_of_four(gate: Gate, redis: Redis) -> None:
    """1, 4, 16, 64 s for this buyer alone, until something reaches him."""
    of = channel()
    waits = []
    for _ in range(4):
        one = await ask(gate, of)
        assert one.cause is None
        waits.append((await gate.tell(of, BUYERS[0], Outcome.PAIR, admitted=one))[1])
        assert (await ask(gate, of)).cause is Cause.PAIR
        assert (await ask(gate, of, BUYERS[1])).cause is None
        await pass_time(redis)
    one = await ask(gate, of)
    await gate.tell(of, BUYERS[0], Outcome.TAKEN, admitted=one)
    one = await ask(gate, of)
    waits.append((await gate.tell(of, BUYERS[0], Outcome.PAIR, admitted=one))[1])

    assert waits == [1, 4, 16, 64, 1]


async def test_a_stopped_channel_is_probed_at_growing_intervals(gate: Gate, redis: Redis) -> None:
    """One alarm; then one send at a time finds out, later and later; a success opens it."""
    of = channel()
    change, wait_s = await told(gate, of, Outcome.STOPPED)
    assert (change, await stopped(redis)) == (Change.STOPPED, 1)
    waits = [wait_s]
    for _ in range(3):
        assert (await ask(gate, of)).cause is Cause.STOPPED
        await pass_time(redis)
        change, wait_s = await told(gate, of, Outcome.STOPPED)
        assert change is Change.NONE
        waits.append(wait_s)

    assert all(0.8 * due <= got <= 1.2 * due + 1
               for due, got in zip((60, 120, 240, 480), waits, strict=True))  # fmt: skip
    await pass_time(redis)
    probe = await ask(gate, of)
    assert probe.cause is None
    assert (await ask(gate, of, BUYERS[1])).cause is Cause.STOPPED  # one probe at a time
    assert (await gate.tell(of, BUYERS[0], Outcome.TAKEN, admitted=probe))[0] is Change.RESUMED
    assert (await ask(gate, of, BUYERS[1])).cause is None
    assert await stopped(redis) == 0


async def test_new_credentials_open_a_stopped_channel(gate: Gate) -> None:
    """At once, before any probe; bad ones stop it again, with an alarm of their own."""
    await told(gate, channel(), Outcome.STOPPED)
    renewed = channel(apikey="new")

    assert (await ask(gate, channel())).cause is Cause.STOPPED
    change, _ = await told(gate, renewed, Outcome.STOPPED)
    assert change is Change.STOPPED
    assert (await ask(gate, renewed)).cause is Cause.STOPPED
    change, _ = await told(gate, channel(apikey="newer"), Outcome.TAKEN)
    assert change is Change.RESUMED


async def test_a_person_may_open_a_channel(gate: Gate, redis: Redis) -> None:
    """After he has tested it."""
    await told(gate, channel(), Outcome.STOPPED)
    await reopen(redis, channel())

    assert (await ask(gate, channel())).cause is None
    assert await stopped(redis) == 0


async def test_a_channel_that_hears_nothing_rests(gate: Gate, redis: Redis) -> None:
    """Two time-outs in a row; others at the same gateway go on; a probe that is heard ends it."""
    of = channel()
    await told(gate, of, Outcome.SILENT)
    change, _ = await told(gate, of, Outcome.SILENT)
    assert change is Change.RESTING
    assert (await ask(gate, of)).cause is Cause.SILENT
    assert (await ask(gate, channel(2))).cause is None
    await pass_time(redis)
    probe = await ask(gate, of)
    assert probe.cause is None
    assert (await ask(gate, of, BUYERS[1])).cause is Cause.SILENT
    await gate.tell(of, BUYERS[0], Outcome.ANSWERED, admitted=probe)
    assert (await ask(gate, of, BUYERS[1])).cause is None


async def test_a_gateway_that_hangs_is_left_alone_by_all_its_channels(
    gate: Gate, redis: Redis
) -> None:
    """Two channels heard nothing, so a third one does not find out for itself; nor longer than
    until somebody is answered."""
    await told(gate, channel(1), Outcome.SILENT)
    change, _ = await told(gate, channel(2), Outcome.SILENT)
    assert change is Change.GATEWAY
    held = await ask(gate, channel(3))
    assert (held.cause, held.holds_channel) == (Cause.GATEWAY, True)
    await pass_time(redis)
    probe = await ask(gate, channel(3))
    assert probe.cause is None
    assert (await ask(gate, channel(4))).cause is Cause.GATEWAY
    await gate.tell(channel(3), BUYERS[0], Outcome.TAKEN, admitted=probe)
    assert (await ask(gate, channel(4))).cause is None


async def test_no_number_and_no_secret_is_in_a_key(gate: Gate, redis: Any) -> None:
    """Keys and what they hold: digests and figures alone."""
    await told(gate, channel(apikey="very-secret"), Outcome.STOPPED)

    stored = b""
    for key in await redis.keys("*"):
        stored += key
        if await redis.type(key) == b"hash":
            stored += b"".join(await redis.hvals(key))
    assert b"very-secret" not in stored
    assert BUYERS[0].encode() not in stored


@pytest.mark.parametrize(
    "limits",
    [{"per_second": 0}, {"per_minute": 3}, {"gap_s": 3}, {"window_template": {"name": ""}}],
)
def test_limits_that_cannot_be_are_named(limits: dict[str, Any]) -> None:
    """A slip in `canais.limites` is an error that names the key, not a limit that is not kept."""
    with pytest.raises(NotConfigured, match=next(iter(limits))):
        limits_of(channel(**limits), META)


async def told(gate: Gate, of: Channel, outcome: Outcome) -> tuple[Change, float]:
    """One send that was let through, and its outcome."""
    admitted = await ask(gate, of)
    assert admitted.cause is None
    return await gate.tell(of, BUYERS[0], outcome, admitted=admitted)


async def pass_time(redis: Any) -> None:
    """Ends what waits, as the clock would."""
    for key in await redis.keys("helix:*"):
        if await redis.type(key) == b"hash":
            for field in {b"hold", b"until", b"probe_at"} & set(await redis.hkeys(key)):
                await redis.hset(key, field, 1)


def test_even_gaps_are_no_gaps() -> None:
    """Replies in a row do not get the same pause: people are not regular."""
    of = channel()
    gaps = [pace(of, PHONE, reply_id=reply).every_ms for reply in range(20)]
    assert all(first != second for first, second in pairwise(gaps))
