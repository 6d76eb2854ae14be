"""Reads and moves the replies of an empresa: rows of `mensagens` that are to be sent.

Called by `worker.deliver`. A reply goes `pendente` -> `enviando` -> `enviada`; the first step is
committed before the gateway is asked, so that a crash is seen afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import orjson

from schema.errors import DuplicateKey
from schema.replies import Sent
from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.queue.keys import Task

# A reply that waits holds up those behind it in its conversation, and must not hide any other.
_READY = """
    SELECT m.id, m.conversation_id, m.canal_id, m.endereco, m.tipo_conteudo, m.conteudo, m.midia,
           m.status, m.tentativas, m.fatos
      FROM mensagens m
     WHERE m.status IN ('pendente', 'enviando')
       AND NOT EXISTS (SELECT 1 FROM mensagens b
                        WHERE b.conversation_id = m.conversation_id
                          AND b.status IN ('pendente', 'enviando') AND b.tentar_em > %(now)s)
     ORDER BY m.id LIMIT %(most)s
"""
_NEXT = """
    SELECT MIN(tentar_em) FROM mensagens
     WHERE status IN ('pendente', 'enviando') AND tentar_em > %(now)s
"""
# Until `tentar_em` nobody else touches it: by then this send has surely ended.
_CLAIM = """
    UPDATE mensagens m JOIN _leases l ON l.nome = %(task)s AND l.epoca = %(epoch)s
       SET m.status = 'enviando', m.tentativas = m.tentativas + 1, m.tentar_em = %(until)s
     WHERE m.id = %(id)s AND m.status = %(from)s AND m.tentativas = %(tries)s
"""
# The buyer or a status report may have come first: the ladder is not climbed down.
_RECORD = """
    UPDATE mensagens
       SET status = IF(status IN ('pendente', 'enviando', 'cancelada'), 'enviada', status),
           external_id = COALESCE(external_id, %(external_id)s),
           enviada_em = UTC_TIMESTAMP(3), tentar_em = NULL, erro = NULL
     WHERE id = %(id)s
"""
# Only the gateway knows whether an address has the ninth digit. What the buyer himself has written
# from since is his word, and stays.
_LEARN_ADDRESS = """
    UPDATE conversations SET endereco = %(address)s
     WHERE id = %(conversation)s AND canal_id = %(channel)s AND endereco = %(was)s
"""
_PUT_BACK = """
    UPDATE mensagens SET status = %(status)s, erro = %(error)s, tentar_em = %(at)s
     WHERE id = %(id)s AND status = 'enviando'
"""
_FAIL = """
    UPDATE mensagens SET status = 'falhou', tentar_em = NULL, erro = %(error)s
     WHERE id = %(id)s AND status IN ('pendente', 'enviando')
"""
_CARS = "SELECT id, price, COALESCE(status, 'available') FROM cars WHERE id IN %(ids)s"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReply:
    """A reply that is to be sent, or that was being sent when its worker died."""

    id: int
    conversation_id: int
    canal_id: int | None
    address: str | None
    kind: str
    text: str | None
    media_url: str | None
    status: str
    tries: int
    facts: tuple[tuple[int, Decimal | None, str], ...]
    """(car id, price, status) that it states."""


class Outbox:
    """The open replies of the empresa whose connection it is given, under one lease."""

    def __init__(self, conn: TenantConnection, epoch: int) -> None:
        self._conn = conn
        self._epoch = epoch

    async def ready(self, *, now: datetime, most: int) -> list[OpenReply]:
        """The oldest replies that may go to the gateway now, in their order."""
        return [
            OpenReply(
                id=row[0],
                conversation_id=row[1],
                canal_id=row[2],
                address=row[3],
                kind=row[4],
                text=row[5],
                media_url=row[6],
                status=row[7],
                tries=row[8],
                facts=_facts(row[9]),
            )
            for row in await self._conn.fetch_all(_READY, {"now": now, "most": most})
        ]

    async def next_at(self, *, now: datetime) -> datetime | None:
        """When the first of those that wait may go, None when none waits."""
        rows = await self._conn.fetch_all(_NEXT, {"now": now})
        return stored(rows[0][0])

    async def moved_facts(self, replies: Sequence[OpenReply]) -> set[int]:
        """Ids of the replies that state something which is no longer so."""
        ids = {car_id for reply in replies for car_id, _, _ in reply.facts}
        if not ids:
            return set()
        rows = await self._conn.fetch_all(_CARS, {"ids": sorted(ids)})
        now = {car_id: (price, status) for car_id, price, status in rows}
        return {reply.id for reply in replies if not _still_true(reply, now)}

    async def claim(self, reply: OpenReply, *, until: datetime) -> bool:
        """Marks it as being sent until then. False: it was withdrawn, or our lease has gone."""
        claimed = await self._conn.execute(
            _CLAIM,
            {
                "task": Task.DELIVER.value,
                "epoch": self._epoch,
                "id": reply.id,
                "from": reply.status,
                "tries": reply.tries,
                "until": until,
            },
        )
        return claimed > 0

    async def record(self, reply: OpenReply, sent: Sent) -> None:
        """The gateway took it. True whoever holds the lease by now, so no fence."""
        try:
            await self._conn.execute(
                _RECORD, {"id": reply.id, "external_id": sent.message_id[:255]}
            )
        except DuplicateKey:  # its own echo came first: sent it is all the same
            await self._conn.execute(_RECORD, {"id": reply.id, "external_id": None})
        if sent.address is not None and sent.address != reply.address:
            told = {"address": sent.address, "was": reply.address}
            place = {"conversation": reply.conversation_id, "channel": reply.canal_id}
            await self._conn.execute(_LEARN_ADDRESS, {**told, **place})

    async def put_back(self, reply: OpenReply, *, error: str, at: datetime) -> None:
        """It was not sent: once more, not before `at`."""
        await self._conn.execute(
            _PUT_BACK, {"id": reply.id, "status": "pendente", "error": error, "at": at}
        )

    async def leave_unknown(self, reply: OpenReply, *, error: str, at: datetime) -> None:
        """It may be out: a status report settles it; when none comes until `at`, once more."""
        await self._conn.execute(
            _PUT_BACK, {"id": reply.id, "status": "enviando", "error": error, "at": at}
        )

    async def fail(self, reply: OpenReply, *, error: str) -> None:
        """It will never go out."""
        await self._conn.execute(_FAIL, {"id": reply.id, "error": error})


def _facts(text: str | None) -> tuple[tuple[int, Decimal | None, str], ...]:
    if text is None:
        return ()
    return tuple(
        (
            fact["car_id"],
            None if fact["preco"] is None else Decimal(fact["preco"]),
            fact["status"],
        )
        for fact in orjson.loads(text)
    )


def _still_true(reply: OpenReply, now: dict[int, tuple[Decimal, str]]) -> bool:
    for car_id, price, status in reply.facts:
        if car_id not in now:
            return False
        price_now, status_now = now[car_id]
        if status != status_now or (price is not None and price != price_now):
            return False
    return True
