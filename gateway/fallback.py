"""Says with plain text what a gateway cannot show as buttons or a list. Called by the adapters.

The buyer answers with the number or the title, as he would tap.
"""

from __future__ import annotations

from schema.replies import Option, Reply


def as_text(reply: Reply) -> str:
    """The body, a blank line, and one numbered line for each option."""
    lines = [_line(number, option) for number, option in enumerate(reply.options, start=1)]
    return "\n".join([reply.text or "", "", *lines]) if lines else reply.text or ""


def _line(number: int, option: Option) -> str:
    described = f" – {option.description}" if option.description else ""
    return f"{number}. {option.title}{described}"
