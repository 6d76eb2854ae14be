"""Reads and moves the replies of an empresa: rows of `mensagens` that are to be sent.

Called by `worker.deliver`. A reply goes `pendente` -> `enviando` -> `enviada`; the first step is
committed before the gateway is asked, so that a crash is seen afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from schema.errors import DuplicateKey
from schema.replies import Sent
from tenancy.lease import TenantConnection
from tenancy.trips import Row
from worker.clock import stored
from worker.deliver.facts import Statement, asked_of, condition, moved, read_statement
from worker.fence import raise_and_ask
from worker.queue.keys import Task

# A reply that waits holds up those behind it in its conversation, and must not hide any other.
# The buyer's last message is that of the newest turn: the index holds turns and ids in order.
_READY = """
    SELECT m.id, m.conversation_id, m.canal_id, m.endereco, m.tipo_conteudo, m.conteudo, m.midia,
           m.status, m.tentativas, m.fatos, m.detalhes, m.incertas, m.erro, m.gravada_em,
           (SELECT i.timestamp FROM mensagens i FORCE INDEX (idx_turno)
             WHERE i.conversation_id = m.conversation_id AND i.canal_id = m.canal_id
               AND i.tipo = 'recebida'
             ORDER BY i.turno DESC, i.id DESC LIMIT 1),
           EXISTS (SELECT 1 FROM mensagens s FORCE INDEX (idx_turno)
                    WHERE s.conversation_id = m.conversation_id AND s.canal_id = m.canal_id
                      AND s.tipo = 'enviada' AND s.status IN ('enviada', 'entregue', 'lida'))
      FROM mensagens m
     WHERE m.status IN ('pendente', 'enviando')
       AND (m.canal_id IS NULL OR m.canal_id NOT IN %(held)s)
       AND NOT EXISTS (SELECT 1 FROM mensagens b
                        WHERE b.conversation_id = m.conversation_id
                          AND b.status IN ('pendente', 'enviando') AND b.tentar_em > %(now)s)
     ORDER BY m.id LIMIT %(most)s
"""
_NEXT = """
    SELECT MIN(tentar_em) FROM mensagens
     WHERE status IN ('pendente', 'enviando') AND tentar_em > %(now)s
"""
# Until `tentar_em` nobody else touches it: by then this send has surely ended. It counts as unknown
# until its result is; `erro` is only there when a result was unknown, not after a crash.
_CLAIM = """
    UPDATE mensagens m JOIN _leases l ON l.nome = %(task)s AND l.epoca = %(epoch)s
       SET m.status = 'enviando', m.tentativas = m.tentativas + 1, m.incertas = m.incertas + 1,
           m.tentar_em = %(until)s, m.erro = NULL
     WHERE m.id = %(id)s AND m.status = %(from)s AND m.tentativas = %(tries)s
       AND NOT EXISTS (SELECT 1 FROM lucas_lembretes b
                        WHERE b.mensagem_id = m.id
                          AND (b.ate <= UTC_TIMESTAMP(3) OR NOT EXISTS (
                              SELECT 1 FROM agendamentos a
                               WHERE a.id = b.agendamento_id AND a.data_agendada = b.data_agendada
                                 AND a.status IN ('pendente', 'confirmado'))))
"""
# A person may move or cancel an appointment without telling anybody; and a reminder that was held
# up for too long is of no use.
_OVERTAKEN = """
    SELECT b.mensagem_id FROM lucas_lembretes b
      LEFT JOIN agendamentos a ON a.id = b.agendamento_id AND a.data_agendada = b.data_agendada
                              AND a.status IN ('pendente', 'confirmado')
     WHERE b.mensagem_id IN %(ids)s AND (a.id IS NULL OR b.ate <= UTC_TIMESTAMP(3))
"""
# The buyer or a status report may have come first: the ladder is not climbed down.
_RECORD = """
    UPDATE mensagens
       SET status = IF(status IN ('pendente', 'enviando', 'cancelada'), 'enviada', status),
           external_id = COALESCE(external_id, %(external_id)s),
           enviada_em = UTC_TIMESTAMP(3), tentar_em = NULL, erro = NULL
     WHERE id = %(id)s
"""
_PUT_OFF = """
    UPDATE mensagens SET tentar_em = %(at)s
     WHERE id = %(id)s AND status = %(from)s AND tentativas = %(tries)s
"""
# Only the gateway knows whether an address has the ninth digit. What the buyer himself has written
# from since is his word, and stays.
_LEARN_ADDRESS = """
    UPDATE conversations SET endereco = %(address)s
     WHERE id = %(conversation)s AND canal_id = %(channel)s AND endereco = %(was)s
"""
# Nothing went out this time. What may be out from an earlier time stays `enviando`.
_PUT_BACK = """
    UPDATE mensagens
       SET status = IF(incertas > 1, 'enviando', 'pendente'), incertas = GREATEST(0, incertas - 1),
           erro = %(error)s, tentar_em = %(at)s
     WHERE id = %(id)s AND status = 'enviando'
