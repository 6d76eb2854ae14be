"""Erases what is older than its dealer wants it kept. The nightly arq job of `worker.arq_queues`.

In small steps that commit by themselves, so that it may be stopped anywhere and goes on the next
night. One process at a time in all the system; a dealer who cannot be served is left for the next
night.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from redis.asyncio import Redis

from schema.errors import HelixError
from tenancy.lease import TenantConnection
from tenancy.start import Tenancy
from worker.alone import alone
from worker.clock import from_ms, to_ms
from worker.fence import after_the_drain
from worker.lgpd.files import delete_files, key_of_name, only_his
from worker.lgpd.leases import hold
from worker.lgpd.settings import PrivacySettings
from worker.lgpd.terms import Terms, note_reached, terms_of
from worker.media.store import MediaStore
from worker.queue.keys import UNKNOWN_CHANNEL, UNREADABLE, Task, dead_letters
from worker.queue.lease import LeaseDesk

log = structlog.get_logger()

_RUNNER = "helix:retention"
_AT_ONCE = 500
_PATIENCE_S = 20.0
# What is still to be sent or fetched is no old message, whenever it was written.
_OLD = """
    SELECT id, midia_onde, midia FROM mensagens
     WHERE timestamp < %(before)s AND COALESCE(status, '') NOT IN ('pendente', 'enviando')
       AND midia_em IS NULL
     ORDER BY timestamp LIMIT %(most)s
"""
_DELETE = "DELETE FROM mensagens WHERE id IN %(ids)s"
_DELETE_REMINDERS = "DELETE FROM lucas_lembretes WHERE mensagem_id IN %(ids)s"
_FORGET_TALKS = """
    UPDATE conversations
       SET last_message = NULL, estado = NULL, turno_anterior = NULL, resumo = NULL
     WHERE last_interaction < %(before)s AND responder_em IS NULL
       AND COALESCE(last_message, estado, turno_anterior, resumo) IS NOT NULL
     LIMIT %(most)s
"""
_OLD_FILES = """
    SELECT id, midia_onde, midia FROM mensagens
     WHERE timestamp < %(before)s AND timestamp >= %(since)s AND midia_em IS NULL
       AND (midia_onde IS NOT NULL OR midia LIKE 'stored:%%') LIMIT %(most)s
"""
_FORGET_FILES = """
    UPDATE mensagens SET midia_onde = NULL, midia_hash = NULL, midia = NULL, transcricao = NULL,
                         midia_erro = 'apagado pelo prazo de retenção'
     WHERE id IN %(ids)s
"""
_FORGET_DECISIONS = """
    UPDATE mensagens SET decisao = NULL
     WHERE timestamp < %(before)s AND timestamp >= %(since)s AND decisao IS NOT NULL
     LIMIT %(most)s
