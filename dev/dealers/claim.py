"""Makes sure that the demo writes only into what is its own. Called by `dev.chat.installation`.

Knows the server as its administrator; knows nothing of the product.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from dev.servers import MariaDB

_LOCK = "SELECT GET_LOCK(%(name)s, 0)"
_STAY = "SET SESSION wait_timeout = 604800"  # an idle chat must not lose the lock
_THERE = """
    SELECT COUNT(*) FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = %(database)s AND TABLE_NAME = 'empresas'
"""
_NAME = "SELECT nome FROM `{}`.empresas WHERE id = %(id)s"


class NotOurs(Exception):
    """The demo may not run here; the message says what to do."""


@asynccontextmanager
async def claimed(mariadb: MariaDB, central: str, names: Mapping[int, str]) -> AsyncIterator[None]:
    """The central database is ours alone while the block lasts.

    `names`: the dealers that we shall write, by empresa id. Raises NotOurs when another demo or
    chat runs on it, or when one of the ids belongs to somebody else.
    """
    async with mariadb.connect() as connection, connection.cursor() as cursor:
        await cursor.execute(_STAY)
        await cursor.execute(_LOCK, {"name": f"helix-demo:{central}"[:64]})
        if (await cursor.fetchone())[0] != 1:
            raise NotOurs("outra demo (ou chat) já está rodando com este banco; termine-a antes")
        await _refuse_strangers(cursor, central, names)
        yield


async def _refuse_strangers(cursor: Any, central: str, names: Mapping[int, str]) -> None:
    await cursor.execute(_THERE, {"database": central})
    if (await cursor.fetchone())[0] == 0:
        return
    find = _NAME.format(central.replace("`", "``"))
    for empresa_id, ours in names.items():
        await cursor.execute(find, {"id": empresa_id})
        found = await cursor.fetchone()
        if found is not None and found[0] != ours:
            raise NotOurs(
                f"a empresa {empresa_id} de {central} é {found[0]!r}, e não a da demo; "
                "escolha outro banco central com DB_NAME=…"
            )