"""
_LEAVE_UNKNOWN = """
    UPDATE mensagens SET erro = %(error)s, tentar_em = %(at)s
     WHERE id = %(id)s AND status = 'enviando'
"""
# However often it was looked at: it is handed over once.
_AWAIT_REPORT = """
    UPDATE mensagens SET erro = %(error)s, tentar_em = %(at)s, incertas = 1
     WHERE id = %(id)s AND status = 'enviando'
"""
_FAIL = """
    UPDATE mensagens SET status = 'falhou', tentar_em = NULL, erro = %(error)s
     WHERE id = %(id)s AND status IN ('pendente', 'enviando')
"""
_NOBODY = 0
"""No channel has this id."""


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
    states: Statement
    """What must still be true when it is sent."""
    unknown: int
    """Sends of it of which nobody knows whether they went out."""
    error: str | None
    """Why the last send did not end well; None after a crash."""
    written_at: datetime | None
    buyer_wrote_at: datetime | None
    """The buyer's last message to this channel."""
    is_first: bool
    """Nothing has gone out to this buyer on this channel yet."""
    details: str | None = None
    """`mensagens.detalhes` as it is stored."""


class Outbox:
    """The open replies of the empresa whose connection it is given, under one lease."""

    def __init__(self, conn: TenantConnection, epoch: int) -> None:
        self._conn = conn
        self._epoch = epoch

    async def look(
        self, *, now: datetime, most: int, held: Collection[int] = (), raise_fence: bool = False
    ) -> tuple[list[OpenReply], datetime | None]:
        """The oldest replies that may go to the gateway now, in their order; and when the first of
        those that wait may go, None when none waits.

        `held`: channels (canal_id) that send nothing at the moment. `raise_fence`: first, so that
        older leases claim nothing from now on. Raises FenceAhead.
        """
        asked = (
            (_READY, {"now": now, "most": most, "held": [_NOBODY, *sorted(held)]}),
            (_NEXT, {"now": now}),
        )
        if raise_fence:
            _, answers = await raise_and_ask(self._conn, Task.DELIVER, self._epoch, *asked)
        else:
            answers = list(await self._conn.fetch_together(*asked))
        ready, ((waits_until,),) = answers
        return _replies(ready), stored(waits_until)

    async def moved_facts(self, replies: Sequence[OpenReply]) -> set[int]:
        """Ids of the replies that state something which is no longer so."""
        if not replies:
            return set()
        states = {reply.id: reply.states for reply in replies}
        overtaken, *cars = await self._conn.fetch_together(
            (_OVERTAKEN, {"ids": list(states)}), *asked_of(states.values())
        )
        return {row[0] for row in overtaken} | moved(states, *cars)

    async def claim(self, reply: OpenReply, *, until: datetime) -> bool:
        """Marks it as being sent until then. False: it was withdrawn, what it states has moved,
        or our lease has gone."""
        still_true, values = condition(reply.states)
        claimed = await self._conn.execute(
            _CLAIM + still_true,
            {
                **values,
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

    async def put_off(self, reply: OpenReply, *, at: datetime) -> None:
        """It was not claimed: not before `at`, and nothing else of its conversation either."""
        await self._conn.execute(
            _PUT_OFF, {"id": reply.id, "from": reply.status, "tries": reply.tries, "at": at}
        )

    async def put_back(self, reply: OpenReply, *, error: str, at: datetime) -> None:
        """It was claimed and not sent: once more, not before `at`."""
        await self._conn.execute(_PUT_BACK, {"id": reply.id, "error": error, "at": at})

    async def leave_unknown(self, reply: OpenReply, *, error: str, at: datetime) -> None:
        """It may be out: a status or an echo settles it; what comes of it is decided at `at`."""
        await self._conn.execute(_LEAVE_UNKNOWN, {"id": reply.id, "error": error, "at": at})

    async def await_report(self, reply: OpenReply, *, error: str, at: datetime) -> None:
        """The gateway has it and will report; until `at` nothing needs to be looked at."""
        await self._conn.execute(_AWAIT_REPORT, {"id": reply.id, "error": error, "at": at})

    async def fail(self, reply: OpenReply, *, error: str) -> bool:
        """It will never go out. False: it was withdrawn meanwhile, or a status says it is out."""
        return await self._conn.execute(_FAIL, {"id": reply.id, "error": error}) > 0


def _replies(rows: Sequence[Row]) -> list[OpenReply]:
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
            states=read_statement(row[9], row[4], row[6]),
            details=row[10],
            unknown=row[11],
            error=row[12],
            written_at=stored(row[13]),
            buyer_wrote_at=stored(row[14]),
            is_first=not row[15],
        )
        for row in rows
    ]
