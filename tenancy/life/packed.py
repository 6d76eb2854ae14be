"""Compresses a stream (zstd), and back. Used by backups."""

from __future__ import annotations

from collections.abc import AsyncIterator

import zstandard

_LEVEL = 3
_SLICE = 64 * 1024


async def compressed(plain: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """In pieces as they come about."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
    async for chunk in plain:
        if out := compressor.compress(chunk):
            yield out
    yield compressor.flush()


async def decompressed(compressed: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What was compressed. It must be known to be ours: a forged one may grow without end."""
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    async for chunk in compressed:
        for start in range(0, len(chunk), _SLICE):  # a little at a time: it may grow a lot
            if out := decompressor.decompress(chunk[start : start + _SLICE]):
                yield out
