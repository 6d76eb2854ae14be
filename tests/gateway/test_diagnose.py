"""`diagnose`: each thing that keeps a number silent is found, named, and comes with a remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters import ADAPTERS
from gateway.cloud_api.standin import CloudStandin
from gateway.evolution.standin import EvolutionStandin
from gateway.findings import Finding
from gateway.waha.diagnose import EVENTS, diagnose
from gateway.waha.standin_view import SessionView
from schema.channels import Channel
from tests.gateway.conftest import serving

TOKEN = "webhook-token"


def _channel(phone: CloudStandin | EvolutionStandin, kind: str, **changes: str) -> Channel:
    return Channel(
        id=1,
        empresa_id=7,
        gateway=kind,
        identifier=phone.channel,
        webhook_token=TOKEN,
        credentials={**phone.credentials(), **changes},
    )


async def _wrong(http: aiohttp.ClientSession, channel: Channel) -> list[str]:
    findings = await ADAPTERS[channel.gateway].diagnose(http, channel, timeout_s=5)
    return _named(findings)


def _named(findings: list[Finding]) -> list[str]:
    assert all(finding.do for finding in findings if not finding.ok)
    return [finding.what for finding in findings if finding.ok is False]


@pytest.fixture
async def cloud() -> AsyncIterator[CloudStandin]:
    """As it should be."""
    async with CloudStandin(
        access_token="token",
        app_secret="s",
        webhook_url=f"https://h.example/webhook/cloud_api/{TOKEN}",
    ) as phone:
        yield phone


@pytest.fixture
async def evolution() -> AsyncIterator[EvolutionStandin]:
    """As it should be."""
    async with EvolutionStandin(
        apikey="k",
        webhook_secret="w",
        channel="loja são/1",
        webhook_url=f"https://h.example/webhook/evolution/{TOKEN}",
    ) as phone:
        yield phone


async def test_nothing_is_found_where_nothing_is_wrong(
    http: aiohttp.ClientSession, cloud: CloudStandin, evolution: EvolutionStandin
) -> None:
    """Also for an instance whose name needs quoting."""
    assert await _wrong(http, _channel(cloud, "cloud_api")) == []
    assert await _wrong(http, _channel(evolution, "evolution")) == []


def _set(name: str, value: object) -> Callable[[Any], None]:
    return lambda view: setattr(view, name, value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("status", "BANNED"), "status is BANNED"),
        (_set("quality", "RED"), "quality RED"),
        (_set("token_is_valid", False), "token is not valid"),
        (_set("scopes", ["whatsapp_business_management"]), "lacks whatsapp_business_messaging"),
        (_set("expires_at", 1795400000), "has an end"),
        (_set("apps", []), "no app is subscribed"),
        (_set("webhook_url", lambda: None), "no webhook address"),
        (_set("webhook_url", lambda: "https://old.example/hook"), "not ours"),
    ],
)
async def test_what_is_wrong_at_meta_is_found(
    http: aiohttp.ClientSession, cloud: CloudStandin, change: Callable[[Any], None], words: str
) -> None:
    """One thing wrong, one finding."""
    change(cloud.graph)

    (what,) = await _wrong(http, _channel(cloud, "cloud_api"))

    assert words in what


async def test_a_token_or_a_number_that_meta_does_not_know_is_found(
    http: aiohttp.ClientSession, cloud: CloudStandin
) -> None:
    """They are told apart: a new token does not help a wrong number."""
    channel = _channel(cloud, "cloud_api", access_token="old")
    token = await ADAPTERS["cloud_api"].diagnose(http, channel, timeout_s=5)
    other = Channel(
        id=1, empresa_id=7, gateway="cloud_api", identifier="999", webhook_token=TOKEN,
        credentials=cloud.credentials(),
    )  # fmt: skip
    number = await ADAPTERS["cloud_api"].diagnose(http, other, timeout_s=5)

    assert "make a token" in (token[1].do or "")
    assert "phone number id" in (number[1].do or "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("state", "close"), "not connected: close"),
        (_set("state", "connecting"), "not connected: connecting"),
        (_set("enabled", False), "switched off"),
        (_set("events", ("MESSAGES_UPSERT",)), "SEND_MESSAGE"),
        (_set("headers", {}), "carries no secret"),
        (_set("headers", {"X-Webhook-Secret": "other"}), "carries another secret"),
        (_set("webhook_url", lambda: None), "no webhook of its own"),
        (_set("webhook_url", lambda: "https://old.example/hook"), "another address"),
    ],
)
async def test_what_is_wrong_at_evolution_is_found(
    http: aiohttp.ClientSession,
    evolution: EvolutionStandin,
    change: Callable[[Any], None],
    words: str,
) -> None:
    """One thing wrong, one finding."""
    change(evolution.instance)

    (what,) = await _wrong(http, _channel(evolution, "evolution"))

    assert words in what


async def test_a_key_or_an_instance_that_evolution_does_not_know_is_found(
    http: aiohttp.ClientSession, evolution: EvolutionStandin
) -> None:
    """The first answer says it; nothing further is asked."""
    assert await _wrong(http, _channel(evolution, "evolution", apikey="old")) == [
        "Evolution does not accept the apikey"
    ]
    evolution.instance.channel = "outra"
    (what,) = await _wrong(http, _channel(evolution, "evolution"))
    assert "knows no instance" in what


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set("api_key", "other"), "api_key"),
        (_set("channel", "outra"), "no session"),
        (_set("status", "SCAN_QR_CODE"), "SCAN_QR_CODE"),
        (_set("webhook_url", lambda: None), "no webhook"),
        (_set("webhook_url", lambda: "https://old.example/hook"), "pushes elsewhere"),
        (_set("events", ("message.any",)), "not pushed: message.reaction"),
        (_set("events", (*EVENTS, "message")), "twice"),
        (_set("hmac_key", None), "not signed"),
        (_set("hmac_key", "other"), "another key"),
        (_set("events", ("*",)), None),
    ],
)
async def test_what_is_wrong_at_waha_is_found(
    http: aiohttp.ClientSession, change: Callable[[Any], None], words: str | None
) -> None:
    """One thing wrong, one finding."""
    view = SessionView(
        channel="loja são",
        api_key="k",
        hmac_key="the-key",
        webhook_url=lambda: f"https://h.example/webhook/waha/{TOKEN}",
    )
    change(view)
    channel = Channel(
        id=1, empresa_id=7, gateway="waha", identifier="loja são", webhook_token=TOKEN
    )
    async with serving(*view.routes()) as base_url:
        findings = await diagnose(
            http, channel, base_url=base_url, api_key="k", hmac_keys=[b"the-key"], timeout_s=5
        )

    wrong = _named(findings)
    assert len(wrong) == (0 if words is None else 1)
    assert all(words in what for what in wrong if words is not None)


@pytest.mark.parametrize("kind", ["cloud_api", "evolution"])
async def test_a_server_that_breaks_or_is_strange_is_a_finding(
    http: aiohttp.ClientSession, cloud: CloudStandin, evolution: EvolutionStandin, kind: str
) -> None:
    """Errors, redirects, other JSON: never an exception."""
    phone = cloud if kind == "cloud_api" else evolution
    answers = [
        lambda: web.Response(status=502),
        lambda: web.Response(status=302, headers={"Location": "https://x.example"}),
        lambda: web.json_response([1]),
        lambda: web.Response(text="<html>"),
    ]
    for answer in answers:

        async def strange(
            _: web.Request, answer: Callable[[], web.Response] = answer
        ) -> web.Response:
            return answer()

        async with serving(web.get("/{any:.*}", strange)) as base_url:
            assert await _wrong(http, _channel(phone, kind, base_url=base_url)) != []


@pytest.mark.parametrize("kind", sorted(ADAPTERS))
async def test_incomplete_credentials_are_a_finding(http: aiohttp.ClientSession, kind: str) -> None:
    """Nothing is asked with half of them."""
    channel = Channel(id=1, empresa_id=7, gateway=kind, identifier="x", webhook_token=TOKEN)

    (what,) = await _wrong(http, channel)

    assert "is missing" in what
