"""The parts of `make chaos`: the plan of faults and the proxy that cuts ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.chaos.plan import How, Whom, plan, targets
from dev.chaos.proxy import HOST, Proxy
from dev.chaos.sizes import FULL, QUICK, Shape

_LIMIT_S = 5.0
_AT_ONCE_S = 0.1
"""Longer than a way over loopback takes, when nothing holds it up."""


@given(
    seed=st.integers(0, 2**31),
    seconds=st.floats(1, 900),
    shape=st.sampled_from([FULL, QUICK]),
)
def test_a_plan_is_made_by_its_seed_and_ends_in_time(
    seed: int, seconds: float, shape: Shape
) -> None:
    """A run can be repeated; every target exists, and no fault is left when the run ends."""
    faults = plan(seed, seconds, shape)

    assert faults == plan(seed, seconds, shape)
    assert faults == sorted(faults, key=lambda fault: fault.at_s)
    for fault in faults:
        assert 0 <= fault.target < targets(fault.kind.whom, shape)
        assert fault.at_s + fault.lasts_s <= seconds


def test_a_full_run_strikes_all_there_is_in_all_ways() -> None:
    """And freezes workers on both sides of their lease."""
    faults = plan(7, 600, FULL)

    assert {fault.kind.whom for fault in faults} == set(Whom)
    assert {fault.kind.how for fault in faults} == set(How)
    freezes = [f.lasts_s for f in faults if f.kind == (Whom.WORKER, How.FREEZE)]
    assert min(freezes) < FULL.lease_s < max(freezes)


@asynccontextmanager
async def _through(
    proxy: Proxy,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Before a server that answers what it is told, and closes when it hears nothing more."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(repeat, HOST, 0)
    address = server.sockets[0].getsockname()[:2]
    async with server, Proxy(lambda: [(HOST, 1), address]) as made:
        yield made


async def test_it_passes_on_both_ways_to_the_first_that_accepts(proxy: Proxy) -> None:
    """Nobody is at the first address. What was said last arrives, though its speaker has ended."""
    async with asyncio.timeout(_LIMIT_S), _through(proxy) as (reader, writer):
        writer.write(b"oi")
        writer.write_eof()
        assert await reader.read() == b"oi"


async def test_a_hole_swallows_nothing(proxy: Proxy) -> None:
    """What was said meanwhile arrives when it is healed, also on a connection made meanwhile."""
    async with asyncio.timeout(_LIMIT_S), _through(proxy) as (reader, writer):
        writer.write(b"1")
        assert await reader.readexactly(1) == b"1"
        proxy.hole()
        writer.write(b"2")
        async with _through(proxy) as (other_reader, other_writer):
            other_writer.write(b"3")
            for held in (reader, other_reader):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(held.readexactly(1), _AT_ONCE_S)
            proxy.heal()
            assert await reader.readexactly(1) == b"2"
            assert await other_reader.readexactly(1) == b"3"


async def test_a_reset_breaks_what_is_and_what_comes_until_it_is_healed(proxy: Proxy) -> None:
    """As a firewall that answers."""
    async with asyncio.timeout(_LIMIT_S), _through(proxy) as (reader, writer):
        writer.write(b"1")
        assert await reader.readexactly(1) == b"1"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        async with _through(proxy) as (refused, _):
            with pytest.raises(ConnectionResetError):
                await refused.readexactly(1)
        proxy.heal()
        async with _through(proxy) as (again, told):
            told.write(b"2")
            assert await again.readexactly(1) == b"2"


async def test_a_delay_counts_each_way(proxy: Proxy) -> None:
    """So a statement takes two of them."""
    proxy.delay(0.05)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_LIMIT_S), _through(proxy) as (reader, writer):
        begun = loop.time()
        writer.write(b"1")
        assert await reader.readexactly(1) == b"1"
        assert loop.time() - begun >= 0.099  # the loop tells milliseconds


async def test_nobody_there_ends_the_connection(proxy: Proxy) -> None:
    """A server that was killed: its clients hear of it, they do not hang."""
    async with asyncio.timeout(_LIMIT_S), Proxy(list) as dead, _through(dead) as (reader, _):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
