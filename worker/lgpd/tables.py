"""Which rows of a dealer's database are a person's. Called by this room's rows, export and erase.

Tables of the dealer's own are never changed. What of them refers to a row that is to go keeps that
row there, emptied; all of them are named in the plan and in the certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from schema.events import Event
from tenancy.lease import Connection
from worker.drain.references import quoted
from worker.lgpd.person import Person

_EARLY = "SELECT id, evento FROM _early_changes"
_COLUMNS = """
    SELECT COLUMN_NAME, IS_NULLABLE = 'YES' FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %(table)s
       AND EXTRA NOT REGEXP '(VIRTUAL|STORED) GENERATED'
     ORDER BY ORDINAL_POSITION
"""
# A table of the dealer's own: declared, or with a column of the template's name.
_FOREIGN = """
    SELECT c.TABLE_NAME, c.COLUMN_NAME,
           COALESCE(k.REFERENCED_TABLE_NAME,
                    IF(c.COLUMN_NAME = 'customer_id', 'customers', 'conversations')),
           COALESCE(r.DELETE_RULE IN ('RESTRICT', 'NO ACTION'), 0)
      FROM information_schema.COLUMNS c
      JOIN information_schema.TABLES t
        ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
       AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
      LEFT JOIN information_schema.KEY_COLUMN_USAGE k
        ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME
       AND k.COLUMN_NAME = c.COLUMN_NAME AND k.REFERENCED_COLUMN_NAME = 'id'
       AND k.REFERENCED_TABLE_NAME IN %(ours)s
      LEFT JOIN information_schema.REFERENTIAL_CONSTRAINTS r
        ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
       AND r.TABLE_NAME = k.TABLE_NAME
     WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME NOT IN %(ours)s
       AND (k.REFERENCED_TABLE_NAME IS NOT NULL
            OR c.COLUMN_NAME IN ('customer_id', 'conversation_id'))
       AND c.DATA_TYPE IN ('int', 'bigint', 'mediumint', 'smallint', 'tinyint')
"""
_OURS = (
    "customers", "conversations", "mensagens", "agendamentos", "customer_identities",
    "historico_status", "lucas_lembretes", "cars", "car_images", "_merges", "_early_changes",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of one table: those with these values in one column."""

    table: str
    column: str
    ids: tuple[int, ...]
    also: str = ""
    """A further condition: SQL of this module, never from outside."""

    @property
    def where(self) -> str:
        """To follow WHERE; with `params`."""
        return f"{quoted(self.column)} IN %(ids)s{self.also}"

    @property
    def params(self) -> dict[str, object]:
        """For `where`. Ids begin with 1; an empty list is no SQL."""
        return {"ids": self.ids or (0,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """Rows of a dealer's own table that refer to some of a person's."""

    table: str
    column: str
    count: int
    holds: bool
    """The database does not let go of what they refer to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A person's rows, with how many there are of each table."""

    rows: Sequence[Rows] = field(repr=False)
    counts: dict[str, int]
    foreign: Sequence[Foreign]

    @property
    def held(self) -> bool:
        """Whether rows must stay, emptied, for a dealer's own table refers to them."""
        return any(one.holds for one in self.foreign)


async def find_rows(conn: Connection, person: Person) -> Found:
    """In the order in which they can be deleted: what refers comes before what it refers to."""
    early = [
        id_
        for id_, told in await conn.fetch_all(_EARLY)
        if person.is_named_by(Event.model_validate_json(told))
    ]
    customers, talks = tuple(sorted(person.customers)), tuple(sorted(person.talks))
    rows = [
        Rows(table="lucas_lembretes", column="agendamento_id", ids=tuple(sorted(person.visits))),
        Rows(table="agendamentos", column="id", ids=tuple(sorted(person.visits))),
        Rows(table="historico_status", column="conversation_id", ids=talks),
        Rows(table="mensagens", column="id", ids=tuple(sorted(person.messages))),
        Rows(table="conversations", column="id", ids=talks),
        Rows(table="customer_identities", column="customer_id", ids=customers),
        Rows(table="_merges", column="novo_id", ids=customers, also=" AND tipo = 'customer'"),
        Rows(table="_merges", column="novo_id", ids=talks, also=" AND tipo = 'conversation'"),
        Rows(table="_early_changes", column="id", ids=tuple(early)),
        Rows(table="customers", column="id", ids=customers),
    ]
    counts: dict[str, int] = {}
    for one in rows:
        counts[one.table] = counts.get(one.table, 0) + await _count(conn, one)
    return Found(rows=rows, counts=counts, foreign=await _foreign(conn, person))


async def _count(conn: Connection, rows: Rows) -> int:
    sql = f"SELECT COUNT(*) FROM {quoted(rows.table)} WHERE {rows.where}"  # noqa: S608
    row = await conn.fetch_one(sql, rows.params)
    return int(row[0]) if row else 0


async def _foreign(conn: Connection, person: Person) -> list[Foreign]:
    ids = {
        "customers": person.customers,
        "conversations": person.talks,
        "mensagens": person.messages,
        "agendamentos": person.visits,
    }
    found = []
    for table, column, of, holds in await conn.fetch_all(_FOREIGN, {"ours": _OURS}):
        wanted = ids.get(of, frozenset())
        rows = Rows(table=table, column=column, ids=tuple(sorted(wanted)))
        count = await _count(conn, rows) if wanted else 0
        if count:
            found.append(Foreign(table=table, column=column, count=count, holds=bool(holds)))
    return found


async def columns_of(conn: Connection, table: str) -> dict[str, bool]:
    """All columns of a table that can be written, the dealer's own too, and which may be empty."""
    rows = await conn.fetch_all(_COLUMNS, {"table": table})
    return {name: bool(nullable) for name, nullable in rows}


async def read_rows(conn: Connection, rows: Rows) -> list[dict[str, object]]:
    """All columns of all of them."""
    names = ", ".join(quoted(name) for name in await columns_of(conn, rows.table))
    sql = f"SELECT {names} FROM {quoted(rows.table)} WHERE {rows.where}"  # noqa: S608
    return await conn.fetch_dicts(sql, rows.params)
