"""What is wrong with an event costs it three tries, and is never lost on the way to the letters."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from redis.exceptions import ConnectionError as RedisAway

from bot.stock import Stock
from bot.values import Dealer, Decision, Turn
from tests.dead.acts import letters
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, echo, event, open_shop
from worker.dead.show import whole
from worker.queue.dead_letters import DeadLetters
from worker.queue.keys import Task

OTHER = "5511980000002"


async def refuse(installation: Installation, shop: Shop, condition: str) -> None:
    """The dealer's database refuses messages of which this is so."""
    ((name,),) = await shop.rows("SELECT DATABASE()")
    await installation.sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON mensagens FOR EACH ROW"
        f" IF {condition} THEN SIGNAL SQLSTATE '22001'"
        " SET MYSQL_ERRNO = 1406, MESSAGE_TEXT = 'Data too long'; END IF",
        database=name,
    )


def falls_over(turn: Turn, *, stock: Stock, dealer: Dealer, now: Any) -> Decision:
    """A Lucas with a bug."""
    if any(message.text == "bug" for message in turn.messages):
        raise ZeroDivisionError("of the test")
    return echo(turn, stock=stock, dealer=dealer, now=now)


async def test_9_an_event_is_tried_three_times_and_its_letter_tells_of_each(
    shop: Shop, installation: Installation
) -> None:
    """When and why, with growing pauses; `helix dead show` has them, the words only on demand."""
    await refuse(installation, shop, "NEW.conteudo = 'veneno'")

    await shop.handle(event("veneno"), event("oi", phone=OTHER))

    (letter,) = await shop.dead()
    tries = orjson.loads(letter["tries"])
    assert [one["error"] for one in tries] == [letter["error"]] * 3
    first, second, third = (one["at"] for one in tries)
    assert 0 < second - first < third - second
    assert orjson.loads(letter["event"])["text"] == "veneno"
    assert await shop.redis.ttl(f"helix:{{{shop.empresa_id}}}:dead") == -1
    (found,) = await letters(shop)
    assert len((await whole(found, shop.tenancy, personal=True))["tries"]) == 3  # type: ignore[arg-type]
    assert "error" not in str(await whole(found, shop.tenancy, personal=False))


async def test_3_an_event_that_goes_through_on_a_later_try_keeps_its_place(
    shop: Shop, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the same buyer wrote behind it waits; another buyer is stored meanwhile."""
    await refuse(installation, shop, "NEW.conteudo = 'primeira'")
    ((name,),) = await shop.rows("SELECT DATABASE()")
    stored: list[list[str]] = []

    async def mended(_pause_s: float) -> None:
        stored.append(await shop.texts("recebida"))
        await installation.sql("DROP TRIGGER refuse", database=name)

    monkeypatch.setattr(shop.jobs.drainer._rescue, "_pause", mended)
    await shop.push(event("primeira"), event("segunda"), event("oi", phone=OTHER))
    await shop.drain()

    assert stored[0] == ["oi"]
    assert await shop.texts("recebida") == ["oi", "primeira", "segunda"]
    assert await shop.dead() == []
    assert "eco: primeira | segunda" in await shop.texts("enviada")


async def test_9_no_row_says_failed_that_no_letter_tells_of(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis goes away in the moment of the letter: nothing is committed, and it is done anew."""
    async with open_shop(installation, redis_url, decide_turn=falls_over) as shop:
        with monkeypatch.context() as away:
            away.setattr(DeadLetters, "keep_turn", _no_redis)
            await shop.push(event("bug"))
            await shop.drain()
            assert await shop.rows("SELECT id FROM mensagens WHERE erro IS NOT NULL") == []

        await shop.next_job_may_run()
        await shop.drain()

        ((error,),) = await shop.rows("SELECT erro FROM mensagens")
        (letter,) = await shop.dead()
        assert letter["error"] == error


async def test_9_no_reply_fails_without_a_letter(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same on the way out: the row is `falhou` only together with its letter."""
    await shop.push(event("oi"))
    await shop.drain()
    await shop.execute("UPDATE mensagens SET endereco = NULL WHERE tipo = 'enviada'")
    with monkeypatch.context() as away:
        away.setattr(DeadLetters, "keep_reply", _no_redis)
        await shop.deliver()
        assert await shop.rows("SELECT id FROM mensagens WHERE status = 'falhou'") == []

    await shop.waits_are_over()
    await shop.next_job_may_run(Task.DELIVER)
    await shop.deliver()

    assert len(await shop.rows("SELECT id FROM mensagens WHERE status = 'falhou'")) == 1
    assert [letter["kind"] for letter in await shop.dead()] == ["reply"]


async def _no_redis(*_args: object, **_named: object) -> None:
    raise RedisAway("of the test")
