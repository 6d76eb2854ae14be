"""The history of a conversation's status: who moved it, when and why, for a seller."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.cli.helix import helix
from tests.tenancy.installation import Installation
from tests.worker.reminding import remind
from tests.worker.shop import Shop, event, lucas, open_shop
from tests.worker.test_agenda import booker
from tests.worker.test_merge import known, lead

_HISTORY = "SELECT de, para, quem, porque, turno FROM historico_status ORDER BY id"
_PERSON = ("pessoa", "mudado por uma pessoa, fora da conversa", None)


async def history(shop: Shop) -> list[tuple[Any, ...]]:
    """All of it, the oldest first."""
    return await shop.rows(_HISTORY)


async def test_11_each_move_says_who_and_why(installation: Installation, redis_url: str) -> None:
    """The first answer, what made it a negotiation, the opt-out; nothing else is a row."""
    async with open_shop(installation, redis_url, decide_turn=lucas) as shop:
        for words in (
            "oi",
            "bom dia",
            "quero vender meu gol 2012 com 90 mil km",
            "aceita meu uno 2010 com 90 mil km na troca?",
            "para de me mandar mensagem",
        ):
            await shop.handle(event(words))

        moves = await history(shop)

    assert [row[:3] for row in moves] == [
        ("novo", "em_andamento", "lucas"),
        ("em_andamento", "negociando", "lucas"),
        ("negociando", "perdido", "lucas"),
    ]
    assert [row[3] for row in moves] == [
        "primeira resposta do Lucas",
        "quer dar um carro na troca",
        "pediu para não receber mais mensagens",
    ]
    assert [row[4] for row in moves] == [1, 4, 5]


async def test_11_a_withdrawn_turn_leaves_no_trace(
    installation: Installation, redis_url: str
) -> None:
    """The answer never left: the history has the move of the turn that was taken instead."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.push(event("?"))
        await shop.drain()
        before = await history(shop)
        await shop.handle(event("?"))

        assert await history(shop) == before
        assert [row[:3] + row[4:] for row in before] == [("novo", "negociando", "lucas", 1)]


async def test_11_what_a_person_moves_is_noticed(shop: Shop) -> None:
    """In the table, without telling anybody: once, and not again."""
    await shop.handle(event("oi"))
    await shop.execute("UPDATE conversations SET status = 'fechado'")

    for _ in range(2):
        await remind(shop, datetime.now(UTC))

    assert (await history(shop))[1:] == [("em_andamento", "fechado", *_PERSON)]


async def test_11_a_turn_finds_what_a_person_moved_before_it(
    installation: Installation, redis_url: str
) -> None:
    """No gap: the seller's move stands between those of Lucas."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("?"))
        await shop.execute("UPDATE conversations SET status = 'em_andamento'")

        await shop.handle(event("?"))

        assert [row[:3] for row in (await history(shop))[1:]] == [
            ("negociando", "em_andamento", "pessoa"),
            ("em_andamento", "negociando", "lucas"),
        ]


async def test_11_a_person_who_moves_it_under_an_unsent_answer_is_not_overruled(
    installation: Installation, redis_url: str
) -> None:
    """The turn is withdrawn, his word stands."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.push(event("?"))
        await shop.drain()
        await shop.execute("UPDATE conversations SET status = 'perdido'")

        await shop.handle(event("?"))

        assert ("negociando", "perdido", *_PERSON) in await history(shop)


async def test_11_two_conversations_that_become_one_keep_both_histories(
    installation: Installation, redis_url: str
) -> None:
    """The rows of the one that goes are the other's, turn by turn."""
    async with open_shop(installation, redis_url) as shop:
        await shop.handle(event("?"))
        await shop.handle(lead("?"))
        await shop.handle(known("?"))

        owners = await shop.rows("SELECT DISTINCT conversation_id FROM historico_status")
        ((kept,),) = await shop.rows("SELECT MAX(id) FROM conversations")

        assert owners == [(kept,)]
        assert sorted(row[4] for row in await history(shop)) == [1, 2]


async def test_11_a_seller_reads_it(installation: Installation, redis_url: str) -> None:
    """`helix lucas funnel`: the moves of one conversation, the oldest first."""
    async with open_shop(installation, redis_url) as shop:
        await shop.handle(event("oi"))
        ((number,),) = await shop.rows("SELECT id FROM conversations")
        told = await helix(
            "lucas", "funnel", "--empresa", str(shop.empresa_id), "--conversation", str(number),
            "--json", env={**installation.environment(), "REDIS_URL": redis_url},
        )  # fmt: skip

    (move,) = json.loads(told.out)
    assert (move["from"], move["to"], move["who"]) == ("novo", "em_andamento", "lucas")
    assert move["why"] == "primeira resposta do Lucas"
