"""Files that buyers send are kept once, beside the conversation and never in its way."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.adapters import ADAPTERS
from gateway.errors import MediaLater
from gateway.evolution.standin import EvolutionStandin
from schema.events import Event, EventKind
from tenancy.channels import add_channel
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from tests.worker.test_webhook import open_web
from worker.media import rows
from worker.media.store import Folder, StoreUnavailable, digest_of, key_of
from worker.queue.keys import Task

PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01" + bytes(range(256))
VOICE = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(60)


def sent(shop: Shop, data: bytes, kind: EventKind = EventKind.IMAGE, **changes: Any) -> Event:
    """A message whose file lies at the gateway."""
    media_id = shop.phone.keep(data, "application/x-claimed")["id"]
    values: dict[str, Any] = {"kind": kind, "text": None, "media_id_or_url": media_id}
    return event(**{**values, **changes})


async def file_rows(shop: Shop) -> list[tuple[Any, ...]]:
    """hash, type, bytes, where, why not: of each message of the buyer."""
    return await shop.rows(
        "SELECT midia_hash, midia_tipo, midia_bytes, midia_onde, midia_erro FROM mensagens"
        " WHERE tipo = 'recebida' ORDER BY id"
    )


async def open_files(shop: Shop) -> int:
    """Files that something is still to be done for."""
    ((count,),) = await shop.rows("SELECT COUNT(*) FROM mensagens WHERE midia_em IS NOT NULL")
    return int(count)


async def due_now(shop: Shop) -> None:
    """Ends the waits of all files, as the clock would."""
    await shop.execute("UPDATE mensagens SET midia_em = '2026-01-01' WHERE midia_em IS NOT NULL")


async def test_a_photo_is_kept_by_its_hash(shop: Shop) -> None:
    """Of the type that its bytes say; the same photo of another buyer is the same file."""
    await shop.handle(sent(shop, PHOTO, text="esse", mime_type="text/html"))
    await shop.handle(sent(shop, PHOTO, phone="5511980000002"))
    await shop.fetch()

    digest = digest_of(PHOTO)
    key = key_of(shop.empresa_id, digest)
    assert await file_rows(shop) == [(digest, "image/jpeg", len(PHOTO), key, None)] * 2
    kept = [path for path in shop.files.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [PHOTO]
    assert await open_files(shop) == 0


async def test_the_conversation_goes_on_without_the_file(shop: Shop) -> None:
    """Answered before anything is fetched; the drain only rings for the file."""
    await shop.handle(sent(shop, PHOTO, text="quanto custa esse?"))

    assert [out.text for out in shop.phone.outbox] == ["eco: quanto custa esse?"]
    assert await file_rows(shop) == [(None,) * 5]
    assert len(await shop.queued(Task.MEDIA)) == 1


async def test_what_will_never_be_had_is_said_in_the_row(shop: Shop) -> None:
    """Gone, too large, of a wrong type: in words, and not asked for again."""
    page = sent(shop, b"<!DOCTYPE html><html><script>alert(1)</script></html>")
    gone = event(None, kind=EventKind.IMAGE, media_id_or_url="404")
    huge = sent(shop, PHOTO + bytes(26 * 1024 * 1024))
    program = sent(shop, b"MZ\x90\x00" + bytes(60) + b"PE\x00\x00", EventKind.DOCUMENT)
    await shop.handle(page, gone, huge, program, sent(shop, PHOTO))
    await shop.fetch()

    why = [row[4] for row in await file_rows(shop)]
    assert "sent as image and is .html" in why[0]
    assert "Meta's error 100" in why[1]
    assert "bytes" in why[2]
    assert "sent as document and is .exe" in why[3]
    assert why[4] is None
    assert await open_files(shop) == 0


async def test_a_busy_gateway_is_asked_again_later_and_not_for_ever(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With growing pauses; the last failure stays in the row. Other files come meanwhile."""
    async with open_shop(installation, redis_url, media={"tries": 3}) as shop:
        adapter = type(ADAPTERS["cloud_api"])
        true_fetch = adapter.fetch_media

        async def fetch(self: Any, session: Any, channel: Any, media: Any, **more: Any) -> Any:
            if media.address == "busy":
                raise MediaLater("busy today", retry_after_s=100)
            return await true_fetch(self, session, channel, media, **more)

        monkeypatch.setattr(adapter, "fetch_media", fetch)
        await shop.handle(event(None, kind=EventKind.VIDEO, media_id_or_url="busy"))
        await shop.handle(sent(shop, PHOTO))
        await shop.fetch()

        first, second = await file_rows(shop)
        assert first == (None, None, None, None, "busy today")
        assert second[0] == digest_of(PHOTO)
        ((_, at),) = await shop.queued(Task.MEDIA)
        seconds, _ = await shop.redis.time()
        assert at / 1000 - seconds > 90  # as the gateway asks
        for _ in range(2):
            assert await open_files(shop) == 1
            await due_now(shop)
            await shop.fetch()
        assert (await file_rows(shop))[0][4] == "given up after 3 tries: busy today"
        assert await open_files(shop) == 0


