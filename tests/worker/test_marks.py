"""A buyer sees that he is read once Lucas has taken his message, and nothing waits for that."""

from __future__ import annotations

import asyncio

import pytest

from gateway.adapters import ADAPTERS
from schema.errors import SendLater
from schema.events import EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from worker.drain.marks import Mark, Marker


async def test_a_burst_is_marked_once_with_its_last_message(shop: Shop) -> None:
    """One call for a buyer: what comes before is read with it. He sees that we write."""
    await shop.push(event("oi"), event("tem onix?", message_id="wamid.last"))
    await shop.drain()

    (mark,) = await shop.phone.wait_for_marks(1)
    assert (mark["message_id"], mark["status"]) == ("wamid.last", "read")
    assert mark["typing_indicator"] == {"type": "text"}


async def test_where_a_person_answers_nothing_is_marked(shop: Shop) -> None:
    """The seller sees which chats nobody has read; only the next one, of Lucas, is marked."""
    await shop.handle(event("Oi, sou a Bia", kind=EventKind.HUMAN_ECHO, from_me=True))
    await shop.handle(event("oi Bia"))
    await shop.handle(event("oi", phone="5511980000002", message_id="wamid.other"))

    marks = await shop.phone.wait_for_marks(1)
    assert [mark["message_id"] for mark in marks] == ["wamid.other"]


async def test_a_refused_mark_holds_up_no_reply(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One log line, with the reason; the answer goes out."""

    async def refuse(*_: object, **__: object) -> None:
        raise SendLater("no marks today")

    monkeypatch.setattr(type(ADAPTERS["cloud_api"]), "mark_read", refuse)
    await shop.handle(event("oi"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: oi"]
    assert capsys.readouterr().out.count("no marks today") == 1


async def test_marks_that_are_refused_cost_one_line_for_some_of_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is asked for all the same: what is refused for one buyer says nothing of the others."""
    asked: list[str] = []

    async def refuse(*_: object, address: str, **__: object) -> None:
        asked.append(address)
        raise SendLater("no marks today")

    monkeypatch.setattr(type(ADAPTERS["cloud_api"]), "mark_read", refuse)
    await shop.push(*(event("oi", phone=f"551198000000{n}") for n in range(5)))
    await shop.drain()
    await asyncio.gather(*shop.jobs.drainer._marker._tasks)

    assert len(set(asked)) == 5
    assert capsys.readouterr().out.count("no marks today") == 1


async def test_who_does_not_answer_is_not_asked_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that hangs costs one time limit for a group, not one for each buyer."""
    asked: list[str] = []

    async def hang(*_: object, address: str, **__: object) -> None:
        asked.append(address)
        raise TimeoutError

    monkeypatch.setattr(type(ADAPTERS["cloud_api"]), "mark_read", hang)
    marker = shop.jobs.drainer._marker
    marks = [Mark(canal_id=shop.channel.id, address=str(n), message_ids=("m",)) for n in range(5)]
    marker.show(shop.empresa_id, marks)
    await asyncio.gather(*marker._tasks)

    assert asked == ["0"]
    assert marker._waiting == 0


async def test_it_can_be_switched_off(installation: Installation, redis_url: str) -> None:
    """WORKER_MARK_READ=false."""
    async with open_shop(installation, redis_url, mark_read=False) as shop:
        await shop.handle(event("oi"))
    assert shop.phone.outbox
    assert shop.phone.marks == []


async def test_marks_that_nobody_takes_do_not_pile_up(shop: Shop) -> None:
    """A gateway that is slower than buyers write: the oldest few hundred wait, the rest is left."""
    marker = Marker(
        registry=shop.tenancy.registry,
        session=None,  # type: ignore[arg-type]  # nothing is asked before this test ends
        adapters={},
        switched_on=True,
    )
    mark = Mark(canal_id=shop.channel.id, address="1", message_ids=("m",))
    marker.show(shop.empresa_id, [mark] * 1000)
    assert marker._waiting == 256
    assert len(marker._tasks) == 256 // 8
    await marker.close()
    assert not marker._tasks
