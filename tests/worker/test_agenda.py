"""A turn's change of the agenda is committed with the turn, or not at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
import pytest

from bot.lucas import decide
from bot.stock import Stock
from bot.values import (
    AgendaAction,
    AgendaChange,
    Appointment,
    Bubble,
    Dealer,
    Decision,
    Fact,
    OptOut,
    Turn,
    VisitKind,
)
from tests.tenancy.installation import Installation
from tests.worker.shop import AT_ONCE, Shop, event, open_shop

_ROWS = """
    SELECT tipo, CAST(data_agendada AS CHAR), car_id, status FROM agendamentos ORDER BY id
"""


def booker(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """A Lucas who is told what to do: `BOOK 2090-01-05T10:00 7`, or who says what he was handed."""
    del stock, dealer
    words = (turn.messages[-1].text or "").split()
    told = turn.appointment
    change = None
    if words[0] in ("BOOK", "MOVE", "CANCEL"):
        at = datetime.fromisoformat(words[1]).replace(tzinfo=now.tzinfo)
        car = int(words[2]) if len(words) > 2 else None
        wanted = Appointment(
            kind=VisitKind.TEST_DRIVE, at=at, car_id=car, id=None if told is None else told.id
        )
        change = AgendaChange(action=AgendaAction(words[0].lower()), appointment=wanted)
    said = "nada" if told is None else f"{told.at:%d/%m/%Y %H:%M %z} {told.car_id}"
    return Decision(
        bubbles=(Bubble(text=said),),
        state={"turns": turn.state.get("turns", 0) + 1},
        status="negociando",
        rule="booker",
        agenda=change,
        handoff="schedule" if words[0] == "CALL" else None,
        summary="Quem: Rui\nQuer: um carro" if words[0] == "CALL" else None,
        opt_out=OptOut.NOTICES if words[0] == "NOTICES" else None,
    )


async def rows(shop: Shop) -> list[tuple[Any, ...]]:
    """The agenda of the shop."""
    return await shop.rows(_ROWS)


async def test_5_booked_moved_cancelled_is_one_row(
    installation: Installation, redis_url: str
) -> None:
    """The dealer's local time is stored; a new time goes into the same row: never two active."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.execute("INSERT INTO cars (id, brand, model, price) VALUES (7, 'X', 'Argo', 1)")
        await shop.handle(event("BOOK 2090-01-05T10:00 7"))
        assert await rows(shop) == [("test_drive", "2090-01-05 10:00:00", 7, "pendente")]

        await shop.execute("UPDATE agendamentos SET status = 'confirmado'")
        await shop.handle(event("MOVE 2090-01-06T15:30 7"))
        assert await rows(shop) == [("test_drive", "2090-01-06 15:30:00", 7, "pendente")]
        await shop.handle(event("?"))
        assert shop.phone.outbox[-1].text == "06/01/2090 15:30 -0300 7"

        await shop.handle(event("CANCEL 2090-01-06T15:30"))
        assert [row[3] for row in await rows(shop)] == ["cancelado"]
        await shop.handle(event("?"))
        assert shop.phone.outbox[-1].text == "nada"


async def test_5_a_withdrawn_turn_takes_its_booking_back(
    installation: Installation, redis_url: str
) -> None:
    """The buyer writes before the confirmation left: nothing is booked twice, or in vain."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.push(event("BOOK 2090-01-05T10:00"))
        await shop.drain()
        assert len(await rows(shop)) == 1

        await shop.handle(event("?"))

        assert await rows(shop) == []
        assert shop.phone.outbox[-1].text == "nada"


async def test_5_a_withdrawn_move_or_cancel_puts_the_old_one_back(
    installation: Installation, redis_url: str
) -> None:
    """As a person had left it: the time, the kind and that it was confirmed."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("BOOK 2090-01-05T10:00"))
        await shop.execute("UPDATE agendamentos SET status = 'confirmado'")
        before = await rows(shop)
        for change in ("MOVE 2090-02-01T09:00", "CANCEL 2090-01-05T10:00"):
            await shop.push(event(change))
            await shop.drain()
            assert await rows(shop) != before

            await shop.handle(event("?"))

            assert await rows(shop) == before


