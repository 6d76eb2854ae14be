"""`helix message trace`: one id tells a message's way, whatever became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.settings import LucasSettings
from schema.events import DeliveryStatus, EventKind
from tests.cli.helix import Ran, helix
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event, lucas, open_shop
from worker.queue.dead_letters import DeadLetters
from worker.trace.elsewhere import Elsewhere, InboxTooLong

WORDS = "quero o Onix, meu telefone é 11987654321, e depois combino com a Marisa Andrade"


async def trace(shop: Shop, redis_url: str, *args: str, code: int = 0) -> Any:
    """What the command prints for programs."""
    ran = await ask(shop, redis_url, *args, "--json")
    assert ran.code == code, ran.err
    return ran.json


async def ask(shop: Shop, redis_url: str, *args: str) -> Ran:
    """The command."""
    env = {**shop.installation.environment(), "REDIS_URL": redis_url}
    return await helix("message", "trace", *args, env=env)


def what(way: Any) -> list[str]:
    """The steps by their names."""
    return [step["what"] for step in way["steps"]]


def detail(way: Any, name: str) -> str:
    """Of the first step of this name."""
    return str(next(step["detail"] for step in way["steps"] if step["what"] == name))


async def add_cars(shop: Shop) -> None:
    """One that fits and one that is too dear."""
    await shop.execute(
        "INSERT INTO cars (id, brand, model, year, year_model, price, status) VALUES"
        " (3, 'Chevrolet', 'Onix LT', 2020, 2021, 62000, 'available'),"
        " (4, 'Chevrolet', 'Onix Premier', 2023, 2023, 98000, 'available')"
    )


async def report(shop: Shop, message_id: str, status: DeliveryStatus, at: int) -> None:
    """As the gateway pushes it."""
    await shop.push(
        event(None, kind=EventKind.STATUS, message_id=message_id, status=status, from_me=True,
              timestamp=at)
    )  # fmt: skip
    await shop.drain()


async def test_11_one_id_leads_from_the_webhook_to_lida(
    installation: Installation, redis_url: str
) -> None:
    """By the gateway's id, by ours, and by the reply's: the same steps in the order of time."""
    at_once = LucasSettings(
        quiet_complete_s=0, quiet_fragment_s=0, quiet_greeting_s=0, stock_ttl_s=0
    )
    async with open_shop(installation, redis_url, lucas=at_once, decide_turn=lucas) as shop:
        await add_cars(shop)
        await shop.handle(event("tem onix até 70 mil?", message_id="wamid.ASKED"))
        sent = shop.phone.outbox[0]
        ((sent_at,),) = await shop.rows(
            "SELECT UNIX_TIMESTAMP(MAX(enviada_em)) FROM mensagens WHERE tipo = 'enviada'"
        )
        await report(shop, sent.id, DeliveryStatus.DELIVERED, int(sent_at) + 5)
        await report(shop, sent.id, DeliveryStatus.READ, int(sent_at) + 9)
        rows = await shop.rows("SELECT id, tipo FROM mensagens ORDER BY id")
        asked, reply = rows[0][0], rows[1][0]

        (by_gateway,) = (await trace(shop, redis_url, "wamid.ASKED"))["ways"]
        (by_ours,) = (await trace(shop, redis_url, f"{shop.empresa_id}:{asked}"))["ways"]
        (of_reply,) = (await trace(shop, redis_url, str(reply), "--empresa", str(shop.empresa_id)))[
            "ways"
        ]
        (of_sent,) = (await trace(shop, redis_url, sent.id))["ways"]
        people = await ask(shop, redis_url, "wamid.ASKED")

    assert by_gateway == by_ours
    assert of_reply == of_sent
    assert by_ours["steps"] == of_reply["steps"]
    assert (by_ours["direction"], of_reply["direction"]) == ("received", "sent")
    assert by_ours["stands"].startswith(f"answered: {reply} read")
    assert of_reply["stands"] == "reply: read"
    steps = what(by_ours)
    assert steps[:7] == [
        "taken by the webhook", "stored", "quiet window over", "understood", "considered",
        "fell out", "decided",
    ]  # fmt: skip
    assert steps[-2:] == ["delivered", "read"]
    assert {"reply written", "taken by the gateway"} < set(steps)
    times = [step["at"] for step in by_ours["steps"] if step["at"] is not None]
    assert times == sorted(times)
    assert detail(by_ours, "considered") == "Chevrolet Onix LT (id 3)"
    assert detail(by_ours, "fell out").endswith("1 by price_max")
    assert "search.found" in detail(by_ours, "decided")
    assert "Onix" in detail(by_ours, "understood") or "onix" in detail(by_ours, "understood")
    for step in steps:
        assert step in people.out


async def test_a_burst_that_withdrew_an_answer_shows_both_turns(shop: Shop, redis_url: str) -> None:
    """The reply that never left, why, and the one that did."""
    await shop.push(event("tem onix?", message_id="wamid.1"))
    await shop.drain()
    await shop.push(event("e argo?", message_id="wamid.2"))
    await shop.drain()
    await shop.deliver()

    (way,) = (await trace(shop, redis_url, "wamid.1"))["ways"]

    assert what(way).count("taken by the webhook") == 2
    assert what(way).count("decided") == 2
    assert what(way).count("withdrawn") == 1
    assert "the buyer wrote mensagens.id" in detail(way, "withdrawn")
    assert all(step["at"] for step in way["steps"])
    assert "messages answered at once: 2" in str(way["steps"])


@pytest.mark.parametrize("everywhere", [True, False])
async def test_11_what_was_not_answered_says_why(
    shop: Shop, redis_url: str, everywhere: bool
) -> None:
    """Ignored, on the inbox, dead, kept quiet, of a channel that nobody has, unreadable."""
    where = () if everywhere else ("--empresa", str(shop.empresa_id))
    dead_letters = DeadLetters(shop.redis)
    await shop.push(event(None, kind=EventKind.IGNORED, message_id="wamid.I", reason="a group"))
    await shop.push(event("oi", phone=None, reply_to=None, message_id="wamid.D"))
    await shop.push(event("Aqui é o João", kind=EventKind.HUMAN_ECHO, message_id="wamid.H"))
    await shop.drain()
    await shop.handle(event("oi João", message_id="wamid.Q"))
    await shop.push(event("espera", message_id="wamid.W"))
    lost = event("oi", channel="nobody", message_id="wamid.U")
    await dead_letters.keep_unknown_channel(
        "cloud_api", "nobody", lost.model_dump_json().encode(), canal_id=shop.channel.id
    )
    await dead_letters.keep_unreadable(shop.channel.id, b'{"id": "wamid.X"', error="no JSON")

    ids = ("I", "D", "Q", "W", "U", "X", "H")
    answers = await asyncio.gather(
        *(trace(shop, redis_url, f"wamid.{name}", *where) for name in ids)
    )
    ways = {name: answer["ways"][0] for name, answer in zip(ids, answers, strict=True)}

    assert ways["I"]["stands"] == "not stored: ignored"
    assert detail(ways["I"], "ignored").startswith("a group (kind ignored, cloud_api loja-1)")
    assert ways["D"]["stands"] == "not stored: dead letter"
    assert "names no buyer" in detail(ways["D"], "dead letter")
    assert "pausado por vendedor" in ways["Q"]["stands"]
    assert "pausado por vendedor" in detail(ways["Q"], "kept quiet")
    assert ways["W"]["stands"] == "not stored: on the inbox"
    assert ways["U"]["empresa"] is None
    assert "unknown-channel" in detail(ways["U"], "dead letter")
    assert "unreadable" in detail(ways["X"], "dead letter")
    assert ways["H"]["stands"] == "a seller's own message: nothing to answer"
    nothing = await ask(shop, redis_url, "wamid.NONE", *where)
    assert nothing.code == 1
    assert "no such message" in nothing.err


async def test_a_message_waits_for_its_turn(installation: Installation, redis_url: str) -> None:
    """Stored, its quiet window open: when the turn is due."""
    async with open_shop(installation, redis_url, lucas=LucasSettings()) as shop:
        await shop.push(event("oi", message_id="wamid.1"))
        await shop.drain()
        (way,) = (await trace(shop, redis_url, "wamid.1"))["ways"]

    assert way["stands"].startswith("waits for turn 1: due ")
    assert what(way) == ["taken by the webhook", "stored"]


async def test_a_dead_reply_and_an_unknown_result_are_told(shop: Shop, redis_url: str) -> None:
    """With the letter's id, which `helix dead` takes."""
    await shop.push(event("oi", message_id="wamid.1"))
    await shop.drain()
    ((reply,),) = await shop.rows("SELECT id FROM mensagens WHERE tipo = 'enviada'")
    await shop.execute(
        "UPDATE mensagens SET status = 'enviando', incertas = 1, tentativas = 1,"
        " erro = 'no answer' WHERE tipo = 'enviada'"
    )
    (unknown,) = (await trace(shop, redis_url, "wamid.1"))["ways"]
    await shop.execute("UPDATE mensagens SET status = 'falhou' WHERE tipo = 'enviada'")
    await DeadLetters(shop.redis).keep_reply(shop.empresa_id, reply, error="refused: no")

    (failed,) = (await trace(shop, redis_url, "wamid.1"))["ways"]

    assert "sends of unknown result: 1" in detail(unknown, "being sent")
    assert "no answer" in detail(failed, "failed")
    env = {**shop.installation.environment(), "REDIS_URL": redis_url}
    (letter,) = (await helix("dead", "list", "--each", "--json", env=env)).json
    assert detail(failed, "dead letter").startswith(f"{letter['id']}, reply: ")
    assert failed["stands"] == f"answered: {reply} failed"


