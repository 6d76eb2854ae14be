"""Takes out of the filters what is only asked about, not wished. Called by `reading.reader`."""

from __future__ import annotations

import re

from bot.filters import Filters
from bot.reading.intents import Intent
from bot.reading.worth import without_worth

_NO_CEILING = (Intent.FINANCING, Intent.NEGOTIATE, Intent.BUY, Intent.SCHEDULE)


_IS_YEAR = re.compile(r"\be (?:mesmo )?(?:ano |modelo )?20[0-2][0-9]\b")


def without_asked(
    filters: Filters, intents: tuple[Intent, ...], asked: tuple[str, ...], flat: str
) -> Filters:
    """`esse Versa é flex?` asks for the fuel; `financiar o Versa, tenho 40 mil` sets no ceiling."""
    if intents[0] in (Intent.TRADE_IN, Intent.SELL_CAR):
        filters = without_worth(filters, flat)
    if intents[0] in (Intent.TRADE_IN, Intent.SELL_CAR) and not filters.model:
        return filters.model_copy(update={"sort": None})  # `comprar um mais novo` is no order
    if filters.model and intents[0] in _NO_CEILING:
        return filters.model_copy(update={"price_min": None, "price_max": None, "sort": None})
    if intents[0] is not Intent.DETAILS or not filters.model:
        return filters
    update: dict[str, object] = {}
    if "combustivel" in asked:
        update["fuel"] = ()
    if "cambio" in asked:
        update["transmission"] = None
    if "ano" in asked and _IS_YEAR.search(flat):
        update |= {"year_min": None, "year_max": None}
    return filters.model_copy(update=update)
