"""Does what one row's file needs next: fetch and keep it, or have it heard. Called by the job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from gateway.adapters import Adapter
from gateway.errors import MediaRefused
from gateway.media import MediaLimits, MediaRef
from tenancy.registry import Registry
from worker.media.inline import stored_digest
from worker.media.kinds import type_of
from worker.media.rows import FileRow, KeptFile
from worker.media.store import MediaStore, digest_of, key_of
from worker.media.transcribe import Transcriber

_OUR_OWN_ID = "helix:"
"""What a message without an id of its gateway's has for one (see `Arrival.external_id`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Speaks to gateways, store and service; knows no database. One per process.

    Both methods raise MediaLater, MediaRefused, ChannelRefused, StoreUnavailable.
    """

    registry: Registry
    session: aiohttp.ClientSession
    adapters: Mapping[str, Adapter]
    store: MediaStore
    limits: MediaLimits
    transcriber: Transcriber | None

    async def fetch(self, empresa_id: int, row: FileRow) -> KeptFile:
        """The file from where the row says, looked at and kept."""
        digest = stored_digest(row.address)
        data = await (
            self._from_gateway(row) if digest is None else self._from_store(empresa_id, digest)
        )
        mime_type = type_of(row.kind, data)
        digest = await asyncio.to_thread(digest_of, data)
        key = key_of(empresa_id, digest)
        await self.store.put(key, data)
        return KeptFile(digest=digest, key=key, mime_type=mime_type, size=len(data))

    async def hear(self, transcriber: Transcriber, row: FileRow) -> str:
        """What is said in an audio that is kept."""
        data = await self.store.get(row.key or "")
        if data is None:
            raise MediaRefused("no transcript: the file is not in the store any more")
        return await transcriber.text_of(data, type_of(row.kind, data))

    async def _from_store(self, empresa_id: int, digest: str) -> bytes:
        try:
            data = await self.store.get(key_of(empresa_id, digest))
        except ValueError:
            data = None
        if data is None:
            raise MediaRefused("the file that came with the message is not in the store")
        return data

    async def _from_gateway(self, row: FileRow) -> bytes:
        channel = None
        if row.canal_id is not None:
            channel = await self.registry.channel_by_id(row.canal_id)
        if channel is None:
            raise MediaRefused("the channel that it came through is gone")
        adapter = self.adapters.get(channel.gateway)
        if adapter is None:
            raise MediaRefused(f"files of gateway {channel.gateway} are not fetched")
        named = row.external_id is not None and not row.external_id.startswith(_OUR_OWN_ID)
        media = MediaRef(address=row.address, message_id=row.external_id if named else None)
        found = await adapter.fetch_media(self.session, channel, media, limits=self.limits)
        return found.data
