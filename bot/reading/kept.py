"""Hears that a visit stays as it is. Called by `reading.intents` and `called_off`."""

from __future__ import annotations

import re

_KEPT = re.compile(
    r"\b(?:nao|nem) (?:vou|vamos|quero|queria|pretendo|penso em|precisa|precisam|e pra|vai)"
    r"(?: (?:mais|te|me|voces|ter que|querer))* "
    r"(?:cancelar|desmarcar|faltar|furar|desistir|deixar de|dar (?:bolo|cano|pra tras))\b"
)


def is_kept(flat: str) -> bool:
    """`não vou faltar`, `não quero cancelar`: the words of a cancelling, denied."""
    return bool(_KEPT.search(flat))
