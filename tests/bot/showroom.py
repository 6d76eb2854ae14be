"""A small dealer of our own for Lucas's tests, and a way to talk with him."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from bot.lucas import decide
from bot.stock import Stock
from bot.values import (
    AgendaAction,
    Appointment,
    Bubble,
    BubbleKind,
    Car,
    Dealer,
    Decision,
    Incoming,
    Turn,
)
from schema.events import EventKind

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=timezone(timedelta(hours=-3)))
DEALER = Dealer(
    nome="Ipê Automóveis",
    endereco="Av. T-63, 1200, Setor Bueno, Goiânia - GO",
    telefone="(62) 3555-0110",
    horario="seg a sex 8h30-18h30, sab 8h-14h",
)


def car(number: int, marca: str, modelo: str, preco: str, **more: Any) -> Car:
    """A car for sale with plain values where a test does not care."""
    values: dict[str, Any] = {
        "ano": 2020, "ano_modelo": 2021, "km": 50_000, "cor": "Prata", "combustivel": "Flex",
        "cambio": "Manual", "descricao": None, "fotos": (f"https://img.example/{number}/1.jpg",),
    }  # fmt: skip
    return Car(id=number, marca=marca, modelo=modelo, preco=Decimal(preco), **(values | more))


CARS = (
    car(1, "Fiat", "Cronos 1.3 Drive", "69900", descricao="IPVA 2026 pago. Segundo dono."),
    car(2, "Fiat", "Cronos 1.8 Precision", "78900", cambio="Automático", cor="Branco"),
    car(3, "Peugeot", "2008 1.6 Griffe", "82500.50", cambio="Aut.", cor="Vermelho", km=61_300),
    car(4, "Nissan", "Versa 1.6 SL", "74900", cambio="CVT", cor="Cinza", ano=2021, ano_modelo=2022),
    car(5, "Troller", "T4 3.2 XLT 4x4", "139900", combustivel="Diesel", cor="Verde", km=88_000),
    car(6, "Citroen", "C3 1.2 Live", "44900", ano=2017, ano_modelo=2018, cor="Preto", fotos=()),
    car(7, "Volkswagen", "Fox 1.6 Highline I-Motion", "39900", cambio="Automatizado", km=None),
    car(8, "Nissan", "Kicks 1.6 Advance", "92900", status="sold", cambio="CVT"),
    car(9, "Honda", "City 1.5 EXL", "88900", status="reserved", cambio="CVT"),
    car(10, "Renault", "Duster 1.6 Intense", "86900", cambio="CVT", cor="Branco", ano_modelo=2020),
    car(11, "Ford", "Ranger 3.2 Limited 4x4 CD", "179900", combustivel="Diesel", cambio="Aut."),
    car(12, "Fiat", "Toro 1.8 Freedom", "89900", cambio="Automático", fotos=tuple("abcdefgh")),
)  # fmt: skip
STOCK = Stock.build(CARS)


@dataclass(slots=True)
class Chat:
    """A conversation with Lucas that carries his memory from turn to turn."""

    stock: Stock = STOCK
    dealer: Dealer = DEALER
    state: dict[str, Any] = field(default_factory=dict)
    status: str = "novo"
    now: datetime = NOW
    stored: Appointment | None = None
    """The agenda: the buyer's one active appointment."""

    def say(self, *texts: str | None, quoted: int | None = None) -> Decision:
        """One turn; None stands for a voice message."""
        messages = tuple(
            Incoming(
                kind=EventKind.AUDIO if text is None else EventKind.TEXT,
                text=text,
                quoted_car_id=quoted,
            )
            for text in texts
        )
        decision = decide(
            Turn(
                messages=messages,
                state=self.state,
                status=self.status,
                appointment=self.stored,
            ),
            stock=self.stock,
            dealer=self.dealer,
            now=self.now,
        )
        self.state, self.status = decision.state, decision.status
        if decision.agenda is not None:
            cancelled = decision.agenda.action is AgendaAction.CANCEL
            self.stored = None if cancelled else replace(decision.agenda.appointment, id=1)
        return decision


def sent(decision: Decision) -> str:
    """All text of a decision."""
    return "\n".join(bubble.text for bubble in decision.bubbles if bubble.text)


def shown(decision: Decision) -> list[int]:
    """Ids of the cars that the bubbles state facts about, in order."""
    facts = (fact.car_id for bubble in decision.bubbles for fact in bubble.facts)
    return list(dict.fromkeys(facts))


def images(decision: Decision) -> list[Bubble]:
    """The photos of a decision."""
    return [bubble for bubble in decision.bubbles if bubble.kind is BubbleKind.IMAGE]
