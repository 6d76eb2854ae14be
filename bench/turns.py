"""Measures Lucas's turns per second of one core, by the size of the stock. Called by `make bench`.

Alone: `BENCH_ONLY=turns make bench` or `python -m bench.turns`. Pure CPU: no database, queue or
network. The talk is a fixed one of many kinds of turns; each is taken with the memory that the one
before left.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.lucas import decide
from bot.stock import Stock
from bot.values import Appointment, Car, Dealer, Decision, Incoming, Turn
from schema.events import EventKind

SIZES = (50, 500, 2000)
LIMITS_MS = {50: 1.0, 2000: 5.0}
"""What a turn may take on average; docs/lucas.md has the figures that were measured."""
ROUNDS, QUICK_ROUNDS = 100, 20
_NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))
_DEALER = Dealer(
    nome="Ipê Automóveis",
    endereco="Av. T-63, 1200, Goiânia - GO",
    horario="seg a sex 8h-12h e 14h-18h, sab 8h-12h",
)
_TALK = (
    "oi, tem suv automático até 120 mil, menos branco?",
    "só 2019 pra cima e pouco rodado",
    "o segundo tem ipva pago? qual a km?",
    "manda as fotos",
    "tem mais barato?",
    "vcs têm corola híbrido preto?",
    "aceita meu gol 2014 com 120 mil km na troca?",
    "quanto fica a parcela com 20 mil de entrada em 48x?",
    "faz por 70 mil?",
    "quero fazer um test drive quinta às 10",
    "na verdade sexta depois do almoço",
    "15h",
    "onde fica e que horas abre sábado?",
    "valeu, obrigado!",
)
_MODELS = (
    ("Fiat", "Cronos 1.3 Drive"), ("Toyota", "Corolla 2.0 XEi"), ("Honda", "HR-V 1.8 EXL"),
    ("Jeep", "Compass 2.0 Limited"), ("Chevrolet", "Onix 1.0 LT"), ("Fiat", "Strada 1.4 CS"),
    ("Hyundai", "Creta 1.6 Pulse"), ("Volkswagen", "T-Cross 1.0 TSI"), ("Ford", "Ka 1.0 SE"),
    ("Nissan", "Kicks 1.6 SV"), ("Renault", "Duster 1.6"), ("Toyota", "Hilux 2.8 SRV 4x4"),
)  # fmt: skip
_COLORS = ("Branco", "Preto", "Prata", "Cinza", "Vermelho", "Azul")


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick turns are with a stock of this size."""

    cars: int
    turns_per_s: float
    mean_ms: float
    slowest_ms: float
    """The slowest kind of turn, the mean of its repetitions."""
    build_ms: float
    """To prepare the stock, once in each time-to-live."""


def measure(cars: int, *, rounds: int) -> Pace:
    """Takes the whole talk so often; CPU time of this process."""
    rows = _stock(cars)
    started = time.process_time()
    stock = Stock.build(rows)
    build_ms = (time.process_time() - started) * 1000
    _talk(stock)  # patterns and caches are warm in a running worker
    spent = [0.0] * len(_TALK)
    for _ in range(rounds):
        for place, seconds in enumerate(_talk(stock)):
            spent[place] += seconds
    total = sum(spent)
    turns = rounds * len(_TALK)
    return Pace(
        cars=cars,
        turns_per_s=turns / total,
        mean_ms=total / turns * 1000,
        slowest_ms=max(spent) / rounds * 1000,
        build_ms=build_ms,
    )


def _talk(stock: Stock) -> list[float]:
    """Seconds of CPU for each turn of the talk."""
    decision: Decision | None = None
    stored: Appointment | None = None
    spent = []
    for text in _TALK:
        turn = Turn(
            messages=(Incoming(kind=EventKind.TEXT, text=text),),
            state={} if decision is None else decision.state,
            status="novo" if decision is None else decision.status,
            appointment=stored,
        )
        started = time.process_time()
        decision = decide(turn, stock=stock, dealer=_DEALER, now=_NOW)
        spent.append(time.process_time() - started)
        if decision.agenda is not None:
            stored = replace(decision.agenda.appointment, id=1)
    return spent


def _stock(cars: int) -> list[Car]:
    return [
        Car(
            id=number,
            marca=_MODELS[number % len(_MODELS)][0],
            modelo=_MODELS[number % len(_MODELS)][1],
            ano=2012 + number % 13,
            ano_modelo=2013 + number % 13,
            preco=Decimal(30_000 + number * 7919 % 150_000),
            km=number * 6_311 % 140_000,
            cor=_COLORS[number % len(_COLORS)],
            combustivel="Híbrido" if number % 17 == 0 else "Flex",
            cambio="Automático" if number % 2 else "Manual",
            descricao="IPVA 2026 pago. Revisões em dia. Multimídia e câmera de ré.",
            fotos=tuple(f"https://img.example/{number}/{place}.jpg" for place in range(6)),
        )
        for number in range(1, cars + 1)
    ]


def report(paces: Sequence[Pace]) -> str:
    """A table in the form of docs/benchmarks.md."""
    lines = [
        "| cars | turns/s of one core | mean ms | slowest kind ms | stock prepared in ms |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {pace.cars:,} | {pace.turns_per_s:,.0f} | {pace.mean_ms:.2f} | {pace.slowest_ms:.2f} | "
        f"{pace.build_ms:.0f} |"
        for pace in paces
    ]
    return "\n".join(lines)


def main() -> None:
    """Shows the figures."""
    print(report([measure(cars, rounds=ROUNDS) for cars in SIZES]))


if __name__ == "__main__":
    main()
