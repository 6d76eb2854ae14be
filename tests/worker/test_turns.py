"""A turn that raises or keeps quiet, what it explains, and whose stock it sees."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from bot.dealer_rows import read_cars
from bot.stock import Stock
from bot.values import Bubble, Dealer, Decision, Fact, Turn
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, echo, event, open_shop
from worker.drain.shelf import Shelf
from worker.queue.keys import Task

OTHER_BUYER = "5531999990001"


async def test_9_a_turn_that_raises_stops_its_own_conversation_only(
    installation: Installation, redis_url: str
) -> None:
    """The others of the batch are answered; a person finds a dead letter and the row's error."""
    async with open_shop(installation, redis_url, decide_turn=fragile) as shop:
        await shop.handle(event("quebra"), event("tem onix?", phone=OTHER_BUYER))

        assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]
        (letter,) = await shop.dead()
        assert letter["kind"] == "turn"
        assert letter["error"] == "RuntimeError: a bug"
        ((conversation, error),) = await shop.rows(
            "SELECT conversation_id, erro FROM mensagens WHERE conteudo = 'quebra'"
        )
        assert letter["conversation_id"] == str(conversation)
        assert error == "RuntimeError: a bug"


async def test_9_a_turn_that_raised_is_not_tried_for_ever_and_the_talk_goes_on(
    installation: Installation, redis_url: str
) -> None:
    """One dead letter; the buyer's next message is a turn of its own."""
    async with open_shop(installation, redis_url, decide_turn=fragile) as shop:
        await shop.handle(event("quebra"))
        await shop.drain()
        assert len(await shop.dead()) == 1

        await shop.handle(event("tem argo?"))

        assert [sent.text for sent in shop.phone.outbox] == ["eco: tem argo?"]
        assert len(await shop.dead()) == 1


async def test_11_a_turn_without_a_reply_is_explained(
    installation: Installation, redis_url: str
) -> None:
    """Lucas chose to keep quiet: the buyer's row says by which rule."""
    async with open_shop(installation, redis_url, decide_turn=keep_quiet) as shop:
        await shop.handle(event("ok"))

        assert await shop.texts("enviada") == []
        (decision,) = await shop.decisions()
        assert decision["rule"] == "quiet.nothing_new"


async def test_11_what_was_understood_and_considered_is_stored(
    installation: Installation, redis_url: str
) -> None:
    """The why of an answer, as the decision gave it."""
    async with open_shop(installation, redis_url, decide_turn=keep_quiet) as shop:
        await shop.handle(event("ok"))

        (decision,) = await shop.decisions()
        assert decision["understood"] == {"intent": "thanks"}
        assert decision["considered"] == [7, 5]
        assert decision["handoff"] == "human"


async def test_8_a_shelf_keeps_dealers_apart(installation: Installation, redis_url: str) -> None:
    """Two dealers served by one process, with cars of the same id: each sees his own."""
    async with (
        open_shop(installation, redis_url, 1) as one,
        open_shop(installation, redis_url, 2) as two,
    ):
        shelf = Shelf(ttl_s=60, clock=lambda: 0.0)
        for shop, model in ((one, "Argo"), (two, "Onix")):
            await shop.execute(
                "INSERT INTO cars (id, brand, model, price) VALUES (1, 'X', %s, 60000)", (model,)
            )

        assert [await models(shelf, shop) for shop in (one, two, one)] == [
            ["Argo"],
            ["Onix"],
            ["Argo"],
        ]


async def test_10_a_stock_is_read_anew_when_its_time_is_over(shop: Shop) -> None:
    """Not before, which is what the shelf is for; never later, or sold cars would be offered."""
    now = 0.0
    shelf = Shelf(ttl_s=5, clock=lambda: now)
    await shop.execute("INSERT INTO cars (id, brand, model, price) VALUES (1, 'X', 'Argo', 60000)")
    assert await models(shelf, shop) == ["Argo"]
    await shop.execute("UPDATE cars SET status = 'sold'")

    now = 4.9
    assert await models(shelf, shop) == ["Argo"]
    now = 5.0
    assert await models(shelf, shop) == []


async def test_10_a_car_has_its_own_photos_in_the_dealers_order(shop: Shop) -> None:
    """The main one first, then by `ordem`; those of another car never."""
    await shop.execute(
        "INSERT INTO cars (id, brand, model, price) VALUES (1, 'X', 'Argo', 1), (2, 'X', 'Onix', 1)"
    )
    await shop.execute(
        "INSERT INTO car_images (car_id, url, ordem, is_principal) VALUES"
        " (1, 'c', 3, 0), (1, 'b', 2, 0), (1, 'a', 9, 1), (2, 'z', 1, 0)"
    )

    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        photos = {car.id: car.fotos for car in await read_cars(conn)}

    assert photos == {1: ("a", "b", "c"), 2: ("z",)}


async def test_10_a_quoted_bubble_names_its_car(installation: Installation, redis_url: str) -> None:
    """`esse` under one of our offers is the car that this offer stated."""
    async with open_shop(installation, redis_url, decide_turn=offer_or_name) as shop:
        await shop.execute(
            "INSERT INTO cars (id, brand, model, price) VALUES (11, 'X', 'A', 1), (12, 'X', 'B', 1)"
        )
        await shop.handle(event("o que tem?"))
        second = shop.phone.outbox[1]
        assert second.text == "carro 12"

        await shop.handle(event("esse", quoted_id=second.id))

        assert shop.phone.outbox[-1].text == "quoted 12"


async def test_1_what_waits_is_sent_although_the_ring_for_it_got_lost(shop: Shop) -> None:
    """A crash between the commit and the ring: any later drain rings for what is pending."""
    await shop.push(event("tem onix?"))
    await shop.drain()
    assert len(await shop.queued(Task.DELIVER)) == 1
    await shop.redis.delete("arq:queue:deliver", "helix:due:deliver_replies")

    await shop.drain()

    assert len(await shop.queued(Task.DELIVER)) == 1


async def models(shelf: Shelf, shop: Shop) -> list[str]:
    """Of the cars that Lucas would be given to offer."""
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        return [item.car.modelo for item in (await shelf.stock(conn)).offered]


def fragile(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """A Lucas with a bug that one text brings to light."""
    if any(message.text == "quebra" for message in turn.messages):
        raise RuntimeError("a bug")
    return echo(turn, stock=stock, dealer=dealer, now=now)


def keep_quiet(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """A turn that ends without a word."""
    del stock, dealer, now
    return Decision(
        bubbles=(),
        state=turn.state,
        status="em_andamento",
        rule="quiet.nothing_new",
        understood={"intent": "thanks"},
        considered=(7, 5),
        handoff="human",
    )


def offer_or_name(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """Two bubbles of a car each; whoever quotes one hears which it was."""
    del stock, dealer, now
    quoted = turn.messages[-1].quoted_car_id
    if turn.messages[-1].text == "esse":
        bubbles: tuple[Bubble, ...] = (Bubble(text=f"quoted {quoted}"),)
    else:
        bubbles = tuple(
            Bubble(text=f"carro {car}", facts=(Fact(car_id=car, preco=Decimal(1)),))
            for car in (11, 12)
        )
    return Decision(bubbles=bubbles, state={}, status="em_andamento", rule="offer")
