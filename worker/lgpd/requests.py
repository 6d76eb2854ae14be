"""Writes down who asked for a person's data, and what was erased. Called by this room and the CLI.

Rows hold no personal data: keyed digests, ids and counts. They are also the list of erasures that a
restored backup goes through (`worker.lgpd.replay`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from tenancy.central import Central
from tenancy.lease import Connection
from worker.clock import stored

_UNFINISHED = """
    SELECT id, contagens, identidades, clientes FROM lgpd_pedidos
     WHERE empresa_id = %(empresa)s AND titular = %(person)s AND tipo = %(kind)s
       AND terminado_em IS NULL ORDER BY id DESC LIMIT 1
"""
_BEGIN = """
    INSERT INTO lgpd_pedidos (empresa_id, tipo, titular, identidades, clientes, quem, contagens,
                              iniciado_em)
    VALUES (%(empresa)s, %(kind)s, %(person)s, %(identities)s, %(customers)s, %(who)s, %(counts)s,
            UTC_TIMESTAMP(3))
"""
_RESUME = """
    UPDATE lgpd_pedidos
       SET identidades = %(identities)s, clientes = %(customers)s, contagens = %(counts)s
     WHERE id = %(id)s
"""
# What comes from now on is a new beginning; the leases keep all else away.
_ERASING = "UPDATE lgpd_pedidos SET apagado_em = UTC_TIMESTAMP(3) WHERE id = %(id)s"
_END = """
    UPDATE lgpd_pedidos SET terminado_em = UTC_TIMESTAMP(3), guardado = %(kept)s WHERE id = %(id)s
"""
_READ = """
    SELECT id, empresa_id, tipo, titular, identidades, clientes, quem, contagens, guardado,
           iniciado_em, apagado_em, terminado_em
      FROM lgpd_pedidos WHERE {where} ORDER BY id
"""
_ONE, _ERASURES, _ALL = (
    _READ.format(where="id = %(id)s"),
    _READ.format(where="empresa_id = %(id)s AND tipo = 'eliminacao' AND apagado_em IS NOT NULL"),
    _READ.format(where="empresa_id = %(id)s"),
)
_LONGEST_NAME = 190


class RequestKind(StrEnum):
    """The values of `lgpd_pedidos.tipo`."""

    EXPORT = "exportacao"
    ERASURE = "eliminacao"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a request is about, as it may be remembered."""

    empresa_id: int
    phone: str
    """Keyed digest."""
    identities: Sequence[str]
    """Keyed digests."""
    customers: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A row. Times are with a zone; `ended_at` None: it runs, or was killed."""

    id: int
    kind: RequestKind
    subject: Subject
    who: str
    counts: Mapping[str, int]
    kept: Mapping[str, object]
    started_at: datetime | None
    erased_at: datetime | None
    ended_at: datetime | None


class Requests:
    """The table `lgpd_pedidos`. Raises CentralUnavailable; NotMigrated before `migrate`."""

    def __init__(self, central: Central) -> None:
        self._central = central

    async def begin(
        self, kind: RequestKind, subject: Subject, *, who: str, counts: Mapping[str, int]
    ) -> int:
        """Before anything is touched; goes on with the same request when one was killed.

        What was found then and is gone by now stays counted.
        """
        asked = {"empresa": subject.empresa_id, "person": subject.phone, "kind": kind.value}
        async with self._central.transaction() as conn:
            row = await conn.fetch_one(_UNFINISHED, asked)
            if row is None or kind is RequestKind.EXPORT:
                told = _told(subject, counts)
                await conn.execute(_BEGIN, {**asked, **told, "who": who[:_LONGEST_NAME]})
                return conn.last_id
            id_, before, identities, customers = row
            most = {**orjson.loads(before or "{}")}
            most |= {place: max(count, most.get(place, 0)) for place, count in counts.items()}
            both = Subject(
                empresa_id=subject.empresa_id,
                phone=subject.phone,
                identities=sorted({*subject.identities, *orjson.loads(identities or "[]")}),
                customers=sorted({*subject.customers, *orjson.loads(customers or "[]")}),
            )
            await conn.execute(_RESUME, {"id": id_, **_told(both, most)})
            return int(id_)

    async def erasing(self, request_id: int) -> None:
        """Just before the rows go."""
        async with self._central.transaction() as conn:
            await conn.execute(_ERASING, {"id": request_id})

    async def end(self, request_id: int, kept: Mapping[str, object]) -> Request:
        """Everything is done. `kept`: what is not erased, and why."""
        async with self._central.transaction() as conn:
            told = {"id": request_id, "kept": orjson.dumps(kept).decode()}
            await conn.execute(_END, told)
            (done,) = await _requests(conn, _ONE, request_id)
            return done

    async def erasures(self, empresa_id: int) -> list[Request]:
        """All that took rows away, or were about to: what a restored backup goes through."""
        async with self._central.connection() as conn:
            return await _requests(conn, _ERASURES, empresa_id)

    async def all(self, empresa_id: int) -> list[Request]:
        """Exports and erasures, the oldest first."""
        async with self._central.connection() as conn:
            return await _requests(conn, _ALL, empresa_id)


def _told(subject: Subject, counts: Mapping[str, int]) -> dict[str, object]:
    return {
        "identities": orjson.dumps(list(subject.identities)).decode(),
        "customers": orjson.dumps(list(subject.customers)).decode(),
        "counts": orjson.dumps(dict(counts)).decode(),
    }


async def _requests(conn: Connection, sql: str, id_: int) -> list[Request]:
    return [
        Request(
            id=row[0],
            kind=RequestKind(row[2]),
            subject=Subject(
                empresa_id=row[1],
                phone=row[3],
                identities=orjson.loads(row[4] or "[]"),
                customers=orjson.loads(row[5] or "[]"),
            ),
            who=row[6],
            counts=orjson.loads(row[7] or "{}"),
            kept=orjson.loads(row[8] or "{}"),
            started_at=stored(row[9]),
            erased_at=stored(row[10]),
            ended_at=stored(row[11]),
        )
        for row in await conn.fetch_all(sql, {"id": id_})
    ]
