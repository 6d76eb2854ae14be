"""Hears that a booked visit shall be at another time, whatever stands around it. By `context`.

An apology, a hello, a reason or a thank-you beside a new day or time does not make it less of a
change: `valeu! é que quinta vou pro médico, sexta às 14h?`.
"""

from __future__ import annotations

import re

from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.values import Appointment

_WHEN = (
    r"(?:hoje|amanha|depois de amanha|segunda|terca|quarta|quinta|sexta|sabado|domingo|"
    r"dia [0-9]|[0-9]{1,2} ?(?:h|:)|as [0-9]|meio dia|de manha|de tarde|a tarde|"
    r"(?:antes|depois) d[aeo]s? |mais (?:cedo|tarde)|outr[oa] (?:dia|semana|horario))"
)
_ASKS_FOR = re.compile(
    r"\b(?:da|pode|rola|serve|seria|ser|fica|melhor|consigo|posso|vou|for|passar|chegar|ir|"
    r"aparecer|poe|bota|coloca|joga|deixa|marca|muda|troca|passa|remarca|antecipa|adia)"
    rf"(?: (?:pra|n[ao]|umas|so|ai|entao|ser|la|pel[ao]s?|por volta das))* {_WHEN}"
)
"""The new time is what is asked for, not only spoken of: `dá sexta?`, `se eu for às 16h30`."""
_HARMLESS = frozenset((Intent.DETAILS, Intent.FINANCING, Intent.LOCATION, Intent.BUY))
"""What a reason may sound like: `a revisão do meu carro é quinta`."""


def moves(reading: Reading, stored: Appointment) -> bool:
    """True when the turn names another day or time than the booked one, and that is its point."""
    intent = reading.intent
    if intent is Intent.GREETING:
        return reading.when_said.says_something()
    if not _is_another(reading, stored):
        return False
    if intent in (Intent.THANKS, Intent.BYE):
        return True
    return intent in _HARMLESS and bool(_ASKS_FOR.search(reading.text.flat))


def _is_another(reading: Reading, stored: Appointment) -> bool:
    """The day or the time that is said is surely not the booked one."""
    said = reading.when_said
    day, time = said.day, said.time
    if said.shift is not None or said.shift_days is not None:
        return True
    other_day = day is not None and (
        (day.weekday is not None and (day.weekday != stored.at.weekday() or day.next_week))
        or (day.day is not None and day.day != stored.at.day)
    )
    other_time = time is not None and (
        time.hour % 12 != stored.at.hour % 12 or time.minute != stored.at.minute
    )
    return other_day or other_time
