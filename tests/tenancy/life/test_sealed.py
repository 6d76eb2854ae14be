"""What a sealed stream is proof against."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import BackupDamaged
from tenancy.life import sealed
from tenancy.life.sealed import MAGIC, seal, unseal

KEY = secrets.token_bytes(32)


async def _stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def _sealed(*chunks: bytes, context: str = "a") -> bytes:
    return b"".join([part async for part in seal(_stream(*chunks), KEY, context=context)])


async def _opened(data: bytes, *, key: bytes = KEY, context: str = "a", cut: int = 1000) -> bytes:
    pieces = [data[start : start + cut] for start in range(0, len(data), cut)]
    return b"".join([part async for part in unseal(_stream(*pieces), key, context=context)])


@given(chunks=st.lists(st.binary(max_size=70), max_size=8), cut=st.integers(1, 100))
async def test_what_was_sealed_opens_however_it_is_cut(chunks: list[bytes], cut: int) -> None:
    """The same bytes, of any length, in any pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "PIECE_BYTES", 32)
        assert await _opened(await _sealed(*chunks), cut=cut) == b"".join(chunks)


@given(length=st.integers(0, 200), at=st.integers(0, 10_000), bit=st.integers(0, 7))
async def test_no_altered_bit_opens(length: int, at: int, bit: int) -> None:
    """Wherever it is: in the head, a length, a piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "PIECE_BYTES", 32)
        data = bytearray(await _sealed(b"x" * length))
        data[at % len(data)] ^= 1 << bit

        with pytest.raises(BackupDamaged):
            await _opened(bytes(data))


@given(length=st.integers(0, 200), keep=st.integers(0, 10_000))
async def test_no_cut_stream_opens(length: int, keep: int) -> None:
    """Also not one that was cut between two pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "PIECE_BYTES", 32)
        data = await _sealed(b"x" * length)

        with pytest.raises(BackupDamaged):
            await _opened(data[: keep % len(data)])


async def test_pieces_keep_their_order_and_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Swapped, repeated or left out, nothing opens."""
    monkeypatch.setattr(sealed, "PIECE_BYTES", 32)
    data = await _sealed(b"a" * 32 + b"b" * 32 + b"c" * 32)
    head, body = data[: len(MAGIC) + 16], data[len(MAGIC) + 16 :]
    one, two, three = (body[start : start + 52] for start in (0, 52, 104))
    assert await _opened(head + one + two + three) == b"a" * 32 + b"b" * 32 + b"c" * 32

    for order in (two + one + three, one + one + two + three, one + three, one + two,
                  one + two + three + three, three):  # fmt: skip
        with pytest.raises(BackupDamaged):
            await _opened(head + order)


async def test_another_key_or_another_backup_does_not_open() -> None:
    """A dealer's key opens his own backups, each under its own name."""
    data = await _sealed(b"words", context="helix backup 7 monday")

    for key, context in (
        (secrets.token_bytes(32), "helix backup 7 monday"),
        (KEY, "helix backup 8 monday"),
        (KEY, "helix backup 7 tuesday"),
    ):
        with pytest.raises(BackupDamaged):
            await _opened(data, key=key, context=context)


async def test_equal_content_is_never_sealed_equally() -> None:
    """No key and nonce are used twice: each stream has a salt of its own."""
    assert await _sealed(b"words") != await _sealed(b"words")
