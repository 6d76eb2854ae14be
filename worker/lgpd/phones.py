"""Which numbers a written one may mean. Called by this room and by `helix lgpd`.

What a person types must name a number beyond doubt; what a dealer stored is read in every way that
it may have been meant.
"""

from __future__ import annotations

import re

from gateway.phone import canonical_phone

_NOT_A_DIGIT = re.compile(r"[^0-9]")
_NATIONAL = re.compile(r"[1-9][1-9](?:9[0-9]{8}|[2-9][0-9]{7})")
"""Area code and number, mobile (with the ninth digit or without) or landline."""
_WITH_COUNTRY = re.compile(r"55[1-9][1-9](?:9[0-9]{8}|[2-9][0-9]{7})")
_OLD_MOBILE = re.compile(r"(55[1-9][1-9])9([6-9][0-9]{7})")


def read_phone(text: str) -> str:
    """A number that somebody typed, as `customers.phone` has it.

    Brazilian ones with 55, or in the way that people write them, `(11) 98765-4321`; others with a
    plus sign: bare digits without a country may be Porto Alegre's or Peru's. Raises ValueError,
    without the number.
    """
    found = readings(text)
    bare = text.strip().isascii() and text.strip().isdigit()
    if len(found) != 1 or (bare and not _WITH_COUNTRY.fullmatch(text.strip())):
        raise ValueError(
            "write the number with its country: +55 11 98765-4321; other countries with a plus, too"
        )
    return next(iter(found))


def readings(stored: str) -> frozenset[str]:
    """Every number that this may be, as the product writes numbers; none when it is no number.

    Digits alone have their country, for the product itself stores them so. With blanks, brackets or
    dashes and without a plus sign it is a Brazilian's way to leave the country out.
    """
    text = stored.strip()
    whole = canonical_phone(text)
    digits = _NOT_A_DIGIT.sub("", text)
    if "@" in text or text.startswith("+") or digits == text:
        return frozenset() if whole is None else frozenset({whole})
    national = digits.lstrip("0")
    if _NATIONAL.fullmatch(national):
        whole = canonical_phone(f"55{national}")
    return frozenset() if whole is None else frozenset({whole})


def may_be_national(stored: str, phone: str) -> bool:
    """Whether bare digits without a country would be this Brazilian number: a person must say."""
    text = stored.strip().lstrip("0")
    return bool(_NATIONAL.fullmatch(text)) and canonical_phone(f"55{text}") == phone


def forms(phone: str) -> frozenset[str]:
    """All ways of digits in which gateways and older installations have the number."""
    old = _OLD_MOBILE.fullmatch(phone)
    return frozenset({phone} if old is None else {phone, f"{old[1]}{old[2]}"})
