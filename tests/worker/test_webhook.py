"""What a gateway is answered, and that 200 means: Redis has it."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
import uvicorn
from pydantic import SecretStr

from gateway.settings import GatewaySettings
from tenancy.channels import add_channel
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, open_shop
from worker.alarm.settings import AlarmSettings
from worker.media.settings import MediaSettings
from worker.queue.keys import UNKNOWN_CHANNEL, UNREADABLE, inbox
from worker.settings import WebSettings, WorkerSettings
from worker.web.app import build_app


@dataclass(slots=True)
class Web:
    """The web process's application on a port of its own."""

    base: str
    session: aiohttp.ClientSession

    async def post(
        self, path: str, raw: bytes, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Status and body of the answer."""
        async with self.session.post(
            f"{self.base}{path}", data=io.BytesIO(raw), headers=headers
        ) as answer:
            return answer.status, await answer.text()

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body of the answer."""
        async with self.session.get(f"{self.base}{path}") as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def open_web(
    installation: Installation, redis_url: str, *, files: Path | None = None, **settings: Any
) -> AsyncIterator[Web]:
    """Served by uvicorn, as in production. `files`: the folder of the media store."""
    app = build_app(
        web=WebSettings(**settings),
        worker=WorkerSettings(redis_url=SecretStr(redis_url)),
        tenancy=installation.settings,
        gateways=GatewaySettings(),
        media=MediaSettings(store=str(files or "/nowhere/media")),
        alarm=AlarmSettings(),
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with aiohttp.ClientSession() as session:
            yield Web(f"http://127.0.0.1:{port}", session)
    finally:
        await server.shutdown()


@pytest.fixture
async def web(shop: Shop, redis_url: str) -> AsyncIterator[Web]:
    """Beside the shop, on the same servers."""
    async with open_web(shop.installation, redis_url, files=shop.files) as made:
        yield made


def body(*texts: str, channel: str = "loja-1", message_id: str = "wamid.W") -> bytes:
    """A Cloud API webhook with these texts of one buyer."""
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry(*texts, channel=channel, message_id=message_id)]}).encode()  # fmt: skip # noqa: E501


def entry(*texts: str, channel: str = "loja-1", message_id: str = "wamid.W") -> dict[str, Any]:
    """One entry of such a body."""
    messages = [
        {
            "from": BUYER,
            "id": f"{message_id}{number}",
            "timestamp": "1795400000",
            "type": "text",
            "text": {"body": text},
        }
        for number, text in enumerate(texts)
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "55113333", "phone_number_id": channel},
        "messages": messages,
    }
    return {"id": "1", "changes": [{"field": "messages", "value": value}]}


def signed(raw: bytes) -> dict[str, str]:
    """Meta's header over these very bytes, by the secret of every shop here."""
    digest = hmac.new(b"secret", raw, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}"}


def address(shop: Shop) -> str:
    """Where the gateway of this shop pushes to."""
    return f"/webhook/cloud_api/{shop.channel.webhook_token}"


async def test_200_means_that_redis_has_it(shop: Shop, web: Web) -> None:
    """Every message of the body lies on the dealer's inbox when the answer is out."""
    raw = body("oi", "tem onix?")

    assert await web.post(address(shop), raw, signed(raw)) == (200, '{"stored":2}')

    assert await shop.waiting() == 2
    assert len(await shop.queued()) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 403),
        ({"X-Hub-Signature": "sha1=" + "0" * 40}, 401),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64, "Content-Encoding": "gzip"}, 415),
    ],
)
async def test_what_is_not_authentic_is_refused_counted_and_not_stored(
    shop: Shop, web: Web, headers: dict[str, str], status: int
) -> None:
    """No signature 401, a wrong one 403, a compressed body 415: nothing in Redis."""
    before = await counted(web, status)

    assert (await web.post(address(shop), body("oi"), headers))[0] == status

    assert await counted(web, status) == before + 1
    assert await shop.waiting() == 0
    # What the process says of itself, and that no worker runs, is all that is there.
    own = (b"helix:web", b"helix:worker:", b"helix:alarms")
    assert [key for key in await shop.redis.keys() if not key.startswith(own)] == []


async def test_an_authentic_body_that_is_no_json_is_kept(shop: Shop, web: Web) -> None:
    """200, for a repetition would bring the same bytes; the bytes are kept for a person."""
    raw = b'{"object": "whatsapp_business_account", "entry": ['

    assert (await web.post(address(shop), raw, signed(raw)))[0] == 200

    ((_, kept),) = await shop.redis.xrange(UNREADABLE)
    assert kept[b"body"] == raw
    assert await shop.waiting() == 0


@pytest.mark.parametrize("raw", [b"null", b"[]", b"1", b'"x"', b'{"object":"page","entry":[]}'])
async def test_a_body_of_an_unknown_kind_is_answered_200(shop: Shop, web: Web, raw: bytes) -> None:
    """Authentic JSON that tells nothing: nothing is stored, no error."""
    assert await web.post(address(shop), raw, signed(raw)) == (200, '{"stored":0}')
    assert await shop.waiting() == 0


