"""A file is what its bytes say, and only what its kind of message may bring is kept."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MediaRefused
from schema.events import WITH_FILE, EventKind
from worker.media.kinds import type_of

PAD = bytes(60)
FILES = {
    "image/jpeg": b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00" + PAD,
    "image/png": b"\x89PNG\r\n\x1a\n" + PAD,
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 " + PAD,
    "image/gif": b"GIF89a" + PAD,
    "audio/ogg": b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + PAD,
    "audio/mpeg": b"ID3\x03\x00\x00\x00\x00\x00\x00" + PAD,
    "audio/amr": b"#!AMR\n" + b"\x3c" * 60,
    "audio/aac": b"\xff\xf1\x50\x80" + PAD,
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt " + PAD,
    "video/mp4": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + PAD,
    "video/3gpp": b"\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x00" + PAD,
    "application/pdf": b"%PDF-1.7\n" + b"x" * 60 + b"%%EOF",
    "application/zip": b"PK\x03\x04\x14\x00\x06\x00" + PAD,
    "text/plain": "Orçamento: R$ 50.000".encode(),
}
REFUSED = {
    "a program": b"MZ\x90\x00" + PAD + b"PE\x00\x00",
    "a program for Linux": b"\x7fELF\x02\x01\x01" + PAD,
    "a page": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "a drawing with scripts": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "an error of a gateway": b'{"error": {"code": 1}}',
    "nothing": b"",
    "noise": b"\x01\x02\xfe\xff" * 30,
}


@pytest.mark.parametrize("mime_type", FILES)
def test_the_bytes_decide(mime_type: str) -> None:
    """Whatever the gateway or the file's name says; a document may be any of them."""
    family = mime_type.partition("/")[0]
    kind = {"image": EventKind.IMAGE, "audio": EventKind.AUDIO, "video": EventKind.VIDEO}.get(
        family, EventKind.DOCUMENT
    )
    assert type_of(kind, FILES[mime_type]) == mime_type
    assert type_of(EventKind.DOCUMENT, FILES[mime_type]).rpartition("/")[2]


def test_a_voice_message_in_a_video_container_is_audio() -> None:
    """iPhones send MP4 without a picture."""
    assert type_of(EventKind.AUDIO, FILES["video/mp4"]) == "audio/mp4"


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_never_kept(what: str) -> None:
    """Under no kind of message."""
    for kind in WITH_FILE:
        with pytest.raises(MediaRefused):
            type_of(kind, REFUSED[what])


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [
        (EventKind.IMAGE, "application/pdf"),
        (EventKind.IMAGE, "audio/wav"),
        (EventKind.IMAGE, "text/plain"),
        (EventKind.AUDIO, "image/webp"),
        (EventKind.VIDEO, "audio/ogg"),
        (EventKind.STICKER, "video/mp4"),
    ],
)
def test_a_kind_brings_only_its_own(kind: EventKind, mime_type: str) -> None:
    """A PDF that was sent as a photo is not shown as one."""
    with pytest.raises(MediaRefused, match=f"sent as {kind}"):
        type_of(kind, FILES[mime_type])


@given(data=st.binary(max_size=300), kind=st.sampled_from(sorted(WITH_FILE)))
def test_any_bytes_have_a_type_or_are_refused(data: bytes, kind: EventKind) -> None:
    """No other error, whatever is sent."""
    with suppress(MediaRefused):
        assert "/" in type_of(kind, data)
