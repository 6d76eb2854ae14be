"""A person's files in the media store. Called by this room's erase and export, and by retention.

The same file of two buyers is stored once: one that another message has, too, stays.
"""

from __future__ import annotations

from collections.abc import Collection

from tenancy.lease import Connection
from worker.lgpd.person import Person
from worker.lgpd.queues import Queued
from worker.media.inline import stored_digest
from worker.media.store import MediaStore, key_of

_OF_OTHERS = """
    SELECT DISTINCT midia_onde FROM mensagens WHERE midia_onde IN %(keys)s AND id NOT IN %(ids)s
"""
_NAMED_BY_OTHERS = """
    SELECT DISTINCT midia FROM mensagens WHERE midia IN %(names)s AND id NOT IN %(ids)s
"""
_AT_ONCE = 500


def files_of(person: Person, queued: Queued) -> frozenset[str]:
    """Keys of all that his messages name, fetched already or come along with them."""
    named = {*person.inline, *(e.media_id_or_url for e in queued.events if e.media_id_or_url)}
    came_along = {key_of_name(person.empresa_id, name) for name in named}
    return person.files | {key for key in came_along if key is not None}


def key_of_name(empresa_id: int, name: str) -> str | None:
    """Where the file lies that came with a message; None for one that lies at a gateway."""
    digest = stored_digest(name)
    try:
        return None if digest is None else key_of(empresa_id, digest)
    except ValueError:
        return None


async def only_his(conn: Connection, keys: Collection[str], messages: Collection[int]) -> list[str]:
    """Of these files those that no other message has."""
    wanted, ids, theirs = sorted(keys), sorted(messages) or [0], set[str]()
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        rows = await conn.fetch_all(_OF_OTHERS, {"keys": some, "ids": ids})
        theirs |= {key for (key,) in rows}
        names = {f"stored:{key.rpartition('/')[2]}": key for key in some}
        rows = await conn.fetch_all(_NAMED_BY_OTHERS, {"names": list(names), "ids": ids})
        theirs |= {names[name] for (name,) in rows}
    return [key for key in wanted if key not in theirs]


async def delete_files(store: MediaStore, keys: Collection[str]) -> None:
    """Raises StoreUnavailable: then some may be gone."""
    for key in sorted(keys):
        await store.delete(key)