async def test_a_bug_with_one_file_is_that_files_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted as a try; the others are kept."""

    def explode(kind: EventKind, data: bytes) -> str:
        if data == PHOTO:
            raise RuntimeError("a bug")
        return "audio/ogg"

    monkeypatch.setattr("worker.media.fetcher.type_of", explode)
    await shop.handle(sent(shop, PHOTO), sent(shop, VOICE, EventKind.AUDIO))
    await shop.fetch()

    assert [row[4] for row in await file_rows(shop)] == ["a bug", None]


async def test_killed_between_file_and_row(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is in the store, its row says nothing: the next worker comes to the same end."""

    async def die(*_: object, **__: object) -> None:
        raise ConnectionResetError("killed")

    await shop.handle(sent(shop, PHOTO))
    with monkeypatch.context() as patch:
        patch.setattr(rows, "keep", die)
        patch.setattr(rows, "put_back", die)
        patch.setattr(rows, "settle", die)
        await shop.fetch()
    assert [path.read_bytes() for path in shop.files.rglob("*") if path.is_file()] == [PHOTO]
    assert await file_rows(shop) == [(None,) * 5]

    await shop.next_job_may_run(Task.MEDIA)
    await shop.fetch()

    assert [row[0] for row in await file_rows(shop)] == [digest_of(PHOTO)]
    assert len([path for path in shop.files.rglob("*") if path.is_file()]) == 1


async def test_a_store_that_is_down_is_waited_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is given up that the gateway still has."""

    async def down(*_: object) -> None:
        raise StoreUnavailable("disk full")

    await shop.handle(sent(shop, PHOTO))
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "put", down)
        await shop.fetch()
    assert (await file_rows(shop))[0][4] == "disk full"
    await due_now(shop)
    await shop.fetch()
    assert (await file_rows(shop))[0][0] == digest_of(PHOTO)


async def test_a_lost_ring_is_rung_again(shop: Shop) -> None:
    """The next drain of this dealer sees that a file is waiting."""
    await shop.handle(sent(shop, PHOTO))
    await shop.redis.flushdb()
    await shop.push()
    await shop.drain()
    assert len(await shop.queued(Task.MEDIA)) == 1


async def test_a_repeated_delivery_fetches_nothing_anew(shop: Shop) -> None:
    """Stored once, fetched once."""
    message = sent(shop, PHOTO)
    await shop.handle(message)
    await shop.fetch()
    shop.phone.files.clear()
    await shop.handle(message)
    await shop.fetch()
    assert [row[0] for row in await file_rows(shop)] == [digest_of(PHOTO)]


async def test_few_jobs_at_once_wait_for_slow_gateways(shop: Shop) -> None:
    """The others give their place back at once: drain and delivery need it."""
    await shop.handle(sent(shop, PHOTO))
    shop.jobs.media._running = 8
    await shop.fetch()
    assert await open_files(shop) == 1
    assert len(await shop.queued(Task.MEDIA)) == 1
    shop.jobs.media._running = 0
    await shop.fetch()
    assert await open_files(shop) == 0


@asynccontextmanager
async def evolution_at_the_web(shop: Shop, redis_url: str) -> AsyncIterator[EvolutionStandin]:
    """A phone at Evolution whose pushes come to a real server."""
    async with (
        EvolutionStandin(apikey="k", webhook_secret="w", statuses=()) as phone,
        open_web(shop.installation, redis_url, files=shop.files) as web,
    ):
        async with shop.tenancy.central.transaction() as conn:
            channel = await add_channel(
                conn,
                shop.tenancy.keyring,
                empresa_id=shop.empresa_id,
                gateway="evolution",
                identifier=phone.channel,
                credentials=phone.credentials(),
            )
        phone.webhook_url = f"{web.base}/webhook/evolution/{channel.webhook_token}"
        yield phone


async def test_a_body_that_carries_its_file(shop: Shop, redis_url: str) -> None:
    """Evolution with base64: the store has the file before the gateway hears 200, the inbox never
    sees it, and Evolution is not asked again."""
    async with evolution_at_the_web(shop, redis_url) as phone:
        content = base64.b64encode(PHOTO).decode()
        image = {"url": "https://mmg.whatsapp.net/f.enc", "mimetype": "image/jpeg"}
        await phone.buyer_sends(
            "5511980000009", {"imageMessage": image, "base64": content}, message_id="m1"
        )
        await phone.buyer_sends(
            "5511980000009", {"imageMessage": image, "base64": "no base64"}, message_id="m2"
        )
        ((_, fields), _) = await shop.redis.xrange(f"helix:{{{shop.empresa_id}}}:inbox")
        assert phone.pushes[0].status == 200
        assert json.loads(fields[b"event"])["media_id_or_url"] == f"stored:{digest_of(PHOTO)}"
        assert content.encode() not in fields[b"event"]
        await shop.drain()
        await shop.fetch()

    found = await file_rows(shop)
    assert found[0][:3] == (digest_of(PHOTO), "image/jpeg", len(PHOTO))
    assert found[1][4] == "Evolution does not have the file"


async def test_without_a_store_a_body_with_a_file_comes_again(
    shop: Shop, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503: nothing is accepted that is not safe. Messages without files go by."""

    async def down(*_: object) -> None:
        raise StoreUnavailable("disk full")

    async with evolution_at_the_web(shop, redis_url) as phone:
        content = base64.b64encode(PHOTO).decode()
        with monkeypatch.context() as patch:
            patch.setattr(Folder, "put", down)
            await phone.buyer_sends("5511980000009", {"imageMessage": {}, "base64": content})
            await phone.buyer_writes("5511980000009", "oi")
        assert [push.status for push in phone.pushes[:2]] == [503, 200]
        assert await shop.waiting() == 1


@pytest.mark.parametrize("address", ["stored:../../../etc/passwd", "stored:", "stored:" + "0" * 64])
async def test_a_forged_hash_leads_nowhere(shop: Shop, address: str) -> None:
    """An event may say anything; only what this dealer's store holds is found."""
    await shop.handle(event(None, kind=EventKind.IMAGE, media_id_or_url=address))
    await shop.fetch()
    assert "not in the store" in (await file_rows(shop))[0][4]