async def test_10_a_booking_goes_back_with_the_offer_that_became_untrue(
    installation: Installation, redis_url: str
) -> None:
    """The car of the confirmation is sold before that is sent: the turn is taken anew."""
    async with open_shop(installation, redis_url, decide_turn=book_the_first) as shop:
        await shop.execute(
            "INSERT INTO cars (id, brand, model, price) VALUES"
            " (7, 'X', 'Argo', 1), (8, 'X', 'Uno', 1)"
        )
        await shop.push(event("quero ver"))
        await shop.drain()
        assert [row[2] for row in await rows(shop)] == [8]
        await shop.execute("UPDATE cars SET status = 'sold' WHERE id = 8")

        await shop.deliver()
        assert await rows(shop) == []
        await shop.drain()
        await shop.deliver()

        assert [row[2] for row in await rows(shop)] == [7]
        assert [sent.text for sent in shop.phone.outbox] == ["carro 7"]


async def test_5_a_car_deleted_in_the_meantime_is_left_out(
    installation: Installation, redis_url: str
) -> None:
    """The visit counts more than the car: the buyer comes."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("BOOK 2090-01-05T10:00 99"))

        assert await rows(shop) == [("test_drive", "2090-01-05 10:00:00", None, "pendente")]


async def test_5_a_row_closed_by_a_person_is_not_opened_again(
    installation: Installation, redis_url: str
) -> None:
    """The move becomes a new appointment, and the closed one stays as the person left it."""
    async with open_shop(installation, redis_url, decide_turn=move_a_closed_one) as shop:
        await shop.handle(event("oi"))
        (customer,) = (await shop.rows("SELECT id FROM customers"))[0]
        await shop.execute(
            "INSERT INTO agendamentos (id, customer_id, tipo, data_agendada, status)"
            " VALUES (55, %s, 'visita', '2090-01-01 09:00', 'realizado')",
            (customer,),
        )
        await shop.handle(event("muda"))

        assert await rows(shop) == [
            ("visita", "2090-01-01 09:00:00", None, "realizado"),
            ("visita", "2090-03-01 09:00:00", None, "pendente"),
        ]


async def test_the_sellers_find_the_summary_and_the_opt_out(
    installation: Installation, redis_url: str
) -> None:
    """Columns of the conversation, and the whole decision in the message."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("CALL"))
        await shop.handle(event("NOTICES"))

        ((resumo, why, at, quiet),) = await shop.rows(
            "SELECT resumo, chamado_por, chamado_em, sem_avisos FROM conversations"
        )
        assert resumo == "Quem: Rui\nQuer: um carro"
        assert why == "schedule"
        assert at is not None
        assert quiet == 1


