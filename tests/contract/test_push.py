"""The way in: `helix_push`, called by nothing but redis-py."""

from __future__ import annotations

import json
import re
from pathlib import Path
from secrets import token_hex

import pytest
from pydantic import RedisDsn
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from schema.events import EventKind
from tests.contract.conftest import CHANNEL, STREAM, Gateway, Settled
from tests.worker.shop import BY_THE_TEST
from worker.queue.functions import LIBRARY
from worker.queue.keys import dead_letters

_PAGE = (Path(__file__).parents[2] / "docs" / "redis-contract.md").read_text()
_GOOD = {"kind": "text", "gateway": "redis", "channel": CHANNEL, "message_id": "A1", "text": "oi"}


async def test_1_what_is_pushed_is_stored_and_answered(settled: Settled) -> None:
    """One call: the event is on the inbox, its stream id comes back, a worker is rung."""
    (stream_id,) = await settled.gateway.buyer_writes("tem onix?", "A1")

    assert re.fullmatch(rb"\d+-\d+", stream_id)
    assert len(await settled.shop.queued()) == 1
    await settled.shop.drain()
    assert await settled.shop.texts("recebida") == ["tem onix?"]
    assert await settled.shop.texts("enviada") == ["um: tem onix?", "dois: tem onix?"]


async def test_2_what_is_pushed_twice_is_stored_once(settled: Settled) -> None:
    """A gateway that got no answer repeats the call: the message id says that it is the same."""
    await settled.gateway.buyer_writes("oi", "A1")
    await settled.gateway.buyer_writes("oi", "A1")

    await settled.shop.drain()

    assert await settled.shop.texts("recebida") == ["oi"]


@pytest.mark.parametrize(
    ("code", "args"),
    [
        ("HELIX_COUNT", []),
        ("HELIX_COUNT", ["{}"] * 1001),
        ("HELIX_NOT_JSON", ["oi"]),
        ("HELIX_NOT_JSON", ['{"kind": "text"']),
        ("HELIX_NOT_JSON", ["[]"]),
        ("HELIX_NOT_JSON", ["null"]),
        ("HELIX_NOT_JSON", ["[" * 5000]),
        ("HELIX_INVALID", ["{}"]),
        ("HELIX_INVALID", [json.dumps({**_GOOD, "kind": "smell"})]),
        ("HELIX_INVALID", [json.dumps({**_GOOD, "kind": ["text"]})]),
        ("HELIX_INVALID", [json.dumps({**_GOOD, "channel": None})]),
        ("HELIX_INVALID", [json.dumps({**_GOOD, "gateway": ""})]),
        ("HELIX_INVALID", [json.dumps({**_GOOD, "phone": "+55 11 98000-0001"})]),
        ("HELIX_INVALID", [json.dumps({**_GOOD, "phone": 5511980000001})]),
        ("HELIX_TOO_LARGE", [json.dumps({**_GOOD, "text": "x" * 4_200_000})]),
    ],
)
async def test_a_push_that_cannot_be_used_says_why_and_stores_nothing(
    settled: Settled, code: str, args: list[str]
) -> None:
    """The first word names the mistake; the good events before it are not stored either."""
    good = [] if code == "HELIX_COUNT" else [json.dumps(_GOOD)]
    redis, inbox = settled.gateway.redis, settled.gateway.inbox
    with pytest.raises(ResponseError, match=f"^{code} "):
        await redis.execute_command(  # type: ignore[no-untyped-call]
            "FCALL", "helix_push", 1, inbox, *good, *args
        )

    assert not await redis.exists(inbox, "arq:queue", "helix:due:drain_inbox")


@pytest.mark.parametrize(
    "keys", [[], ["helix:7:inbox"], ["helix:{0}:inbox"], ["helix:{x}:inbox"], ["a", "b"]]
)
async def test_a_push_to_another_key_is_refused(settled: Settled, keys: list[str]) -> None:
    """It could be no dealer's inbox."""
    with pytest.raises(ResponseError, match=r"^HELIX_KEY "):
        await settled.gateway.redis.execute_command(  # type: ignore[no-untyped-call]
            "FCALL", "helix_push", len(keys), *keys, json.dumps(_GOOD)
        )


async def test_every_kind_of_event_can_be_pushed(settled: Settled) -> None:
    """The function knows the kinds that docs/reference/event.schema.json lists."""
    events = [{**_GOOD, "kind": kind.value, "message_id": kind.value} for kind in EventKind]

    assert len(await settled.gateway.push(*events)) == len(EventKind)


async def test_9_an_event_of_a_channel_that_is_not_the_dealers_is_a_dead_letter(
    settled: Settled,
) -> None:
    """Found out later, by the worker that knows the registry; kept whole, with words."""
    await settled.gateway.push({**_GOOD, "channel": "de-outro"})

    await settled.shop.drain()

    (letter,) = await settled.shop.dead()
    assert "de-outro" in letter["error"]
    assert json.loads(letter["event"])["text"] == "oi"
    assert await settled.shop.waiting() == 0


