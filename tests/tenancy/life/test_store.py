"""Backups in a bucket: put in parts, found, read, deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree import ElementTree

import pytest
from aiohttp import web
from pydantic import SecretStr

from tenancy.life.settings import BackupSettings
from tenancy.life.store import BackupStore, BackupStoreUnavailable
from worker.media.settings import MediaSettings
from worker.media.store import open_store

PIECE = b"x" * 1024 * 1024


class Bucket:
    """A server with as much of S3's interface as a backup needs."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.parts: dict[int, bytes] = {}
        self.down = False

    async def handle(self, request: web.Request) -> web.Response:
        """As S3 answers."""
        if self.down:
            return web.Response(status=403)
        key, query = request.path.removeprefix("/bucket").strip("/"), request.query
        body = await request.read()
        if request.method == "GET" and "list-type" in query:
            return self._list(query.get("prefix", ""))
        if request.method == "GET":
            found = self.objects.get(key)
            return web.Response(status=404) if found is None else self._object(found)
        if request.method == "POST" and "uploads" in query:
            return _xml("<InitiateMultipartUploadResult><UploadId>u</UploadId>"
                        "</InitiateMultipartUploadResult>")  # fmt: skip
        if request.method == "POST" and "delete" in query:
            names = [str(e.text) for e in ElementTree.fromstring(body).iter() if "Key" in e.tag]  # noqa: S314 - ours
            for name in names:
                self.objects.pop(name, None)
            told = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
            return _xml(f"<DeleteResult>{told}</DeleteResult>")
        if request.method == "POST":
            self.objects[key] = b"".join(self.parts[number] for number in sorted(self.parts))
            return _xml('<CompleteMultipartUploadResult><ETag>"e"</ETag>'
                        "</CompleteMultipartUploadResult>")  # fmt: skip
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return web.Response(status=204)
        if "partNumber" in query:
            self.parts[int(query["partNumber"])] = body
        else:
            self.objects[key] = body
        return web.Response(headers={"ETag": '"e"'})

    def _list(self, prefix: str) -> web.Response:
        rows = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-11-24T10:00:00.000Z</LastModified>"
            f'<ETag>"e"</ETag><Size>{len(data)}</Size></Contents>'
            for key, data in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return _xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>")

    def _object(self, data: bytes) -> web.Response:
        when = "Tue, 24 Nov 2026 10:00:00 GMT"
        return web.Response(body=data, headers={"ETag": '"e"', "Last-Modified": when})


def _xml(text: str) -> web.Response:
    return web.Response(text=f'<?xml version="1.0"?>{text}', content_type="application/xml")


@asynccontextmanager
async def bucket_at() -> AsyncIterator[tuple[Bucket, str]]:
    """It and its address."""
    bucket = Bucket()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.add_routes([web.route("*", "/{path:.*}", bucket.handle)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield bucket, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def store_in(endpoint: str) -> BackupStore:
    """One whose settings name the bucket."""
    return BackupStore(
        BackupSettings(
            store="s3://bucket/copies",
            s3_endpoint=endpoint,
            s3_access_key_id="who",
            s3_secret_access_key=SecretStr("proof"),
        )
    )


async def pieces(count: int) -> AsyncIterator[bytes]:
    """As a sealed dump comes."""
    for _ in range(count):
        yield PIECE


async def test_a_bucket() -> None:
    """What is longer than one part is there whole; a dealer's prefix is his alone."""
    async with bucket_at() as (bucket, endpoint):
        store = store_in(endpoint)
        await store.put("7/a/dump", pieces(12))
        await store.put("77/a/dump", pieces(1))

        assert await store.keys("7/") == ["7/a/dump"]
        assert b"".join([part async for part in store.get("7/a/dump")]) == PIECE * 12
        assert set(bucket.objects) == {"copies/7/a/dump", "copies/77/a/dump"}
        await store.delete(["7/a/dump", "7/gone"])
        assert set(bucket.objects) == {"copies/77/a/dump"}
        with pytest.raises(KeyError):
            assert [part async for part in store.get("7/a/dump")]


async def test_a_bucket_that_refuses() -> None:
    """Whoever backs up hears that there is no backup."""
    async with bucket_at() as (bucket, endpoint):
        bucket.down = True
        with pytest.raises(BackupStoreUnavailable):
            await store_in(endpoint).put("7/a/dump", pieces(1))


async def test_a_deleted_dealers_files_go_from_the_bucket_and_nobody_elses() -> None:
    """By the prefix of his id."""
    async with bucket_at() as (bucket, endpoint):
        bucket.objects = {"m/7/aa/1": b"x", "m/7/ab/2": b"y", "m/77/aa/1": b"z"}
        files = open_store(
            MediaSettings(
                store="s3://bucket/m",
                s3_endpoint=endpoint,
                s3_access_key_id="who",
                s3_secret_access_key=SecretStr("proof"),
            )
        )

        assert await files.erase(7) == 2

        assert set(bucket.objects) == {"m/77/aa/1"}
        assert await files.erase(7) == 0