async def test_11_the_decision_tells_agenda_and_times(
    installation: Installation, redis_url: str
) -> None:
    """What was booked, what was asked, and how long each step took."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("BOOK 2090-01-05T10:00"))

        ((stored,),) = await shop.rows(
            "SELECT decisao FROM mensagens WHERE tipo = 'enviada' AND decisao IS NOT NULL"
        )
        decision = orjson.loads(stored)
        assert decision["agenda"] == {
            "action": "book",
            "tipo": "test_drive",
            "data_agendada": "2090-01-05 10:00",
            "car_id": None,
        }
        assert decision["loaded_us"] > 0
        assert decision["decided_us"] >= 0


async def test_the_dealers_settings_reach_lucas(installation: Installation, redis_url: str) -> None:
    """Rows of `lucas_ajustes`; one that cannot be read leaves its default."""
    async with open_shop(installation, redis_url, decide_turn=decide) as shop:
        await shop.execute(
            "INSERT INTO lucas_ajustes (nome, valor) VALUES"
            " ('nome_agente', 'Bia'), ('fuso', 'Marte/Cidade'), ('diz_que_e_virtual', 'não')"
        )
        await shop.handle(event("oi"))

        assert "Aqui é a Bia, da Loja 1." in (shop.phone.outbox[-1].text or "")


@pytest.mark.parametrize(
    ("name", "value", "words", "says"),
    [
        ("nome_agente", "Bia", "você é um robô?", "Bia"),
        ("boas_vindas", "Bem-vindo à casa!", "oi", "Bem-vindo à casa!"),
        ("diz_que_e_virtual", "não", "oi", "Lucas, da"),
        ("financiamento", "não", "quero financiar 30 mil em 48x", "vendedor"),
        ("visitas", "não", "quero visitar a loja", "vendedor"),
        ("feriados_da_loja", "05/01/2090", "quero visitar a loja dia 05/01", "fechada"),
    ],
)
async def test_a_setting_holds_from_the_next_turn_on(
    installation: Installation, redis_url: str, name: str, value: str, words: str, says: str
) -> None:
    """Though the stock is kept for five minutes: who changes one tells the workers."""
    kept = AT_ONCE.model_copy(update={"stock_ttl_s": 300})
    async with open_shop(installation, redis_url, decide_turn=in_2090, lucas=kept) as shop:
        await installation.central(
            "UPDATE empresas SET horario = 'todos os dias 9h-18h', versao = versao + 1"
            " WHERE id = %s",
            (shop.empresa_id,),
        )
        await shop.handle(event(words, phone="5511980000002"))
        before = [sent.text or "" for sent in shop.phone.outbox]

        await shop.execute("INSERT INTO lucas_ajustes VALUES (%s, %s, NULL)", (name, value))
        shop.jobs.shelf.forget(shop.empresa_id)  # as the change's message does in each worker
        await shop.handle(event(words))

        after = [sent.text or "" for sent in shop.phone.outbox[len(before) :]]
        assert not any(says in text for text in before)
        assert any(says in text for text in after)


def in_2090(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """The real Lucas at a time of the test's own: a Monday, the 2nd of January."""
    at = datetime(2090, 1, 2, 10, tzinfo=now.tzinfo)
    return decide(turn, stock=stock, dealer=dealer, now=at)


async def test_a_full_time_and_the_zone_reach_lucas(
    installation: Installation, redis_url: str
) -> None:
    """Both by the dealer's settings: one buyer at a time, in Manaus."""
    async with open_shop(installation, redis_url, decide_turn=tell_taken) as shop:
        await shop.execute(
            "INSERT INTO lucas_ajustes (nome, valor) VALUES"
            " ('visitas_por_horario', '1'), ('fuso', 'America/Manaus')"
        )
        await shop.execute("INSERT INTO customers (id, phone) VALUES (9, '5511970000009')")
        await shop.execute(
            "INSERT INTO agendamentos (customer_id, tipo, data_agendada) VALUES"
            " (9, 'visita', '2090-01-01 09:00')"
        )
        await shop.handle(event("oi"))

        assert shop.phone.outbox[-1].text == "2090-01-01 09:00 -0400"


def book_the_first(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """Books the last car for sale and says so."""
    del turn, dealer
    car = max(item.car.id for item in stock.offered)
    at = datetime(2090, 1, 5, 10, tzinfo=now.tzinfo)
    wanted = Appointment(kind=VisitKind.VISITA, at=at, car_id=car)
    return Decision(
        bubbles=(Bubble(text=f"carro {car}", facts=(Fact(car_id=car),)),),
        state={},
        status="negociando",
        rule="book",
        agenda=AgendaChange(action=AgendaAction.BOOK, appointment=wanted),
    )


def move_a_closed_one(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """Moves row 55, of which it was told before a person closed it."""
    del stock, dealer
    at = datetime(2090, 3, 1, 9, tzinfo=now.tzinfo)
    wanted = Appointment(kind=VisitKind.VISITA, at=at, id=55)
    move = turn.messages[-1].text == "muda"
    change = AgendaChange(action=AgendaAction.MOVE, appointment=wanted) if move else None
    return Decision(
        bubbles=(Bubble(text="ok"),), state={}, status="negociando", rule="move", agenda=change
    )


def tell_taken(turn: Turn, *, stock: Stock, dealer: Dealer, now: datetime) -> Decision:
    """Says which times are full, in the zone that it was given."""
    del stock, dealer, now
    said = " ".join(f"{at:%Y-%m-%d %H:%M %z}" for at in sorted(turn.taken))
    return Decision(bubbles=(Bubble(text=said),), state={}, status="novo", rule="taken")
