"""How Lucas writes facts in Brazilian Portuguese: money, mileage, years, cars. Called by `rules`.

Every word about a car comes from its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from bot.reading.text import fold
from bot.stock import Listing
from bot.values import Fact
from schema.replies import Option

_CAR = "car:"
_OPTION_TITLE, _OPTION_DESCRIPTION = 24, 72
"""What WhatsApp shows of a row in a list."""


def money(amount: Decimal) -> str:
    """R$ 89.900; R$ 89.900,50 where there are cents."""
    cents = amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    if cents == cents.to_integral_value():
        return money_of(int(cents))
    return "R$ " + f"{cents:,.2f}".translate(str.maketrans(",.", ".,"))


def money_of(reais: int) -> str:
    """R$ 60.000: whole reais, as a buyer says them."""
    return f"R$ {whole(reais)}"


def whole(number: int) -> str:
    """45.000."""
    return f"{number:,}".replace(",", ".")


def price(item: Listing) -> str:
    """The listed price, or that it is not listed."""
    return money(item.car.preco) if item.car.preco > 0 else "valor a confirmar"


def years(item: Listing) -> str | None:
    """2019/2020; one year when only one is known."""
    known = [str(year) for year in (item.car.ano, item.car.ano_modelo) if year]
    return "/".join(known) or None


def gearbox(item: Listing) -> str | None:
    """The gearbox in words; an automated one is never passed off as an automatic one."""
    raw = fold(item.car.cambio or "")
    if not raw:
        return None
    if "automatizad" in raw or "dualogic" in raw or "motion" in raw:
        return "automatizado"
    if item.transmission == "manual":
        return "manual"
    if item.transmission == "automatico":
        return _automatic(raw)
    return (item.car.cambio or "").strip().lower()


def _automatic(raw: str) -> str:
    for kind in ("cvt", "dct"):
        if kind in raw:
            return f"automático {kind.upper()}"
    return "automático"


def fuel(item: Listing) -> str | None:
    """The fuel in words."""
    raw = (item.car.combustivel or "").strip()
    if item.fuel == "flex" and "gnv" not in raw.lower():
        return "flex"
    return raw.lower().replace("gnv", "GNV") or None


def name(item: Listing) -> str:
    """Brand and model, as they stand in the table but for an odd first letter."""
    model = item.car.modelo.strip()
    model = model[:1].upper() + model[1:]
    if fold(model).startswith(fold(item.brand)):
        return model
    return f"{item.brand} {model}".strip()


def car_option(item: Listing) -> Option:
    """A car as something to choose; `chosen_car` reads it back."""
    told = (years(item), (item.car.cor or "").strip().lower(), price(item))
    facts = ", ".join(part for part in told if part)
    return Option(
        id=f"{_CAR}{item.car.id}",
        title=name(item)[:_OPTION_TITLE].strip() or f"Carro {item.car.id}",
        description=facts[:_OPTION_DESCRIPTION],
    )


def chosen_car(option_id: str | None) -> int | None:
    """The car that an option of ours stands for; None for any other option."""
    number = (option_id or "").removeprefix(_CAR)
    named = option_id is not None and option_id.startswith(_CAR)
    return int(number) if named and number.isascii() and number.isdigit() else None


def line(item: Listing) -> str:
    """A car with its facts on one line: what a list is made of."""
    car = item.car
    parts = [
        years(item),
        (car.cor or "").strip().lower() or None,
        gearbox(item),
        fuel(item),
        f"{whole(car.km)} km" if car.km is not None else None,
    ]
    facts = ", ".join(part for part in parts if part)
    return f"{name(item)} {facts} – {price(item)}".replace("  ", " ")


def bullets(items: Sequence[Listing]) -> str:
    """Cars below each other, numbered so that `o segundo` is plain."""
    if len(items) == 1:
        return line(items[0])
    return "\n".join(f"{number}. {line(item)}" for number, item in enumerate(items, 1))


def fact(item: Listing, *, priced: bool = True) -> Fact:
    """What must still hold when a bubble about this car is sent."""
    car = item.car
    return Fact(
        car_id=car.id,
        preco=car.preco if priced else None,
        ano=car.ano,
        ano_modelo=car.ano_modelo,
        km=car.km,
    )


def joined(parts: Sequence[str], last: str = "e") -> str:
    """a, b e c."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"
