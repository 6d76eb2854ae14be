"""A person's data is found wherever it went, and gone from there once it is erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.lgpd.everywhere import all_files, as_text, everything, where
from tests.lgpd.roads import LID, MARKS, OLD_FORM, OTHER_LID, PHONE, leave_marks, lucas
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from worker.lgpd.erase import Eraser, Order, certificate_of
from worker.lgpd.export import export
from worker.log import mask_phones
from worker.media.store import open_store
from worker.queue.keys import held, inbox

NAMES = (PHONE, OLD_FORM, LID, OTHER_LID)
NEVER_STORED = {"other"}


@pytest.fixture
async def market(installation: Installation, redis_url: str) -> AsyncIterator[Shop]:
    """A shop whose Lucas fails where a test wants it."""
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        yield shop


def eraser_of(shop: Shop, **changes: Any) -> Eraser:
    """As the command line makes it."""
    return Eraser(shop.tenancy, shop.redis, open_store(shop.settings.media), shop.desk(), **changes)


def order_of(shop: Shop, **changes: Any) -> Order:
    """For the buyer of every road."""
    return Order(**{"empresa_id": shop.empresa_id, "phone": PHONE, "who": "teste", **changes})


async def test_what_is_erased_is_nowhere(market: Shop, tmp_path: Path) -> None:
    """Every road: exported in full, then in no database, no key, no file and no log line."""
    marks = [mark for name, mark in MARKS.items() if name not in NEVER_STORED]
    with capture_logs() as logs:
        await leave_marks(market)
        await market.handle(event(f"sou outro {MARKS['other']}", phone="5511987650002"))
        await market.push(event(MARKS["waiting"], phone=PHONE, reply_to=OLD_FORM))
        before = await everything(market)
        exported = await _export(market, tmp_path / "dados")
        done = await eraser_of(market).erase(order_of(market))
        after = await everything(market)
        await market.drain()
        later = await everything(market)

    assert {mark for _, mark in where(before, *marks, *NAMES)} == {*marks, *NAMES}
    assert {mark for _, mark in where({"export": exported}, *marks, *NAMES)} == {*marks, *NAMES}
    assert where(after, *marks, *NAMES) == set()
    assert where(later, *marks, *NAMES) == set()
    assert where(later, MARKS["other"]) != set()
    told = as_text([mask_phones(None, "", dict(entry)) for entry in logs])
    assert where({"logs": told.encode()}, *marks, *NAMES) == set()
    certificate = as_text([certificate_of(done)])
    assert where({"certificate": certificate.encode()}, *marks, *NAMES) == set()


async def _export(shop: Shop, place: Path) -> bytes:
    found = await eraser_of(shop).plan(order_of(shop))
    store = open_store(shop.settings.media)
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        await export(conn, store, found, place, dealer="Loja", now=datetime.now(UTC))
    assert MARKS["text"] in (place / "leia.html").read_text()
    return all_files(place)


async def test_the_inbox_is_counted_right_afterwards(market: Shop) -> None:
    """Single entries leave it; what others wait with stays, and its limit counts what is there."""
    other = event("fico", phone="5511987650002")
    await market.push(event("sai", phone=PHONE), other, event("sai", phone=PHONE))

    await eraser_of(market).erase(order_of(market))

    ((_, fields),) = await market.redis.xrange(inbox(market.empresa_id))
    count: Any = market.redis.hgetall(held(market.empresa_id))
    assert await count == {b"events": b"1", b"bytes": str(len(fields[b"event"])).encode()}