"""
_THE_FIRST = datetime(2000, 1, 1)  # noqa: DTZ001 - as the database has times
_SURELY = timedelta(days=2)
"""Messages may be written down later than they say; so far back is looked once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """One per process."""

    tenancy: Tenancy
    redis: Redis
    store: MediaStore
    desk: LeaseDesk
    defaults: PrivacySettings

    async def run(self) -> Counter[str]:
        """All dealers, one after another. Empty when another process is at it.

        Raises RedisError and CentralUnavailable.
        """
        async with alone(self.redis, _RUNNER) as is_mine:
            if not is_mine:
                return Counter()
            total = await self._shared()
            for empresa_id in await self.tenancy.registry.active():
                try:
                    total += await self.of_empresa(empresa_id)
                except HelixError as error:
                    total["dealers_left_out"] += 1
                    log.warning("retention left out", empresa_id=empresa_id, reason=str(error))
                await self.tenancy.pools.close(empresa_id)
        log.info("retention done", **total)
        return total

    async def of_empresa(self, empresa_id: int) -> Counter[str]:
        """How much was erased, by kind. Raises the errors of databases, StoreUnavailable, and
        StillAtWork when files are fetched all the time."""
        terms = await terms_of(self.tenancy.central, empresa_id, self.defaults)
        now, gone = await self._now(), Counter[str]()
        if terms.dead_letters_days:
            before = now - timedelta(days=terms.dead_letters_days)
            gone["dead_letters"] = await self._trim(dead_letters(empresa_id), before)
        if terms.decisions_days:
            gone["decisions"] = await self._decisions(empresa_id, terms, now)
        if terms.media_days or terms.messages_days:
            async with hold(self.desk, empresa_id, (Task.MEDIA,), patience_s=_PATIENCE_S):
                if terms.media_days:
                    gone["files"] = await self._files(empresa_id, terms, now)
                if terms.messages_days:
                    gone["messages"] = await self._messages(empresa_id, terms, now)
        done = +gone
        if done:
            log.info("old data erased", empresa_id=empresa_id, **done)
        return done

    async def _shared(self) -> Counter[str]:
        """What no dealer is known for goes by the defaults."""
        if not self.defaults.dead_letters_days:
            return Counter()
        before = await self._now() - timedelta(days=self.defaults.dead_letters_days)
        trimmed = [await self._trim(stream, before) for stream in (UNKNOWN_CHANNEL, UNREADABLE)]
        return Counter(dead_letters=sum(trimmed))

    async def _trim(self, stream: str, before: datetime) -> int:
        return int(await self.redis.xtrim(stream, minid=to_ms(before), approximate=False))

    async def _decisions(self, empresa_id: int, terms: Terms, now: datetime) -> int:
        before = now - timedelta(days=terms.decisions_days)
        span = {"before": before, "since": _since(terms.decisions_done), "most": _AT_ONCE}
        gone = 0
        while True:
            async with self.tenancy.pools.transaction(empresa_id) as conn:
                await after_the_drain(conn)
                some = await conn.execute(_FORGET_DECISIONS, span)
            gone += some
            if some < _AT_ONCE:
                break
        await note_reached(self.tenancy.central, empresa_id, media=None, decisions=before)
        return gone

    async def _files(self, empresa_id: int, terms: Terms, now: datetime) -> int:
        before = now - timedelta(days=terms.media_days)
        span = {"before": before, "since": _since(terms.media_done), "most": _AT_ONCE}
        gone = 0
        while True:
            async with self.tenancy.pools.transaction(empresa_id) as conn:
                rows = await conn.fetch_all(_OLD_FILES, span)
                if not rows:
                    break
                gone += await self._delete_files(conn, rows)
                await conn.execute(_FORGET_FILES, {"ids": [row[0] for row in rows]})
        await note_reached(self.tenancy.central, empresa_id, media=before, decisions=None)
        return gone

    async def _messages(self, empresa_id: int, terms: Terms, now: datetime) -> int:
        span = {"before": now - timedelta(days=terms.messages_days), "most": _AT_ONCE}
        gone, more = 0, True
        while more:
            async with self.tenancy.pools.transaction(empresa_id) as conn:
                await after_the_drain(conn)
                rows = await conn.fetch_all(_OLD, span)
                if rows:
                    await self._delete_files(conn, rows)
                    ids = {"ids": [row[0] for row in rows]}
                    await conn.execute(_DELETE_REMINDERS, ids)
                    await conn.execute(_DELETE, ids)
                talks = await conn.execute(_FORGET_TALKS, span)
            gone += len(rows)
            more = len(rows) == _AT_ONCE or talks == _AT_ONCE
        return gone

    async def _delete_files(self, conn: TenantConnection, rows: list[tuple[int, str, str]]) -> int:
        """Before the rows forget them: who is killed in between finds them again."""
        named = [key_of_name(conn.empresa_id, name) for _, _, name in rows if name]
        keys = {key for _, key, _ in rows if key} | {key for key in named if key}
        alone = await only_his(conn, keys, [row[0] for row in rows])
        await delete_files(self.store, alone)
        return len(alone)

    async def _now(self) -> datetime:
        seconds, micros = await self.redis.time()
        return from_ms(int(seconds) * 1000 + int(micros) // 1000)


def _since(done: datetime | None) -> datetime:
    return _THE_FIRST if done is None else done - _SURELY
