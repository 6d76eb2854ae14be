"""What an audio says becomes the buyer's words; a turn waits for it, and only for a time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from gateway.errors import MediaLater, MediaRefused
from schema.errors import HelixError
from schema.events import EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, lucas, open_shop
from tests.worker.test_media import VOICE, due_now, open_files, sent
from tests.worker.transcriber import KEY, Ears, listening
from worker.drain.turns import Decide
from worker.media.settings import TranscribeSettings
from worker.media.transcribe import Transcriber
from worker.queue.keys import Task


def service(ears: Ears, **changes: object) -> TranscribeSettings:
    """Settings that lead to the stand-in."""
    return TranscribeSettings.model_validate({"url": ears.url, "key": KEY, **changes})


@asynccontextmanager
async def hearing_shop(
    installation: Installation,
    redis_url: str,
    *,
    decide_turn: Decide | None = None,
    **changes: object,
) -> AsyncIterator[tuple[Shop, Ears]]:
    """A dealer whose audio is heard."""
    more = {} if decide_turn is None else {"decide_turn": decide_turn}
    async with (
        listening() as ears,
        open_shop(installation, redis_url, transcribe=service(ears, **changes), **more) as shop,  # type: ignore[arg-type]
    ):
        yield shop, ears


async def test_an_audio_is_answered_as_if_it_were_written(
    installation: Installation, redis_url: str
) -> None:
    """The turn waits; what was heard stands in the row and brings the turn forward."""
    async with hearing_shop(installation, redis_url) as (shop, ears):
        ears.says[VOICE] = " Tem Onix automático? "
        await shop.handle(sent(shop, VOICE, EventKind.AUDIO))
        assert shop.phone.outbox == []  # it waits
        await shop.fetch()
        assert len(await shop.queued(Task.DRAIN)) == 1
        await shop.drain()
        await shop.deliver()

        assert [out.text for out in shop.phone.outbox] == ["eco: Tem Onix automático?"]
        rows = await shop.rows(
            "SELECT conteudo, transcricao, midia_tipo FROM mensagens WHERE tipo = 'recebida'"
        )
        assert rows == [(None, "Tem Onix automático?", "audio/ogg")]
        assert ears.heard == [
            {
                "model": "whisper-1",
                "language": "pt",
                "response_format": "json",
                "filename": "audio.ogg",
                "type": "audio/ogg",
            }
        ]


async def test_a_burst_waits_for_all_its_audio(installation: Installation, redis_url: str) -> None:
    """In the order in which it was said, together with what was written in between."""
    async with hearing_shop(installation, redis_url) as (shop, ears):
        second = VOICE + b"2"
        ears.says |= {VOICE: "procuro um Onix", second: "até sessenta mil"}
        ears.answers = [web.Response(status=503)]
        await shop.push(sent(shop, VOICE, EventKind.AUDIO), event("automático"))
        await shop.handle(sent(shop, second, EventKind.AUDIO))
        await shop.fetch()  # one is heard, one must be asked for again
        ((_, at),) = await shop.queued(Task.DRAIN)
        seconds, _ = await shop.redis.time()
        assert at / 1000 - seconds > 5  # nobody is called for half of it
        await shop.drain()
        assert await open_files(shop) == 1
        assert await shop.texts("enviada") == []
        await due_now(shop)
        await shop.fetch()
        await shop.drain()

        assert await shop.texts("enviada") == [
            "eco: procuro um Onix | automático | até sessenta mil"
        ]


async def test_the_wait_has_an_end(installation: Installation, redis_url: str) -> None:
    """A service that does not answer costs the buyer some seconds, not the answer; what is heard
    later is for the seller to read, and nobody answers twice."""
    async with hearing_shop(installation, redis_url, decide_turn=lucas) as (shop, ears):
        ears.says[VOICE] = "Tem Onix?"
        ears.go_on.clear()
        await shop.handle(sent(shop, VOICE, EventKind.AUDIO))
        hearing = asyncio.create_task(shop.fetch())
        await shop.drain()
        assert shop.phone.outbox == []
        await shop.execute(
            "UPDATE mensagens SET recebida_em = recebida_em - INTERVAL 12 SECOND"
            " WHERE tipo = 'recebida'"
        )
        await shop.execute("UPDATE conversations SET responder_em = '2026-01-01'")
        await shop.drain()
        await shop.deliver()
        answers = [sent.text or "" for sent in shop.phone.outbox]

        ears.go_on.set()
        await hearing
        await shop.drain()
        await shop.deliver()
        assert await shop.rows("SELECT transcricao FROM mensagens WHERE tipo = 'recebida'") == [
            ("Tem Onix?",)
        ]
        assert len(answers) == len(shop.phone.outbox) == 1
        assert re.search(r"escrever|por escrito|digitar", answers[0])


async def test_what_cannot_be_heard_is_asked_for_in_writing_at_once(
    installation: Installation, redis_url: str
) -> None:
    """Silence, a refused audio, a service that is down for good: the turn does not wait on."""
    async with hearing_shop(installation, redis_url, tries=1) as (shop, ears):
        ears.answers = [
            web.Response(status=200, text='{"text": " "}'),
            web.Response(status=400),
            web.Response(status=500),
        ]
        for number in range(3):
            await shop.handle(sent(shop, VOICE, EventKind.AUDIO, phone=f"551198000000{number}"))
            await shop.fetch()
            await shop.drain()
            await shop.deliver()
            assert shop.phone.outbox[-1].text == "eco: [audio]"

        errors = await shop.rows("SELECT midia_erro FROM mensagens WHERE tipo = 'recebida'")
        assert ["nothing is said" in errors[0][0], "refuses" in errors[1][0]] == [True, True]
        assert "given up after 1 tries" in errors[2][0]
        assert len(shop.phone.outbox) == 3


async def test_a_new_message_does_not_cut_the_wait_short(
    installation: Installation, redis_url: str
) -> None:
    """Its own quiet window ends first; the audio before it is still being heard."""
    async with hearing_shop(installation, redis_url) as (shop, ears):
        ears.says[VOICE] = "tem Onix"
        await shop.handle(sent(shop, VOICE, EventKind.AUDIO))
        await shop.handle(event("e qual o preço?"))
        assert shop.phone.outbox == []
        await shop.fetch()
        await shop.drain()
        await shop.deliver()
        assert [out.text for out in shop.phone.outbox] == ["eco: tem Onix | e qual o preço?"]


async def test_without_a_service_nothing_waits(shop: Shop) -> None:
    """Lucas asks to write, as ever; the audio is kept all the same."""
    await shop.handle(sent(shop, VOICE, EventKind.AUDIO))
    assert [out.text for out in shop.phone.outbox] == ["eco: [audio]"]
    await shop.fetch()
    assert await shop.rows(
        "SELECT midia_tipo, midia_erro FROM mensagens WHERE tipo='recebida'"
    ) == [("audio/ogg", None)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.Response(status=401), MediaLater),
        (web.Response(status=429), MediaLater),
        (web.Response(status=302, headers={"Location": "http://127.0.0.1/"}), MediaLater),
        (web.Response(status=200, text="<html>"), MediaLater),
        (web.json_response({"text": 7}), MediaLater),
        (web.json_response({"text": "\n"}), MediaRefused),
        (web.Response(status=413), MediaRefused),
    ],
)
async def test_the_services_answers(answer: web.Response, error: type[HelixError]) -> None:
    """What may be mended is tried again; what this audio will always get is not."""
    async with listening() as ears, aiohttp.ClientSession() as session:
        ears.answers = [answer]
        with pytest.raises(error):
            await Transcriber(session, service(ears)).text_of(VOICE, "audio/ogg")


async def test_a_service_that_hangs_is_left() -> None:
    """Within its time limit."""
    async with listening() as ears, aiohttp.ClientSession() as session:
        ears.go_on.clear()
        with pytest.raises(MediaLater, match="TimeoutError"):
            await Transcriber(session, service(ears, timeout_s=0.1)).text_of(VOICE, "audio/ogg")


def test_the_key_goes_over_tls() -> None:
    """Also a secret that nobody prints."""
    with pytest.raises(ValidationError, match="https"):
        TranscribeSettings(url="http://ears.example/v1", key=SecretStr("k"))
    assert "sk-1" not in repr(TranscribeSettings(url="https://e.example/v1", key=SecretStr("sk-1")))
