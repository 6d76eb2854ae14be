"""Reads and writes `migracao_execucao` and `migracao_empresa`. Used by `tenancy.fleet.run`.

The ledger is for people and for going on; a row may be behind by a moment when a run is killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schema.errors import MigrationLocked
from tenancy.fleet.values import EmpresaState, Outcome, RunRow, RunState, State, Wave
from tenancy.lease import Connection

_LOCK = "SELECT GET_LOCK(CONCAT('hx:fleet:', SHA1(DATABASE())), 0)"
_HOLDER = "SELECT IS_USED_LOCK(CONCAT('hx:fleet:', SHA1(DATABASE())))"
_RUN = """
    SELECT id, versao, estado, motivo, executor, iniciada_em, terminada_em FROM migracao_execucao
"""
_LAST = _RUN + " ORDER BY id DESC LIMIT 1"
_ONE = _RUN + " WHERE id = %(id)s"
_BEGIN = """
    INSERT INTO migracao_execucao (versao, estado, executor, iniciada_em)
    VALUES (%(version)s, 'executando', %(runner)s, UTC_TIMESTAMP(3))
"""
_GO_ON = """
    UPDATE migracao_execucao
       SET versao = %(version)s, estado = 'executando', motivo = NULL, executor = %(runner)s,
           terminada_em = NULL
     WHERE id = %(id)s
"""
_END = """
    UPDATE migracao_execucao
       SET estado = %(state)s, motivo = %(reason)s, terminada_em = UTC_TIMESTAMP(3)
     WHERE id = %(id)s
"""
_ENROL = """
    INSERT INTO migracao_empresa (execucao_id, empresa_id, onda, estado) VALUES (%s, %s, %s, %s)
"""
_EMPRESAS = """
    SELECT empresa_id, onda, estado, versao, passos, tentativas, duracao_ms, erro
      FROM migracao_empresa WHERE execucao_id = %(id)s ORDER BY empresa_id
"""
_BEGAN = """
    UPDATE migracao_empresa SET estado = 'executando', tentativas = tentativas + 1
     WHERE execucao_id = %(id)s AND empresa_id IN %(empresas)s
"""
# Rows are there: the INSERT never takes place. It is the way to change many by one statement.
_CAME_OUT = """
    INSERT INTO migracao_empresa
           (execucao_id, empresa_id, onda, estado, versao, passos, duracao_ms, erro)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON DUPLICATE KEY UPDATE estado = VALUES(estado), versao = COALESCE(VALUES(versao), versao),
           passos = passos + VALUES(passos), duracao_ms = VALUES(duracao_ms), erro = VALUES(erro)
"""
_ERROR_CHARS = 2000


class Ledger:
    """Over a connection to the central database on which every statement commits by itself."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def lock(self) -> None:
        """Ours until the connection ends. Raises MigrationLocked, which names the other runner."""
        ((got,),) = await self._conn.fetch_all(_LOCK)
        if not got:
            raise MigrationLocked(f"{await self._other()}; `helix migrate --status` shows it")

    async def _other(self) -> str:
        last = await self.last()
        if last is None or last.state is not RunState.RUNNING:
            return "another run over all dealers begins at this moment"
        return (
            f"run {last.id} is under way: {last.runner}, since {last.started_at:%Y-%m-%d %H:%M} UTC"
        )

    async def is_locked(self) -> bool:
        """Whether somebody runs at this moment."""
        ((holder,),) = await self._conn.fetch_all(_HOLDER)
        return holder is not None

    async def last(self) -> RunRow | None:
        """The newest run."""
        row = await self._conn.fetch_one(_LAST)
        return None if row is None else _run(row)

    async def get(self, run: int) -> RunRow | None:
        """One run."""
        row = await self._conn.fetch_one(_ONE, {"id": run})
        return None if row is None else _run(row)

    async def begin(self, version: int, runner: str, waves: Mapping[int, Wave]) -> int:
        """A new run with all its dealers waiting; returns its id."""
        await self._conn.execute(_BEGIN, {"version": version, "runner": runner})
        run = self._conn.last_id
        await self.enrol(run, waves)
        return run

    async def enrol(self, run: int, waves: Mapping[int, Wave]) -> None:
        """Adds dealers to a run, in one statement."""
        rows = [(run, id_, wave.value, State.PENDING.value) for id_, wave in waves.items()]
        await self._conn.execute_many(_ENROL, rows)

    async def go_on(self, run: int, version: int, runner: str) -> None:
        """A run that had ended, or was killed, is under way again."""
        await self._conn.execute(_GO_ON, {"id": run, "version": version, "runner": runner})

    async def end(self, run: int, state: RunState, reason: str | None) -> None:
        """All waves are gone, or it must stop."""
        await self._conn.execute(_END, {"id": run, "state": state.value, "reason": reason})

    async def empresas(self, run: int) -> list[EmpresaState]:
        """What became of each dealer so far, by id."""
        return [_empresa(row) for row in await self._conn.fetch_all(_EMPRESAS, {"id": run})]

    async def began(self, run: int, empresas: Sequence[int]) -> None:
        """These are being worked on."""
        if empresas:
            await self._conn.execute(_BEGAN, {"id": run, "empresas": list(empresas)})

    async def came_out(self, run: int, outcomes: Iterable[Outcome]) -> None:
        """In one statement."""
        await self._conn.execute_many(
            _CAME_OUT,
            [
                (
                    run, one.empresa_id, one.wave.value, one.state.value, one.version, one.steps,
                    one.duration_ms, None if one.error is None else str(one.error)[:_ERROR_CHARS],
                )
                for one in outcomes
            ],
        )  # fmt: skip


def _run(row: tuple[Any, ...]) -> RunRow:
    id_, version, state, reason, runner, started, finished = row
    return RunRow(
        id=id_,
        version=version,
        state=RunState(state),
        reason=reason,
        runner=runner,
        started_at=started,
        finished_at=finished,
    )


def _empresa(row: tuple[Any, ...]) -> EmpresaState:
    empresa_id, wave, state, version, steps, attempts, duration_ms, error = row
    return EmpresaState(
        empresa_id=empresa_id,
        wave=Wave(wave),
        state=State(state),
        version=version,
        steps=steps,
        attempts=attempts,
        duration_ms=duration_ms,
        error=error,
    )