async def test_personal_data_is_shown_only_when_asked_for_and_then_audited(
    shop: Shop, redis_url: str
) -> None:
    """Numbers masked, texts cut short, ids by their ends; --personal shows all and leaves a row."""
    named = f"false_{BUYER}@c.us_3EB0AAAABBBBCCCC"
    await shop.handle(event(WORDS, message_id=named))
    ((row,),) = await shop.rows("SELECT id FROM mensagens WHERE tipo = 'recebida'")
    env = {**shop.installation.environment(), "REDIS_URL": redis_url}

    quiet = [await ask(shop, redis_url, named), await ask(shop, redis_url, named, "--json")]
    before = await helix("dead", "audit", "--json", env=env)
    whole = await ask(shop, redis_url, named, "--personal", "--as", "ana")
    audit = await helix("dead", "audit", "--json", env=env)

    for ran in quiet:
        assert ran.code == 0, ran.err
        for secret in (BUYER, "11987654321", "Marisa"):
            assert secret not in ran.out + ran.err
        assert "quero o Onix" in ran.out
    assert before.json == []
    assert WORDS in whole.out
    assert named in whole.out
    (entry,) = audit.json
    assert (entry["action"], entry["filter"]) == (
        "show_personal", f"message {shop.empresa_id}:{row}",
    )  # fmt: skip
    assert entry["who"].startswith("ana (")
    assert entry["counts"] == {"shown": 1}


