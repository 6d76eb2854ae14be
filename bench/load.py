"""The messages that are measured, and the way in for each contestant. Called by `bench.contest`.

Interleaved over empresas and conversations, as a busy hour brings them; in order within each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

from arq.connections import ArqRedis

from bench.ground import GATEWAY, Ground, channel_of
from bench.sizes import Shape
from schema.events import Event, EventKind
from worker.queue.inbox import Inbox

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
_AT_ONCE = 64

Put = Callable[[int, Event], Awaitable[object]]
"""Puts one event of an empresa into a contestant's queue."""


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


async def preload(ground: Ground, shape: Shape, put: Put) -> None:
    """All messages, one by one; those of a conversation never overtake each other."""
    for place in range(shape.messages):
        waiting = iter(
            [put(empresa_id, event) for empresa_id, event in _round(ground, shape, place)]
        )
        await asyncio.gather(*(_one_after_another(waiting) for _ in range(_AT_ONCE)))


def into_inbox(redis: ArqRedis) -> Put:
    """The product's way in, as the webhook goes it."""
    inbox = Inbox(redis)

    async def put(empresa_id: int, event: Event) -> object:
        return await inbox.push(empresa_id, [event])

    return put


def into_arq(redis: ArqRedis, job: str) -> Put:
    """One arq job per message; its id is the message's, so that arq drops what comes twice."""

    async def put(empresa_id: int, event: Event) -> object:
        body = event.model_dump_json(exclude_defaults=True)
        return await redis.enqueue_job(job, empresa_id, body, _job_id=event.message_id)

    return put


async def _one_after_another(waiting: Iterator[Awaitable[object]]) -> None:
    for put in waiting:
        await put


def _round(ground: Ground, shape: Shape, place: int) -> Sequence[tuple[int, Event]]:
    now = int(time.time())
    return [
        (empresa_id, _event(empresa_id, conversation, place, now))
        for conversation in range(shape.conversations)
        for empresa_id in ground.empresa_ids[: shape.empresas]
    ]


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
