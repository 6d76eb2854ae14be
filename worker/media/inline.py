"""Puts away files that a webhook body carries itself, before its events go to the inbox.

Called by `worker.web.webhook`. Inbox and row are given the file's hash in place of megabytes; the
job of this room finds the file in the store as it would at a gateway.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence

from schema.events import WITH_FILE, Event
from worker.media.store import MediaStore, digest_of, key_of

_STORED = "stored:"


def stored_digest(address: str) -> str | None:
    """The hash of a file that was put away, None for an address at a gateway."""
    return address.removeprefix(_STORED) if address.startswith(_STORED) else None


class InlineFiles:
    """One per web process."""

    def __init__(self, store: MediaStore, *, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes

    async def put_away(
        self, empresa_id: int, events: Sequence[Event], files: Mapping[str, str]
    ) -> list[Event]:
        """The events, each naming its file by hash where it came along. Raises StoreUnavailable.

        A file that is too large or no base64 is left out: its event goes on with what else it says.
        """
        return [await self._one(empresa_id, event, files) for event in events]

    async def _one(self, empresa_id: int, event: Event, files: Mapping[str, str]) -> Event:
        content = files.get(event.message_id or "")
        if content is None or event.kind not in WITH_FILE:
            return event
        if len(content) * 3 // 4 > self._max_bytes:
            return event
        found = await asyncio.to_thread(_decoded, content)
        if found is None:
            return event
        data, digest = found
        await self._store.put(key_of(empresa_id, digest), data)
        return event.model_copy(update={"media_id_or_url": f"{_STORED}{digest}"})


def _decoded(content: str) -> tuple[bytes, str] | None:
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data, digest_of(data)