async def test_a_gateways_id_is_found_at_whatever_dealers_it_is_and_sick_ones_are_named(
    installation: Installation, redis_url: str
) -> None:
    """One id on two channels is two messages; a dealer who is away keeps nobody else's hidden."""
    async with (
        open_shop(installation, redis_url) as one,
        open_shop(installation, redis_url, 2) as two,
    ):
        await one.handle(event("oi", message_id="3EB0SAME"))
        await two.handle(event("olá", message_id="3EB0SAME", channel="loja-2"))
        both = await trace(one, redis_url, "3EB0SAME")
        alone = await trace(one, redis_url, "3EB0SAME", "--empresa", str(two.empresa_id))
        await two.push(event("de novo", message_id="3EB0WAITS", channel="loja-2"))
        await installation.central(
            "UPDATE empresas SET db_port = 1, versao = versao + 1 WHERE id = %s",
            (two.empresa_id,),
        )
        sick = await trace(one, redis_url, "3EB0SAME")
        waits = await trace(one, redis_url, "3EB0WAITS")
        none = await trace(one, redis_url, "3EB0NONE", code=3)
        unknown = await ask(one, redis_url, "3EB0NONE", "--empresa", "2147483000")

    assert empresas(both["ways"]) == [one.empresa_id, two.empresa_id]
    assert empresas(alone["ways"]) == [two.empresa_id]
    assert empresas(sick["ways"]) == [one.empresa_id]
    assert list(sick["not_asked"]) == [str(two.empresa_id)]
    assert waits["ways"][0]["stands"] == "not stored: on the inbox"
    assert none["ways"] == []
    assert unknown.code == 1


def empresas(ways: Sequence[Any]) -> list[int]:
    """Whose they are."""
    return [way["empresa"] for way in ways]


async def test_a_row_of_an_existing_installation_is_told_as_far_as_it_is_known(
    shop: Shop, redis_url: str
) -> None:
    """From before there were turns, statuses and times."""
    await shop.execute("INSERT INTO customers (id, phone) VALUES (1, '5511980000009')")
    await shop.execute("INSERT INTO conversations (id, customer_id) VALUES (1, 1)")
    await shop.execute(
        "INSERT INTO mensagens (id, conversation_id, customer_id, tipo, conteudo) VALUES"
        " (77, 1, 1, 'recebida', 'oi'), (78, 1, 1, 'enviada', 'olá')"
    )
    for number, stands in ((77, "stored, not to be answered (kind text)"), (78, "reply: ")):
        (way,) = (await trace(shop, redis_url, f"{shop.empresa_id}:{number}"))["ways"]
        assert way["stands"].startswith(stands)


async def test_without_redis_a_person_is_told_to_try_later(
    installation: Installation, unused_tcp_port: int
) -> None:
    """Exit code 3, no traceback."""
    await installation.create()
    env = {**installation.environment(), "REDIS_URL": f"redis://127.0.0.1:{unused_tcp_port}/0"}
    ran = await helix("message", "trace", "wamid.1", env=env)

    assert ran.code == 3
    assert "Traceback" not in ran.err


async def test_an_inbox_of_other_messages_names_none(redis: Redis, shop: Shop) -> None:
    """An id inside another's text is not its id."""
    await shop.push(event("wamid.HIDDEN", message_id="wamid.OTHER"))
    assert await Elsewhere(redis).of_empresa(shop.empresa_id, {"wamid.HIDDEN"}) == []
    assert len(await Elsewhere(redis).of_empresa(shop.empresa_id, {"wamid.OTHER"})) == 1


async def test_an_inbox_that_is_too_long_is_said_to_be(redis: Redis, shop: Shop) -> None:
    """It is not read for ever, nor taken for one that does not hold the message."""
    await shop.push(*(event(str(number)) for number in range(5)))

    assert await Elsewhere(redis, most_entries=5).of_empresa(shop.empresa_id, {"x"}) == []
    with pytest.raises(InboxTooLong):
        await Elsewhere(redis, most_entries=4).of_empresa(shop.empresa_id, {"x"})
