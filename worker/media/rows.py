"""Reads and writes what rows of `mensagens` say of their files. Called by this room's job.

`midia_em` is when something is to be done for a file; NULL: nothing is. Doing it twice changes
nothing, so that no fence is needed: the file has the same hash, the row the same values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schema.events import EventKind
from tenancy.lease import TenantConnection
from worker.clock import stored
from worker.drain.messages import fitting
from worker.fence import after_the_drain

# What a turn waits for comes first.
_DUE = """
    SELECT id, conversation_id, turno, canal_id, external_id, tipo_conteudo, midia,
           midia_tentativas, midia_hash, midia_onde, conteudo IS NOT NULL, recebida_em
      FROM mensagens
     WHERE midia_em <= %(now)s
     ORDER BY tipo_conteudo = 'audio' DESC, midia_em, id LIMIT %(most)s
"""
_NEXT = "SELECT MIN(midia_em) FROM mensagens WHERE midia_em IS NOT NULL"
_KEPT = """
    UPDATE mensagens
       SET midia_hash = %(digest)s, midia_tipo = %(type)s, midia_bytes = %(bytes)s,
           midia_onde = %(key)s, midia_erro = NULL, midia_tentativas = 0, midia_em = %(next)s
     WHERE id = %(id)s
"""
_PUT_BACK = """
    UPDATE mensagens SET midia_tentativas = %(tries)s, midia_erro = %(error)s, midia_em = %(at)s
     WHERE id = %(id)s
"""
_SETTLE = """
    UPDATE mensagens SET transcricao = %(text)s, midia_erro = %(error)s, midia_em = NULL
     WHERE id = %(id)s
"""
# Only a turn that waits for nothing but audio (see worker.drain.hearing) is brought forward: its
# time is then that of an audio and the longest wait.
_BRING_FORWARD = """
    UPDATE conversations c SET c.responder_em = %(now)s
     WHERE c.id = %(conversation)s AND c.turno = %(turn)s - 1 AND c.responder_em > %(now)s
       AND EXISTS (SELECT 1 FROM mensagens a
                    WHERE a.conversation_id = c.id AND a.turno = %(turn)s
                      AND a.tipo_conteudo = 'audio'
                      AND c.responder_em = a.recebida_em + INTERVAL %(wait_us)s MICROSECOND)
       AND NOT EXISTS (SELECT 1 FROM mensagens b
                        WHERE b.conversation_id = c.id AND b.turno = %(turn)s
                          AND b.tipo_conteudo = 'audio' AND b.midia_em IS NOT NULL)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A message whose file is to be fetched, or heard once it is kept."""

    id: int
    conversation_id: int
    turn: int | None
    canal_id: int | None
    external_id: str | None
    kind: EventKind
    address: str
    tries: int
    digest: str | None
    """Of the file that is kept already; None: it is still to be fetched."""
    key: str | None
    has_text: bool
    received_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file in the store."""

    digest: str
    key: str
    mime_type: str
    size: int


async def due(conn: TenantConnection, *, now: datetime, most: int) -> list[FileRow]:
    """What there is to do now."""
    return [
        FileRow(
            id=row[0],
            conversation_id=row[1],
            turn=row[2],
            canal_id=row[3],
            external_id=row[4],
            kind=EventKind(row[5]),
            address=row[6] or "",
            tries=row[7],
            digest=row[8],
            key=row[9],
            has_text=bool(row[10]),
            received_at=stored(row[11]),
        )
        for row in await conn.fetch_all(_DUE, {"now": now, "most": most})
    ]


async def next_at(conn: TenantConnection) -> datetime | None:
    """When there is something to do again, None for when the drain rings."""
    rows = await conn.fetch_all(_NEXT)
    return stored(rows[0][0])


async def keep(
    conn: TenantConnection, row: FileRow, kept: KeptFile, *, next_step: datetime | None
) -> None:
    """The file is in the store. `next_step`: when it is to be heard."""
    await conn.execute(
        _KEPT,
        {
            "id": row.id,
            "digest": kept.digest,
            "type": kept.mime_type,
            "bytes": kept.size,
            "key": kept.key,
            "next": next_step,
        },
    )


async def put_back(conn: TenantConnection, row: FileRow, *, error: str, at: datetime) -> None:
    """Once more, not before `at`."""
    await conn.execute(_PUT_BACK, {"id": row.id, "tries": row.tries + 1, "error": error, "at": at})


async def settle(
    conn: TenantConnection,
    row: FileRow,
    *,
    text: str | None = None,
    error: str | None = None,
    now: datetime,
    wait: timedelta | None,
) -> bool:
    """Nothing more is done for this file: it was heard (`text`), or never will be (`error`).

    In the caller's transaction. True when a turn that waited for it may be taken now; `wait` is
    how long turns wait, None when none does.
    """
    if wait is not None and row.kind is EventKind.AUDIO:
        await after_the_drain(conn)
    await conn.execute(_SETTLE, {"id": row.id, "text": fitting(text), "error": error})
    if wait is None or row.kind is not EventKind.AUDIO or row.turn is None:
        return False
    moved = await conn.execute(
        _BRING_FORWARD,
        {
            "conversation": row.conversation_id,
            "turn": row.turn,
            "now": now,
            "wait_us": round(wait.total_seconds() * 1_000_000),
        },
    )
    return moved > 0
