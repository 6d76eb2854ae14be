"""The messages that are measured. Called by `bench.queues` and `bench.limit`.

Interleaved over empresas and conversations, as a busy hour brings them; in order within each.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from bench.ground import GATEWAY, channel_of
from bench.sizes import Shape
from schema.events import Event, EventKind

_LINES = (
    "oi, tem onix até 70 mil?",
    "qual o km dele?",
    "é automático?",
    "manda foto",
    "tem outro mais barato?",
    "e hb20, tem?",
    "aceita meu carro na troca?",
    "onde fica a loja?",
    "dá pra financiar?",
    "quero um suv automático até 120 mil",
)


def message_id(empresa_id: int, conversation: int, place: int) -> str:
    """`place` counts the messages of a conversation; the check reads it back."""
    return f"wamid.bench.{empresa_id}.{conversation}.{place}"


def place_of(external_id: str) -> tuple[int, int]:
    """(conversation, place) of an id that `message_id` made."""
    *_, conversation, place = external_id.split(".")
    return int(conversation), int(place)


def phone_of(conversation: int) -> str:
    """The buyer of a conversation."""
    return f"55419{conversation:08d}"


Block = tuple[int, list[Event]]
"""Messages of one buyer that come in a row, and the empresa that he writes to."""


def rounds(empresa_ids: Sequence[int], shape: Shape) -> Iterator[list[Block]]:
    """All messages. Blocks of one round are of different buyers, so their order is all one."""
    now = int(time.time())
    for first in range(0, shape.messages, shape.burst):
        places = range(first, min(first + shape.burst, shape.messages))
        yield [
            (empresa_id, [_event(empresa_id, conversation, place, now) for place in places])
            for conversation in range(shape.conversations)
            for empresa_id in empresa_ids[: shape.empresas]
        ]


def one_event(empresa_id: int, conversation: int, place: int) -> Event:
    """A message of this moment."""
    return _event(empresa_id, conversation, place, int(time.time()))


def _event(empresa_id: int, conversation: int, place: int, now: int) -> Event:
    phone = phone_of(conversation)
    return Event(
        kind=EventKind.TEXT,
        message_id=message_id(empresa_id, conversation, place),
        phone=phone,
        channel=channel_of(empresa_id),
        text=_LINES[(conversation + place) % len(_LINES)],
        timestamp=now,
        from_me=False,
        gateway=GATEWAY,
        reply_to=phone,
        push_name="Ana Souza",
    )
