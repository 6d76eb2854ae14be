"""Reads by how much a time or a day shall move (`uma hora mais cedo`). Called by `reading.when`."""

from __future__ import annotations

import re

NUMBERS = {
    "uma": 1, "duas": 2, "tres": 3, "quatro": 4, "cinco": 5, "seis": 6, "sete": 7, "oito": 8,
    "nove": 9, "dez": 10, "onze": 11, "doze": 12, "treze": 13, "quatorze": 14, "catorze": 14,
    "quinze": 15, "dezesseis": 16, "dezessete": 17, "dezoito": 18,
}  # fmt: skip
HOUR = r"(?:[01]?[0-9]|2[0-3])"
WORD = "|".join(NUMBERS)
SHIFT = re.compile(
    rf"\b(?P<amount>meia hora|(?P<n>{HOUR}|{WORD}|um|uns|umas) ?h(?:ora|oras)?|"
    rf"(?P<min>[1-5]?[05]) ?min(?:utos)?)(?: e (?P<half>meia))? (?:mais )?"
    rf"(?P<way>cedo|tarde|antes|depois|pra frente)\b"
)
_SHIFT_DAYS = re.compile(
    r"\b(?:(?P<n>um|uma|dois|duas|tres|[1-9]) (?P<unit>dias?|semanas?) (?P<way>depois|antes|"
    r"mais tarde|"
    r"mais cedo|pra frente|pra tras)|(?:no )?(?P<next>dia seguinte)|(?:na )?(?P<week>semana "
    r"seguinte))\b"
)
_COUNTS = {"um": 1, "uma": 1, "dois": 2, "duas": 2, "tres": 3}


def days(flat: str) -> int | None:
    """Days later, or earlier when negative."""
    match = _SHIFT_DAYS.search(flat)
    if match is None:
        return None
    if match["next"] or match["week"]:
        return 1 if match["next"] else 7
    count = _COUNTS.get(match["n"]) or int(match["n"])
    count *= 7 if match["unit"].startswith("semana") else 1
    return -count if match["way"] in ("antes", "mais cedo", "pra tras") else count


_SOON = re.compile(
    rf"\b(?:daqui(?: a)?|em|dentro de) (?:uns |umas )?(?P<amount>meia hora|"
    rf"(?P<n>{HOUR}|{WORD}|um) ?h(?:ora|oras)?(?: e (?P<half>meia))?|"
    rf"(?P<min>[1-9]0|[1-5]5) ?min(?:utos?|utinhos)?)\b"
)


def soon(flat: str) -> int | None:
    """Minutes from now: `chego em 1h`, `daqui a meia hora`."""
    match = _SOON.search(flat)
    if match is None:
        return None
    if match["amount"].startswith("meia"):
        return 30
    if match["min"]:
        return int(match["min"])
    hours = int(match["n"]) if match["n"].isdigit() else NUMBERS.get(match["n"], 1)
    return 60 * hours + (30 if match["half"] else 0)


def minutes(match: re.Match[str]) -> int:
    """Minutes later, or earlier when negative, of a match of `SHIFT`."""
    if match["amount"].startswith("meia"):
        minutes = 30
    elif match["min"]:
        minutes = int(match["min"])
    else:
        said = match["n"]
        minutes = 60 * (int(said) if said.isdigit() else NUMBERS.get(said, 1))
        minutes += 30 if match["half"] else 0
    return -minutes if match["way"] in ("cedo", "antes") else minutes
