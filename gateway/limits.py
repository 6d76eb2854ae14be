"""What WhatsApp itself allows in one message. Called by the gateways' `send` before they ask.

Source: Meta's Cloud API reference, "Messages"; the unofficial gateways speak to the same servers.
"""

from __future__ import annotations

from yarl import URL

from schema.errors import SendRefused
from schema.replies import Reply, ReplyKind

LONGEST_TEXT, LONGEST_CAPTION, LONGEST_BODY, LONGEST_PARAMETER = 4096, 1024, 1024, 1024
_LONGEST = {
    ReplyKind.TEXT: LONGEST_TEXT,
    ReplyKind.IMAGE: LONGEST_CAPTION,
    ReplyKind.DOCUMENT: LONGEST_CAPTION,
    ReplyKind.BUTTONS: LONGEST_BODY,
    ReplyKind.LIST: LONGEST_BODY,
}


def check(reply: Reply) -> None:
    """Raises SendRefused, which says what is wrong: a person reads it beside the row."""
    longest = _LONGEST.get(reply.kind)
    length = len(reply.text or "")
    if longest is not None and length > longest:
        raise SendRefused(f"its text has {length} characters; {reply.kind} allows {longest}")
    if reply.media_url and not _is_http(reply.media_url):
        raise SendRefused("its file has no http address")
    for parameter in reply.template.parameters if reply.template else ():
        if not 0 < len(parameter.strip()) <= LONGEST_PARAMETER:
            raise SendRefused(f"a parameter of its template is empty or over {LONGEST_PARAMETER}")
    if reply.kind in {ReplyKind.BUTTONS, ReplyKind.LIST}:
        _check_options(reply)


def _is_http(address: str) -> bool:
    try:
        url = URL(address)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.host)


def _check_options(reply: Reply) -> None:
    seen = [option.id for option in reply.options]
    titles = [option.title for option in reply.options]
    if len(set(seen)) < len(seen) or len(set(titles)) < len(titles):
        raise SendRefused("two of its options have the same id or title")
