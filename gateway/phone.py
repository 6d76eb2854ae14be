"""Makes one key out of the many ways to write a buyer's number. Called by the parsers.

The key is for finding a customer, never for sending: an account opened before Brazil's mobile
numbers got their ninth digit still has an address without it, and only WhatsApp knows which.
"""

from __future__ import annotations

import re

_PHONE_SERVERS = frozenset({"s.whatsapp.net", "c.us"})
_NOT_A_BUYER = frozenset({"g.us", "broadcast", "newsletter"})

_DEVICE = re.compile(r"[:._]")
"""What follows in a jid's user part names an agent or a device, not the person."""
_DIALLED = re.compile(r"[0-9+()\-. \u00a0]+", re.ASCII)
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_OLD_MOBILE = re.compile(r"55[1-9][1-9][6-9][0-9]{7}")
"""55, an area code (two digits, no zero) and the eight digits of a mobile before the reform.
Eight digits starting 2 to 5 are a landline, which never gets a ninth one."""
_AREA_ENDS = 4
_SHORTEST, _LONGEST = 5, 20


def canonical_phone(address: str | None) -> str | None:
    """Digits only, Brazilian mobiles with the ninth digit; None when this is no phone address.

    Takes a bare number or a jid (`5531...:24@s.whatsapp.net`, `5531...@c.us`). Lids, groups,
    stories and channels are never phones. Applying it twice changes nothing.
    """
    if not address:
        return None
    user, at, server = address.partition("@")
    if at:
        if server.lower() not in _PHONE_SERVERS:
            return None
        user = _DEVICE.split(user, maxsplit=1)[0]
    if not _DIALLED.fullmatch(user):
        return None
    digits = _NOT_A_DIGIT.sub("", user)
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return None
    if _OLD_MOBILE.fullmatch(digits):
        return f"{digits[:_AREA_ENDS]}9{digits[_AREA_ENDS:]}"
    return digits


def not_a_buyer(jid: str | None) -> str | None:
    """Why a chat is no buyer's: `group`, `broadcast` or `newsletter`; None for a person's chat."""
    server = (jid or "").rpartition("@")[2].lower()
    if server not in _NOT_A_BUYER:
        return None
    return "group" if server == "g.us" else server


def masked(address: str) -> str:
    """For logs: enough of an address to tell two apart, too little to call anyone."""
    user = address.partition("@")[0]
    return f"...{user[-4:]}" if len(user) > 4 else "..."
