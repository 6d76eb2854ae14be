"""Says in plain text what a gateway cannot show. Called by the gateways' `send`.

A buyer answers with the number; `worker` knows from the row which option it means.
"""

from __future__ import annotations

from schema.replies import Location, Reply, ReplyKind

_ANSWER = "Responda com o número da opção."


def as_text(reply: Reply) -> str:
    """The same in words: options numbered from 1, a place with a link to its map."""
    parts = [reply.text] if reply.text else []
    if reply.kind in {ReplyKind.BUTTONS, ReplyKind.LIST}:
        parts += ["\n".join(_numbered(reply)), _ANSWER]
    if reply.location is not None:
        parts.append(_place(reply.location))
    if reply.media_url:
        parts.append(
            f"{reply.file_name}: {reply.media_url}" if reply.file_name else reply.media_url
        )
    return "\n\n".join(parts)


def _numbered(reply: Reply) -> list[str]:
    return [
        f"{number}. {option.title}" + (f" ({option.description})" if option.description else "")
        for number, option in enumerate(reply.options, 1)
    ]


def _place(place: Location) -> str:
    link = f"https://maps.google.com/?q={place.latitude:.6f},{place.longitude:.6f}"
    return "\n".join(part for part in (place.name, place.address, link) if part)
