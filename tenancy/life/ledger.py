"""Remembers how far an operation on a dealer has come. Used by every operation of this room.

A step is done, then recorded; so a step that was killed in between is done again and must bear it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from schema.errors import NotConfigured, TryAgain
from tenancy.lease import Connection

_LOCK = "SELECT GET_LOCK(CONCAT('helix:life:', DATABASE(), ':', %(id)s), 0)"
_UNLOCK = "SELECT RELEASE_LOCK(CONCAT('helix:life:', DATABASE(), ':', %(id)s))"
_OPEN = """
    SELECT id, tipo, pedido FROM operacoes_empresa
     WHERE empresa_id = %(id)s AND estado = 'aberta' ORDER BY id LIMIT 1
"""
_BEGIN = """
    INSERT INTO operacoes_empresa (empresa_id, tipo, pedido, iniciada_em)
    VALUES (%(id)s, %(kind)s, %(asked)s, UTC_TIMESTAMP(3))
"""
_STEPS = "SELECT passo, fatos FROM passos_operacao WHERE operacao_id = %(id)s"
_RECORD = """
    INSERT INTO passos_operacao (operacao_id, passo, fatos, terminado_em)
    VALUES (%(id)s, %(step)s, %(facts)s, UTC_TIMESTAMP(3))
"""
_FORGET = "DELETE FROM passos_operacao WHERE operacao_id = %(id)s AND passo <> %(keep)s"
_END = """
    UPDATE operacoes_empresa
       SET estado = %(state)s, erro = %(error)s, resultado = %(result)s,
           resultado_sha256 = %(sha256)s, segura = 0, terminada_em = UTC_TIMESTAMP(3)
     WHERE id = %(id)s
"""
_NEWEST = """
    SELECT resultado FROM operacoes_empresa
     WHERE empresa_id = %(id)s AND tipo = %(kind)s AND estado = 'feita'
     ORDER BY id DESC LIMIT 1
"""
_ERROR_CHARACTERS = 500

Watch = Callable[[str, str], None]
"""Is told of each step what happens to it: `begun`, `acted`, `recorded`."""


class Kind(StrEnum):
    """The values of `operacoes_empresa.tipo`."""

    BACKUP = "backup"
    RESTORE = "restore"
    MOVE = "move"
    DELETE = "delete"


class Facts(BaseModel):
    """What a step found or decided, kept for the steps after it. Base of all such values."""

    model_config = ConfigDict(frozen=True, extra="ignore")


F = TypeVar("F", bound=Facts)


@dataclass(slots=True)
class Operation:
    """One of them on one dealer, as far as it has come."""

    id: int
    empresa_id: int
    kind: Kind
    asked: Mapping[str, str | int | None]
    done: dict[str, str] = field(default_factory=dict)
    """Recorded steps, each with its facts as JSON."""


class Ledger:
    """Over a connection to the central database of one's own, on which statements commit by
    themselves."""

    def __init__(self, conn: Connection, *, watch: Watch = lambda _step, _moment: None) -> None:
        self.conn = conn
        self._watch = watch

    @asynccontextmanager
    async def alone(self, empresa_id: int) -> AsyncIterator[None]:
        """One run at a time works on a dealer; whoever has him may ask again. Raises TryAgain."""
        if (await self.conn.fetch_all(_LOCK, {"id": empresa_id}))[0][0] != 1:
            raise TryAgain(f"something else is being done to empresa {empresa_id}; see its end")
        try:
            yield
        finally:
            # After a kill, and when the connection is lost, the server lets go by itself.
            await self.conn.fetch_all(_UNLOCK, {"id": empresa_id})

    async def open_one(self, empresa_id: int) -> Operation | None:
        """What was begun and not brought to its end."""
        row = await self.conn.fetch_one(_OPEN, {"id": empresa_id})
        if row is None:
            return None
        found = Operation(int(row[0]), empresa_id, Kind(row[1]), json.loads(row[2]))
        steps = await self.conn.fetch_all(_STEPS, {"id": found.id})
        found.done.update({str(name): str(facts) for name, facts in steps})
        return found

    async def begin(
        self, empresa_id: int, kind: Kind, asked: Mapping[str, str | int | None]
    ) -> Operation:
        """A new operation, or the open one if it is the same. Raises NotConfigured for another."""
        found = await self.open_one(empresa_id)
        if found is None:
            values = {"id": empresa_id, "kind": kind.value, "asked": json.dumps(dict(asked))}
            await self.conn.execute(_BEGIN, values)
            return Operation(self.conn.last_id, empresa_id, kind, dict(asked))
        if (found.kind, dict(found.asked)) != (kind, dict(asked)):
            raise NotConfigured(
                empresa_id,
                f"a {found.kind} ({json.dumps(found.asked)}) was begun and is not at its end: "
                f"repeat that command, or `helix empresa abandon {empresa_id}`",
            )
        return found

    async def step(
        self, operation: Operation, name: str, facts: type[F], act: Callable[[], Awaitable[F]]
    ) -> F:
        """Does a step that is not recorded yet; returns what it, or an earlier run, found."""
        known = operation.done.get(name)
        if known is not None:
            return facts.model_validate_json(known)
        self._watch(name, "begun")
        found = await act()
        self._watch(name, "acted")
        body = found.model_dump_json()
        await self.conn.execute(_RECORD, {"id": operation.id, "step": name, "facts": body})
        operation.done[name] = body
        self._watch(name, "recorded")
        return found

    async def forget_all_but(self, operation: Operation, keep: str) -> None:
        """For whoever undoes an operation: should it go on after all, it does its steps again."""
        await self.conn.execute(_FORGET, {"id": operation.id, "keep": keep})
        for name in operation.done.keys() - {keep}:
            del operation.done[name]

    async def finish(self, operation: Operation, result: BaseModel) -> None:
        """The operation is at its end."""
        await self._end(operation, "feita", result=result.model_dump_json())

    async def give_up(self, operation: Operation, error: str) -> None:
        """Undone; a new one may begin."""
        await self._end(operation, "desistida", error=error[:_ERROR_CHARACTERS])

    async def newest_result(self, empresa_id: int, kind: Kind) -> str | None:
        """JSON of the last one that came to its end."""
        row = await self.conn.fetch_one(_NEWEST, {"id": empresa_id, "kind": kind.value})
        return None if row is None or row[0] is None else str(row[0])

    async def _end(
        self,
        operation: Operation,
        state: str,
        *,
        error: str | None = None,
        result: str | None = None,
    ) -> None:
        digest = None if result is None else hashlib.sha256(result.encode()).hexdigest()
        await self.conn.execute(
            _END,
            {
                "id": operation.id,
                "state": state,
                "error": error,
                "result": result,
                "sha256": digest,
            },
        )
