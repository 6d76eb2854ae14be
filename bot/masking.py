"""Takes plates, documents, cards and keys out of a text. Called before anything is remembered.

What a buyer wrote stays in his message, which is the record; nowhere else.
"""

from __future__ import annotations

import re

_MASK = "***"
# Brazilian plates, old (ABC-1234) and Mercosul (ABC1D23). With a blank only after `placa`, or a
# `gol 2014` would be one.
_PLATE = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]{3}-?[0-9][A-Ja-j][0-9]{2}|[A-Za-z]{3}-[0-9]{4}|[A-Z]{3}[0-9]{4}"
    r"|(?<=placa )[A-Za-z]{3} ?[0-9][A-Ja-j0-9][0-9]{2})(?![A-Za-z0-9])"
)
# CPF, CNPJ and cards, in their own groups or as one long run; longer than any price or mileage.
_DOCUMENT = re.compile(
    r"(?<![0-9.,])(?:[0-9]{3}\.[0-9]{3}\.[0-9]{3}-?[0-9]{2}|[0-9]{9}-[0-9]{2}"
    r"|[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}|(?:[0-9]{4}[ .-]){3}[0-9]{1,7}"
    r"|[0-9]{12,19})(?![0-9])"
)
_PHONE = re.compile(
    r"(?<![0-9.,])(?:(?:\+?55 ?)?\(?[0-9]{2}\)? ?9? ?[0-9]{4}-[0-9]{4}"
    r"|\(?[0-9]{2}\)? 9[0-9]{4} ?[0-9]{4}|[0-9]{10,13})(?![0-9])"
)
_RENAVAM = re.compile(r"(?i)\brenavam\D{0,5}[0-9]{9,11}")
# Begins only where a word begins, and takes it whole: or one endless word would be read from each
# of its letters.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")


def masked(text: str) -> str:
    """The text with *** in place of what identifies a person, his card or his car."""
    for pattern in (_EMAIL, _RENAVAM, _DOCUMENT, _PHONE, _PLATE):
        text = pattern.sub(_MASK, text)
    return text


def holds_document(text: str) -> bool:
    """True when a CPF, a card or the like is in it, which nobody should send to a chat."""
    said = re.search(r"(?i)\bcpf\b|\bcart[aã]o\b|\brg\b|\bcnpj\b", text)
    long = _DOCUMENT.search(text) or (said and _PHONE.search(text))
    return long is not None
