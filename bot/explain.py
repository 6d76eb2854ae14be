"""Tells in words why Lucas answered so. Called by `bot.chat` and the terminal chat.

Reads a decision as it is stored (`mensagens.decisao`), so that both explain the same thing. In
Portuguese: dealers read it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.filters import Filters
from bot.stock import Stock, car_tests
from bot.values import Decision
from bot.wording import name

_NAMED = 5
_DEFAULTS = re.compile(r",? ?\b\w+=(?:None|False)\b")
"""Days and times stand there as their values print themselves; what says nothing is left out."""
_WISHES = {
    "model": "modelo", "brand": "marca", "body": "carroceria", "transmission": "câmbio",
    "fuel": "combustível", "color": "cor", "price_max": "preço máximo",
    "price_min": "preço mínimo", "year_min": "ano mínimo", "year_max": "ano máximo",
    "mileage_max": "km", "sort": "ordem", "exclude": "menos", "engine": "motor",
}  # fmt: skip


def stored_form(decision: Decision, *, decided_us: int, loaded_us: int | None) -> dict[str, Any]:
    """A decision as its row would hold it."""
    change = decision.agenda
    return {
        "rule": decision.rule,
        "understood": decision.understood,
        "considered": list(decision.considered),
        "fell_out": decision.fell_out,
        "asks": decision.asks,
        "handoff": decision.handoff,
        "agenda": None
        if change is None
        else {
            "action": change.action,
            "tipo": change.appointment.kind,
            "data_agendada": f"{change.appointment.at:%Y-%m-%d %H:%M}",
            "car_id": change.appointment.car_id,
        },
        "opt_out": decision.opt_out,
        "loaded_us": loaded_us,
        "decided_us": decided_us,
    }


def explained(why: Mapping[str, Any], stock: Stock, wish: Filters | None = None) -> list[str]:
    """Lines of `what: detail`. `wish`: the filters that held, to name the cars that fell out."""
    return [f"{what}: {detail}" for what, detail in _facts(why, stock, wish) if detail]


def _facts(why: Mapping[str, Any], stock: Stock, wish: Filters | None) -> Iterator[tuple[str, str]]:
    if why.get("why"):
        yield "silêncio", str(why["why"])
    read = why.get("understood") or {}
    yield "entendeu", _understood(read)
    yield "filtros", _wishes(read.get("filters") or {})
    if wish is not None and not wish.empty() and wish.spoken() != read.get("filters"):
        yield "filtros da conversa", _wishes(wish.spoken())
    yield "considerou", _cars(why.get("considered") or (), stock)
    yield "ficaram fora", _fell_out(why.get("fell_out") or {}, stock, wish)
    yield "regra", _rule(why)
    yield "agenda", _plain(why.get("agenda") or "")
    yield "tempos", _times(why)


def _understood(read: Mapping[str, Any]) -> str:
    parts = [", ".join(read.get("intents") or ())]
    for key, label in (("topics", "pergunta sobre"), ("pointer", "aponta"), ("likes", "parecido"),
                       ("offers", "oferece"), ("when", "quando")):  # fmt: skip
        if read.get(key):
            parts.append(f"{label} {_plain(read[key])}")
    return " · ".join(filter(None, parts))


def _wishes(filters: Mapping[str, Any]) -> str:
    return ", ".join(f"{_WISHES.get(key, key)} {_plain(value)}" for key, value in filters.items())


def _cars(ids: Any, stock: Stock) -> str:
    told = [_named(stock, int(id_)) for id_ in ids[:_NAMED]]
    more = len(ids) - len(told)
    return "; ".join(told) + (f" e mais {more}" if more > 0 else "")


def _named(stock: Stock, car_id: int) -> str:
    item = stock.known(car_id)
    return f"#{car_id}" if item is None else f"{name(item)} (#{car_id})"


def _fell_out(counts: Mapping[str, int], stock: Stock, wish: Filters | None) -> str:
    whom = {} if wish is None else _first_missed(stock, wish)
    parts = []
    for key, count in counts.items():
        label = _WISHES.get(key.removeprefix("exclude."), key)
        label = f"menos {label}" if key.startswith("exclude.") else label
        ids = whom.get(key, [])
        which = f" ({_cars(ids, stock)})" if len(ids) == count else ""
        parts.append(f"{count} por {label}{which}")
    return "; ".join(parts)


def _first_missed(stock: Stock, wish: Filters) -> dict[str, list[int]]:
    """By wish, the cars for which it is the first one that they miss."""
    missed: dict[str, list[int]] = {}
    tests = car_tests(wish)
    for item in stock.offered:
        key = next((key for key, fits in tests if not fits(item)), None)
        if key is not None:
            missed.setdefault(key, []).append(item.car.id)
    return missed


def _rule(why: Mapping[str, Any]) -> str:
    parts = [str(why.get("rule") or "")]
    for key, label in (("asks", "pergunta"), ("handoff", "chama uma pessoa"),
                       ("opt_out", "não quer receber")):  # fmt: skip
        if why.get(key):
            parts.append(f"{label}: {why[key]}")
    return " · ".join(filter(None, parts))


def _times(why: Mapping[str, Any]) -> str:
    parts = []
    for key, label in (("waited_ms", "esperou {} ms"), ("loaded_us", "leu os dados em {} ms"),
                       ("decided_us", "decidiu em {} ms")):  # fmt: skip
        value = why.get(key)
        if isinstance(value, int):
            ms = value if key == "waited_ms" else value / 1000
            parts.append(label.format(f"{ms:.1f}".replace(".", ",").removesuffix(",0")))
    return ", ".join(parts)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_WISHES.get(k, k)} {_plain(part)}" for k, part in value.items() if part)
    if isinstance(value, list | tuple):
        return "/".join(_plain(part) for part in value)
    return _DEFAULTS.sub("", str(value)).replace("(, ", "(")
