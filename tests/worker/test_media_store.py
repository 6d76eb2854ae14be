"""A file that was put is there, whole, under its own hash, in a folder or in a bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from worker.media.settings import MediaSettings
from worker.media.store import MediaStore, StoreUnavailable, digest_of, key_of, open_store

DATA = b"a photo" * 1000
KEY = key_of(7, digest_of(DATA))


class Bucket:
    """A server with S3's interface that holds one bucket: PUT, GET, signed requests."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.down = False

    async def handle(self, request: web.Request) -> web.Response:
        """As S3 answers."""
        signed = request.headers.get("Authorization", "")
        if not signed.startswith("AWS4-HMAC-SHA256 Credential=our-id/"):
            return web.Response(status=403)
        if self.down:
            return web.Response(status=500)
        if request.method == "PUT":
            self.objects[request.path] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if request.path not in self.objects:
            body = "<Error><Code>NoSuchKey</Code></Error>"
            return web.Response(status=404, text=body, content_type="application/xml")
        headers = {"ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 12:00:00 GMT"}
        return web.Response(body=self.objects[request.path], headers=headers)


@asynccontextmanager
async def bucket_at() -> AsyncIterator[tuple[Bucket, str]]:
    """The server on a free loopback port."""
    bucket = Bucket()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes([web.route("*", "/{path:.*}", bucket.handle)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield bucket, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def in_bucket(endpoint: str) -> MediaStore:
    """A store whose settings name the bucket."""
    return open_store(
        MediaSettings(
            store="s3://files/helix",
            s3_endpoint=endpoint,
            s3_access_key_id="our-id",
            s3_secret_access_key=SecretStr("our-secret"),
            timeout_s=5,
        )
    )


async def put_twice_and_get(store: MediaStore) -> None:
    """What every store does."""
    assert await store.get(KEY) is None
    for _ in range(2):
        await store.put(KEY, DATA)
    assert await store.get(KEY) == DATA
    await store.put(key_of(8, digest_of(DATA)), DATA)
    assert await store.get(key_of(9, digest_of(DATA))) is None


async def test_a_folder(tmp_path: Path) -> None:
    """Made when the first file comes; nothing half-written is left beside it."""
    root = tmp_path / "deep" / "media"
    await put_twice_and_get(open_store(MediaSettings(store=str(root))))
    found = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    assert found == [KEY, key_of(8, digest_of(DATA))]


async def test_a_torn_file_is_written_again(tmp_path: Path) -> None:
    """A file of another length under the hash is what a broken disk left."""
    store = open_store(MediaSettings(store=str(tmp_path)))
    (tmp_path / KEY).parent.mkdir(parents=True)
    (tmp_path / KEY).write_bytes(b"half")
    await store.put(KEY, DATA)
    assert await store.get(KEY) == DATA


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The caller tries again later; the error names no path of ours."""
    (tmp_path / "file").write_text("in the way")
    store = open_store(MediaSettings(store=str(tmp_path / "file" / "media")))
    with pytest.raises(StoreUnavailable, match="media folder"):
        await store.put(KEY, DATA)
    with pytest.raises(StoreUnavailable):
        await store.get(KEY)


async def test_a_bucket() -> None:
    """Below its prefix, with signed requests; large files too."""
    async with bucket_at() as (bucket, endpoint):
        await put_twice_and_get(in_bucket(endpoint))
        assert set(bucket.objects) == {
            f"/files/helix/{KEY}",
            f"/files/helix/{key_of(8, digest_of(DATA))}",
        }
        assert set(bucket.objects.values()) == {DATA}


async def test_a_bucket_that_is_down() -> None:
    """The caller tries again later; nothing of the secret is told."""
    async with bucket_at() as (bucket, endpoint):
        bucket.down = True
        for call in (in_bucket(endpoint).put(KEY, DATA), in_bucket(endpoint).get(KEY)):
            with pytest.raises(StoreUnavailable) as caught:
                await call
            assert "our-secret" not in str(caught.value)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_a_hash_makes_a_key(digest: str) -> None:
    """Nothing that a gateway sends becomes a path."""
    with pytest.raises(ValueError, match="SHA-256"):
        key_of(7, digest)
