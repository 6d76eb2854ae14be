"""Finds all that refers to a row, also in a dealer's own tables, and points it elsewhere.

Called by `merge` and `join_talks` when two customers or two conversations turn out to be one.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenancy.lease import TenantConnection

# A foreign key says what it refers to; a column of the template's name (`customer_id`) without one
# only seems to: it is asked below whether all its values are ids of that table.
_REFERENCES = """
    SELECT c.TABLE_NAME, c.COLUMN_NAME, FIND_IN_SET('update', c.PRIVILEGES) > 0,
           EXISTS (SELECT 1 FROM information_schema.KEY_COLUMN_USAGE k
                    WHERE k.TABLE_SCHEMA = DATABASE() AND k.TABLE_NAME = c.TABLE_NAME
                      AND k.COLUMN_NAME = c.COLUMN_NAME AND k.REFERENCED_COLUMN_NAME = 'id'
                      AND k.REFERENCED_TABLE_SCHEMA = DATABASE()
                      AND k.REFERENCED_TABLE_NAME = %(table)s) AS declared
      FROM information_schema.COLUMNS c
      JOIN information_schema.TABLES t
        ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
       AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
     WHERE c.TABLE_SCHEMA = DATABASE() AND c.EXTRA NOT REGEXP '(VIRTUAL|STORED) GENERATED'
       AND c.DATA_TYPE IN ('int', 'bigint', 'mediumint', 'smallint', 'tinyint')
    HAVING declared OR c.COLUMN_NAME = %(column)s
     ORDER BY c.TABLE_NAME, c.COLUMN_NAME
"""
_LED_TO = "SELECT novo_id FROM _merges WHERE tipo = %(tipo)s AND antigo_id = %(id)s"
# IGNORE: a row that a unique key keeps back stays where it is, and is counted afterwards.
_POINT = "UPDATE IGNORE {table} SET {column} = %(new)s WHERE {column} = %(old)s"
_STILL = "SELECT 1 FROM {table} WHERE {column} = %(old)s LIMIT 1"
# A column of the right name may hold ids of something else, of another system say.
_STRANGERS = """
    SELECT 1 FROM {table} x LEFT JOIN {of} y ON y.id = x.{column}
     WHERE x.{column} IS NOT NULL AND y.id IS NULL LIMIT 1
"""
_OURS = frozenset(
    {"conversations", "mensagens", "agendamentos", "customer_identities", "historico_status"}
)
"""Tables of which we know that a column of the template's name means what it says."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is referred to: a table's `id`, and the name of columns that hold one."""

    kind: str
    """The value of `_merges.tipo`."""
    table: str
    column: str


CUSTOMER = Target("customer", "customers", "customer_id")
CONVERSATION = Target("conversation", "conversations", "conversation_id")


async def survivor(conn: TenantConnection, target: Target, id_: int) -> int:
    """The id that stands for this one today: itself, if it was never merged."""
    row = await conn.fetch_one(_LED_TO, {"tipo": target.kind, "id": id_})
    return id_ if row is None else int(row[0])


async def point(conn: TenantConnection, target: Target, *, old: int, new: int) -> bool:
    """Everything that refers to `old` refers to `new` afterwards, as far as it can.

    False when something still refers to the old row: a dealer's table that allows one row for each
    (a unique key), that we may not write, or of which nobody knows what its column means.
    """
    asked = {"table": target.table, "column": target.column}
    left = 0
    for table, column, may_write, declared in await conn.fetch_all(_REFERENCES, asked):
        place = {"table": quoted(table), "column": quoted(column), "of": quoted(target.table)}
        surely = declared or table in _OURS
        if may_write and (surely or not await conn.fetch_all(_STRANGERS.format(**place))):
            await conn.execute(_POINT.format(**place), {"old": old, "new": new})
        left += len(await conn.fetch_all(_STILL.format(**place), {"old": old}))
    return left == 0


def quoted(name: str) -> str:
    """An identifier of the dealer's as SQL with parameters takes it."""
    return "`{}`".format(name.replace("`", "``").replace("%", "%%"))