async def test_a_body_over_the_limit_is_refused(shop: Shop, web: Web) -> None:
    """413, also when it does not say its length."""
    raw = b"x" * (3 * 1024 * 1024 + 1)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 65536):
            yield raw[start : start + 65536]

    url = f"{web.base}{address(shop)}"
    async with web.session.post(url, data=io.BytesIO(raw), headers=signed(raw)) as answer:
        assert answer.status == 413
    async with web.session.post(url, data=chunks()) as answer:
        assert answer.status == 413


async def test_an_unknown_address_is_404_and_a_wrong_method_405(shop: Shop, web: Web) -> None:
    """Nobody's webhook, no such gateway, or a method that is none of ours."""
    raw = body("oi")
    assert (await web.post("/webhook/cloud_api/nobody", raw, signed(raw)))[0] == 404
    assert (await web.post(f"/webhook/fax/{shop.channel.webhook_token}", raw))[0] == 404
    assert (await web.post(f"/webhook/evolution/{shop.channel.webhook_token}", raw))[0] == 404
    async with web.session.put(f"{web.base}{address(shop)}") as answer:
        assert answer.status == 405


async def test_the_handshake_of_the_cloud_api(shop: Shop, web: Web) -> None:
    """The challenge comes back as plain text for the right token, 403 for any other."""
    query = "?hub.mode=subscribe&hub.challenge=1158&hub.verify_token="

    assert await web.get(f"{address(shop)}{query}unused") == (200, "1158")
    assert (await web.get(f"{address(shop)}{query}wrong"))[0] == 403
    assert (await web.get(address(shop)))[0] == 403


async def test_one_body_may_be_of_several_dealers_of_one_app(
    installation: Installation, redis_url: str
) -> None:
    """Each gets his own; one that this secret may not speak for is kept apart, not stored."""
    async with (
        open_shop(installation, redis_url, 1) as one,
        open_shop(installation, redis_url, 2) as two,
        open_web(installation, redis_url) as web,
    ):
        whole = {
            "object": "whatsapp_business_account",
            "entry": [
                entry("para um", channel="loja-1", message_id="wamid.A"),
                entry("para dois", channel="loja-2", message_id="wamid.B"),
                entry("para ninguém", channel="loja-9", message_id="wamid.C"),
            ],
        }
        raw = json.dumps(whole).encode()

        assert await web.post(address(one), raw, signed(raw)) == (200, '{"stored":2}')

        assert (await one.waiting(), await two.waiting()) == (1, 1)
        assert len(await one.redis.xrange(UNKNOWN_CHANNEL)) == 1


async def test_a_secret_speaks_for_its_own_channels_alone(
    installation: Installation, redis_url: str
) -> None:
    """Dealer A's valid signature cannot put an event on dealer B's inbox."""
    async with (
        open_shop(installation, redis_url, 1) as one,
        open_shop(installation, redis_url, 2) as two,
        open_web(installation, redis_url) as web,
    ):
        async with two.tenancy.central.transaction() as conn:
            await add_channel(
                conn,
                two.tenancy.keyring,
                empresa_id=two.empresa_id,
                gateway="cloud_api",
                identifier="loja-2",
                credentials={**two.phone.credentials(), "app_secret": "of-two-alone"},
            )
        raw = body("não é para dois", channel="loja-2")

        assert await web.post(address(one), raw, signed(raw)) == (200, '{"stored":0}')

        assert await two.waiting() == 0
        assert len(await one.redis.xrange(UNKNOWN_CHANNEL)) == 1


async def test_redis_down_is_503_so_that_the_gateway_tries_again(
    shop: Shop, unused_tcp_port: int
) -> None:
    """And /readyz says so, while /healthz says that the process lives."""
    dead = f"redis://127.0.0.1:{unused_tcp_port}/0"
    async with open_web(shop.installation, dead) as web:
        raw = body("oi")

        status, _ = await web.post(address(shop), raw, signed(raw))

        assert status == 503
        assert (await web.get("/readyz"))[0] == 503
        assert (await web.get("/healthz"))[0] == 200


async def test_no_text_and_no_whole_number_is_logged(shop: Shop, web: Web) -> None:
    """A log line has ids, not what the buyer wrote nor who he is."""
    raw = body("meu segredo")
    with structlog.testing.capture_logs() as lines:
        await web.post(address(shop), raw, signed(raw))
        await web.post(address(shop), raw)

    text = json.dumps(lines, default=str)
    assert "webhook taken" in text
    assert "meu segredo" not in text
    assert BUYER not in text


async def counted(web: Web, status: int) -> float:
    """How many Cloud API requests were answered so, by /metrics."""
    _, text = await web.get("/metrics")
    name = f'helix_webhook_requests_total{{gateway="cloud_api",status="{status}"}} '
    return next(
        (float(line[len(name) :]) for line in text.splitlines() if line.startswith(name)), 0
    )


def test_the_inbox_has_the_documented_name() -> None:
    """Gateways in other languages write to it."""
    assert inbox(42) == "helix:{42}:inbox"