async def test_9_an_unknown_empresas_event_is_a_dead_letter(settled: Settled) -> None:
    """A gateway with a wrong number in its settings: kept whole, and no worker comes for ever."""
    nobody = Gateway(settled.gateway.redis, 2**31 - 1)
    await nobody.push(_GOOD)

    await settled.shop.jobs.drainer.drain(nobody.empresa, BY_THE_TEST)

    ((_, letter),) = await settled.gateway.redis.xrange(dead_letters(nobody.empresa))
    assert b"there is no empresa" in letter[b"error"]
    assert json.loads(letter[b"event"])["text"] == "oi"
    assert await settled.gateway.redis.xlen(nobody.inbox) == 0
    assert await settled.gateway.redis.zscore("helix:due:drain_inbox", nobody.empresa) is None


async def test_8_rules_without_the_channel_are_enough_to_push(
    settled: Settled, redis_url: str
) -> None:
    """A gateway's user made before there was a channel goes on; its events wait a moment longer."""
    found = re.search(r"^ACL SETUSER gateway-42 (.*)$", _PAGE, re.MULTILINE)
    assert found is not None
    rules = found[1].replace("{42}", f"{{{settled.shop.empresa_id}}}").replace("loja-7", CHANNEL)
    name, password = f"t{token_hex(6)}", token_hex(12)
    words = rules.replace("<password>", password).split()
    old = [word for word in words if word not in {"&helix:wake", "+publish"}]
    assert len(old) == len(words) - 2
    admin = settled.gateway.redis
    await admin.execute_command("ACL", "SETUSER", name, *old)  # type: ignore[no-untyped-call]
    try:
        async with _client(redis_url, name, password) as client:
            await Gateway(client, settled.shop.empresa_id).buyer_writes("oi", "A1")
    finally:
        await admin.acl_deluser(name)
    assert len(await settled.shop.queued()) == 1


async def test_8_the_pages_access_rules_are_enough_and_not_more(
    settled: Settled, redis_url: str
) -> None:
    """A gateway with them does its work at its own dealer and reads and writes at no other."""
    found = re.search(r"^ACL SETUSER gateway-42 (.*)$", _PAGE, re.MULTILINE)
    assert found is not None
    rules = found[1].replace("{42}", f"{{{settled.shop.empresa_id}}}").replace("loja-7", CHANNEL)
    name, password = f"t{token_hex(6)}", token_hex(12)
    admin = settled.gateway.redis
    words = rules.replace("<password>", password).split()
    await admin.execute_command("ACL", "SETUSER", name, *words)  # type: ignore[no-untyped-call]
    try:
        async with _client(redis_url, name, password) as client:
            gateway = Gateway(client, settled.shop.empresa_id)
            await gateway.start()
            await gateway.buyer_writes("oi", "A1")
            await settled.shop.drain()
            await settled.shop.deliver()
            (taken,) = await gateway.take()
            await gateway.report(taken["ref"], "sent", message_id="N1")
            await client.xautoclaim(STREAM, "gateway", "b", min_idle_time=20_000)

            for command in (
                ["GET", f"helix:{{{settled.shop.empresa_id + 1}}}:drain_inbox:lease"],
                ["XREADGROUP", "GROUP", "gateway", "a", "STREAMS", "helix:replies:outra", ">"],
                ["XRANGE", gateway.inbox, "-", "+"],
                ["FUNCTION", "DELETE", "helix"],
                ["FLUSHDB"],
            ):
                with pytest.raises((NoPermissionError, ResponseError), match="permission"):
                    await client.execute_command(*command)  # type: ignore[no-untyped-call]
            with pytest.raises(ResponseError, match=r"permission|ACL"):
                await Gateway(client, settled.shop.empresa_id + 1).push(_GOOD)
    finally:
        await admin.execute_command("ACL", "DELUSER", name)  # type: ignore[no-untyped-call]


def _client(redis_url: str, name: str, password: str) -> Redis:
    """The same server and database, as another user."""
    at = RedisDsn(redis_url)
    database = int((at.path or "/0").strip("/") or 0)
    return Redis(
        host=at.host or "", port=at.port or 6379, db=database, username=name, password=password
    )


def test_the_page_lists_every_error() -> None:
    """And no other: whoever writes a gateway finds what he may meet."""
    assert set(re.findall(r"HELIX_[A-Z_]+", LIBRARY)) == set(re.findall(r"HELIX_[A-Z_]+", _PAGE))


async def test_1_a_full_inbox_is_a_clear_answer_here_too(settled: Settled) -> None:
    """HELIX_FULL, nothing stored, and the same call goes through once there is room."""
    gateway, limits = settled.gateway, "helix:inbox_limits"
    await gateway.redis.hset(limits, mapping={"events": 2, "bytes": 100_000})  # type: ignore[misc]
    await gateway.buyer_writes("um", "A1")
    await gateway.buyer_writes("dois", "A2")

    with pytest.raises(ResponseError, match=r"^HELIX_FULL "):
        await gateway.buyer_writes("três", "A3")

    assert await settled.shop.waiting() == 2
    await settled.shop.drain()
    await gateway.buyer_writes("três", "A3")
    await settled.shop.drain()
    assert await settled.shop.texts("recebida") == ["um", "dois", "três"]
