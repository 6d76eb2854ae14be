"""Writes the five lines that a seller reads when a talk is handed to him. Called by `lucas`.

Kept in `conversations.resumo`; Portuguese, for the dealer. No document, card or plate gets in.
"""

from __future__ import annotations

from bot.filters import Filters, Sort
from bot.masking import masked
from bot.rules.talk import Answer, Talk
from bot.rules.visit_words import WORDS
from bot.state import Deal, State
from bot.values import AgendaAction, Appointment
from bot.wording import joined, money_of, name, price, whole
from bot.wording_time import moment

_CARS = 5
_NEXT = {
    "human": "Pediu para falar com uma pessoa: responder por aqui.",
    "complaint": "Reclamação: um responsável deve responder.",
    "buy": "Quer fechar a compra: combinar os próximos passos.",
    "offer": "Fez uma proposta de preço: responder sim, não ou contraproposta.",
    "financing": "Quer simulação de financiamento: simular com o banco e responder.",
    "trade_in": "Quer dar o carro na troca: marcar a avaliação.",
    "sell_car": "Quer vender o carro para a loja: marcar a avaliação.",
    "schedule": "Quer vir à loja: combinar dia e horário.",
    "asked": "Aceitou falar com um vendedor: responder por aqui.",
    "stuck": "Lucas não entendeu o pedido: ler a conversa e responder.",
    "photos": "Quer fotos de um carro que ainda não tem: enviar.",
    "checking": "Perguntou algo que não está no anúncio: conferir e responder.",
}


def summary(talk: Talk, answer: Answer, after: State) -> str:
    """Who, what he wants, which cars he saw, the appointment, the next step."""
    return "\n".join(
        (
            f"Quem: {masked(after.name or talk.buyer_name or 'não disse o nome')}",
            f"Quer: {wanted(after.filters, after.deal)}",
            f"Viu: {_cars(talk, after)}",
            f"Agenda: {_booked(talk, answer)}",
            f"Próximo passo: {_next(answer, after)}",
        )
    )


def _next(answer: Answer, after: State) -> str:
    """What the seller does now, with what Lucas said would be checked."""
    step = _NEXT.get(answer.handoff or "", "Acompanhar a conversa.")
    return f"{step} Conferir: {'; '.join(after.to_check)}." if after.to_check else step


def wanted(filters: Filters, deal: Deal) -> str:
    """The wish in words, and what was told of trade-in and money."""
    parts = [*_kinds(filters), *_limits(filters), *_deal(deal)]
    return ", ".join(parts) if parts else "ainda não disse"


def _kinds(filters: Filters) -> list[str]:
    parts = [joined([model.spoken() for model in filters.model], "ou")]
    parts += [joined(values, "ou") for values in (filters.brand, filters.body, filters.color)]
    parts += [joined(filters.fuel, "ou"), filters.transmission or ""]
    no = filters.exclude
    unwanted = [*no.brand, *(model.spoken() for model in no.model), *no.color, *no.body, *no.fuel]
    unwanted += no.engine
    return [part for part in (*parts, f"menos {joined(unwanted)}" if unwanted else "") if part]


def _limits(filters: Filters) -> list[str]:
    parts = []
    if filters.price_min is not None:
        parts.append(f"a partir de {money_of(filters.price_min)}")
    if filters.price_max is not None:
        parts.append(f"até {money_of(filters.price_max)}")
    if filters.year_min is not None and filters.year_min == filters.year_max:
        parts.append(f"ano {filters.year_min}")
    else:
        parts += [f"de {filters.year_min} para cima"] if filters.year_min else []
        parts += [f"até o ano {filters.year_max}"] if filters.year_max else []
    if filters.mileage_max is not None:
        parts.append(f"até {whole(filters.mileage_max)} km")
    if filters.sort is Sort.MILEAGE_ASC:
        parts.append("pouco rodado")
    return parts


def _deal(deal: Deal) -> list[str]:
    told = (
        ("dá na troca", deal.own_car),
        ("entrada de", deal.down_payment),
        ("em", deal.months),
        ("ofereceu", money_of(deal.offer) if deal.offer else None),
    )
    return [f"{label} {value}" for label, value in told if value]


def _cars(talk: Talk, after: State) -> str:
    items = [item for item in map(talk.stock.get, after.seen) if item is not None]
    lines = [f"{name(item)} ({price(item)})" for item in items[:_CARS]]
    return "; ".join(lines) if lines else "nenhum carro ainda"


def _booked(talk: Talk, answer: Answer) -> str:
    stored: Appointment | None = talk.appointment
    if answer.agenda is not None:
        cancelled = answer.agenda.action is AgendaAction.CANCEL
        stored = None if cancelled else answer.agenda.appointment
    if stored is None:
        return "nada marcado"
    confirmed = answer.agenda is not None and answer.agenda.action is AgendaAction.CONFIRM
    said = ", confirmado pelo comprador" if confirmed else ""
    return f"{WORDS[stored.kind][0][2:]}, {moment(stored.at, talk.now.date())}{said}"
