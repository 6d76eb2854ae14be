"""Takes a person's rows out of a dealer's database. Called by this room's erase and replay.

Runs inside the caller's transaction. Doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tenancy.lease import Connection
from worker.drain.references import quoted
from worker.lgpd.digests import Digests
from worker.lgpd.person import Person
from worker.lgpd.tables import Found, Rows, columns_of

_REMEMBER = "INSERT IGNORE INTO _apagadas (digest, apagada_em) VALUES (%s, %s)"
_COUNT_VISITS = """
    INSERT INTO _agendamentos_apagados (mes, tipo, status, total)
    SELECT DATE_FORMAT(data_agendada, '%%Y-%%m-01'), tipo, COALESCE(status, 'pendente'), COUNT(*)
      FROM agendamentos WHERE id IN %(ids)s GROUP BY 1, 2, 3
        ON DUPLICATE KEY UPDATE total = total + VALUES(total)
"""
_STAYS_EMPTIED = frozenset({"customers", "conversations", "mensagens", "agendamentos"})
_SAYS_NOTHING = frozenset({
    "id", "created_at", "updated_at", "timestamp", "last_interaction", "tipo", "status",
    "status_anotado", "autor", "customer_id", "conversation_id", "car_id",
})  # fmt: skip
"""Columns of a row that stays which keep their values: they tell that something was, not who."""


async def remember(
    conn: Connection, digests: Digests, messages: Collection[tuple[int, str]], *, now: datetime
) -> None:
    """Messages (canal_id, external_id) that are not stored again, however late they come."""
    rows = [(digests.message(*message), now) for message in sorted(messages)]
    await conn.execute_many(_REMEMBER, rows)


async def delete_rows(
    conn: Connection, person: Person, found: Found, *, count_visits: bool
) -> None:
    """`count_visits`: how many appointments there were is kept, by month, kind and outcome; rows
    that stay, emptied, can be counted as they are."""
    if count_visits and person.visits and not found.held:
        await conn.execute(_COUNT_VISITS, {"ids": sorted(person.visits)})
    for rows in found.rows:
        if not rows.ids:
            continue
        if found.held and rows.table in _STAYS_EMPTIED:
            await _empty(conn, rows)
        else:
            sql = f"DELETE FROM {quoted(rows.table)} WHERE {rows.where}"  # noqa: S608
            await conn.execute(sql, rows.params)


async def _empty(conn: Connection, rows: Rows) -> None:
    """The row stays for what refers to it, and says nothing of anybody."""
    columns = await columns_of(conn, rows.table)
    names = [name for name, nullable in columns.items() if nullable and name not in _SAYS_NOTHING]
    values = ", ".join(f"{quoted(name)} = NULL" for name in names)
    sql = f"UPDATE {quoted(rows.table)} SET {values} WHERE {rows.where}"  # noqa: S608
    await conn.execute(sql, rows.params)
