"""Makes two customers one: one row, one history, nothing lost. Called by `customers`.

Runs inside the drain's transaction. `_merges` keeps the row that goes, and leads from its id to the
one that stays; where a dealer's own table cannot follow, the old row stays beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from tenancy.lease import TenantConnection
from worker.drain.join_talks import join_open_talks
from worker.drain.references import CONVERSATION, CUSTOMER, Target, point, quoted

_COLUMNS = """
    SELECT COLUMN_NAME FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %(table)s
       AND EXTRA NOT REGEXP '(VIRTUAL|STORED) GENERATED'
     ORDER BY ORDINAL_POSITION
"""
_KEEP = """
    INSERT INTO _merges (tipo, antigo_id, novo_id, dados, unido_em)
    VALUES (%(tipo)s, %(old)s, %(new)s, %(row)s, %(now)s)
    ON DUPLICATE KEY UPDATE novo_id = VALUES(novo_id)
"""
_SHORTEN = """
    UPDATE _merges SET novo_id = %(new)s WHERE tipo = %(tipo)s AND novo_id = %(old)s
"""
_OWN = frozenset({"id", "phone", "created_at", "updated_at"})
"""What each row keeps for itself."""
_SWITCH = ("aceita_marketing", "aceita_marketing_em")

Row = Mapping[str, object]


async def merge_customers(conn: TenantConnection, *, old: int, new: int, now: datetime) -> None:
    """All that is the old customer's becomes the new one's. Doing it again changes nothing."""
    rows = {id_: await read_row(conn, CUSTOMER, id_) for id_ in sorted((old, new))}
    before, after = rows[old], rows[new]
    if before is None or after is None:
        return  # a person deleted one of them a moment ago
    talks = await join_open_talks(conn, old, new, now=now)
    if talks is not None:
        gone, kept = talks
        row = await read_row(conn, CONVERSATION, gone)
        await _let_go(conn, CONVERSATION, row or {}, old=gone, new=kept, now=now)
    await _let_go(conn, CUSTOMER, before, old=old, new=new, now=now)
    changes = filled(after, before)
    if changes:
        names = ", ".join(f"{quoted(name)} = %({place})s" for place, name in enumerate(changes))
        values = {str(place): value for place, value in enumerate(changes.values())}
        sql = f"UPDATE customers SET {names} WHERE id = %(id)s"  # noqa: S608 - its own columns
        await conn.execute(sql, {**values, "id": new})


async def read_row(conn: TenantConnection, target: Target, id_: int) -> Row | None:
    """A row with all its columns, also the dealer's own ones; locked until the commit."""
    names = await conn.fetch_all(_COLUMNS, {"table": target.table})
    columns = ", ".join(quoted(name) for (name,) in names)
    sql = f"SELECT {columns} FROM {target.table} WHERE id = %(id)s FOR UPDATE"  # noqa: S608
    rows = await conn.fetch_dicts(sql, {"id": id_})
    return rows[0] if rows else None


def filled(row: Row, other: Row) -> dict[str, object]:
    """What `row` is to take over from `other`: where it says nothing, and notes beside its own."""
    changes: dict[str, object] = {}
    for name, value in other.items():
        if name in _OWN or name in _SWITCH or value in (None, ""):
            continue
        mine = row.get(name)
        if mine in (None, ""):
            changes[name] = value
        elif name == "notes" and str(value) not in str(mine):
            changes[name] = f"{mine}\n{value}"
    theirs, ours = other.get(_SWITCH[1]), row.get(_SWITCH[1])
    if isinstance(theirs, datetime) and (not isinstance(ours, datetime) or theirs > ours):
        changes |= {name: other[name] for name in _SWITCH}
    first, mine_first = other.get("created_at"), row.get("created_at")
    if isinstance(first, datetime) and isinstance(mine_first, datetime) and first < mine_first:
        changes["created_at"] = first
    return changes


async def _let_go(
    conn: TenantConnection, target: Target, row: Row, *, old: int, new: int, now: datetime
) -> None:
    """Points everything elsewhere, keeps the row's content and removes it if nothing needs it."""
    free = await point(conn, target, old=old, new=new)
    told = {"tipo": target.kind, "old": old, "new": new, "now": now}
    await conn.execute(_SHORTEN, told)
    await conn.execute(_KEEP, {**told, "row": orjson.dumps(dict(row), default=str).decode()})
    if free:
        sql = f"DELETE FROM {target.table} WHERE id = %(id)s"  # noqa: S608 - one of our two names
        await conn.execute(sql, {"id": old})
