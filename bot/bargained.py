"""Hears a price that is offered without a word of offering (`70 à vista, hoje`). By `context`.

What says it of any car (`faz por 70?`) is read by `reading.amounts`; here the car spoken of and its
price tell an offer from a budget.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.answers import with_intent
from bot.filters import Filters
from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.state import Pending, State
from bot.stock import Stock

LEAST, MOST = 0.5, 1.05
"""Of the listed price: what lies outside is no offer for this car."""
CLOCK = 24
"""A bare number up to this one may be a time."""
_DEAL = re.compile(
    r"\b(?:a ?vista|dinheiro|na mao|pix|cash|especie|vivo|na lata|transfer\w+|transfiro|fech\w+|"
    r"lev[aoe]\w*|busc[oa]\w*|pag[oa]\w*|pagaria|dou|daria|ofere\w+|lance|oferta|proposta|topa\w*|"
    r"aceita\w*|negocio|vend\w+|sai|rola|faz\w*|chega\w*|agora|hoje|na hora|deposit\w+)\b"
)
_SURE_DEAL = re.compile(
    r"\b(?:lev[ae]\w*|fech\w+|vende\w*|faz\w*|aceita\w*|topa\w*|negocio|rola|hoje|agora)\b"
)
_FOR_IT = re.compile(r"\b(?:dar|pagar|pago|por|dou) (?:n|por )?(?:el[ea]|ess[ea])\b|\bnel[ea]$")
_BARE = re.compile(
    r"(?:(?:e|mas|entao|sei|hum|que tal|se for|e se fosse) )*(?:por|a|no|nos|em|que tal) "
    r"(?:r\$ )?[0-9][0-9.,]*k?(?: (?:mil|reais|conto|pila|pau))*"
)
_OTHERWISE = re.compile(
    r"\b(?:ate|tem|teria|procur\w+|quero (?:um|algo)|entrada|rod\w+|parcel\w+|financ\w+|simul\w+|"
    r"prestac\w+|vezes|meses|km|rodad\w+|ano|qual|quais|quant\w+|outr[oa]s?|algum|alguma|troc\w+|"
    r"volta|abaixo|acima|faixa|uns|umas|maximo|orcamento|gastar)\b"
)
_HIS = re.compile(r"\b(?:meu|minha) (?!lance|oferta|proposta|ultim\w+|maxim\w+|valor|preco)")
_ASKED = (Pending.BUDGET, Pending.DOWN_PAYMENT, Pending.OWN_CAR)
_MAY_OFFER = frozenset(
    (
        Intent.SEARCH, Intent.UNCLEAR, Intent.DETAILS, Intent.TRADE_IN, Intent.NEGOTIATE,
        Intent.BUY, Intent.HOURS, Intent.YES,
    )
)  # fmt: skip


def named_price(reading: Reading, state: State, stock: Stock) -> Reading:
    """The same reading, or a negotiation about the car spoken of with the price he names."""
    if reading.filters.price_max is None and not reading.loose:
        return reading
    if state.pending in _ASKED or state.last_intent == Intent.FINANCING:
        return reading  # it answers that question
    flat = reading.text.flat
    only_one = state.offered[0] if len(state.offered) == 1 else None
    item = stock.get(state.focus or only_one or 0)
    if item is None or reading.offers or reading.intent not in _MAY_OFFER:
        return reading
    if reading.filters.model or _OTHERWISE.search(flat) or _HIS.search(flat):
        return reading
    amount = _amount(reading)
    listed = float(item.car.preco)
    if amount is None or not LEAST * listed <= amount <= MOST * listed or not _is_deal(flat):
        return reading
    meant = replace(reading, offers=(amount,), filters=Filters(), own_car=None, reference=None)
    return with_intent(meant, Intent.NEGOTIATE, ())


def _is_deal(flat: str) -> bool:
    if flat.startswith(("tenho", "so tenho")) and not _FOR_IT.search(
        flat
    ):  # `tenho 70 na mão` alone is a budget
        return bool(_SURE_DEAL.search(flat))
    return bool(_DEAL.search(flat) or _FOR_IT.search(flat) or _BARE.fullmatch(flat))


def _amount(reading: Reading) -> int | None:
    """The one amount of the turn in reais: 70 is 70 thousand."""
    if reading.filters.price_max is not None:
        return reading.filters.price_max
    if len(reading.loose) != 1:
        return None
    number, thousands = reading.loose[0]
    if number <= CLOCK and not thousands:
        return None
    return round(number if thousands or number >= 1000 else number * 1000)
