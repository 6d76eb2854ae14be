"""pywa, a client of the Cloud API that knows nothing of us, takes our stand-in for Meta.

What our adapter sends and what it is pushed is then what Meta would take and push.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import httpx
import pytest
from pywa.errors import WhatsAppError
from pywa.types.callback import Button, Section, SectionList, SectionRow
from pywa.types.message_status import MessageStatusType
from pywa.types.templates import BodyText, TemplateLanguage
from pywa_async.client import WhatsApp
from pywa_async.handlers import MessageHandler, MessageStatusHandler
from pywa_async.types.message import Message
from pywa_async.types.message_status import MessageStatus

from gateway.cloud_api.adapter import CloudApi
from gateway.cloud_api.standin import CloudStandin
from schema.channels import Channel
from schema.replies import Reply
from tests.gateway.conftest import Webhook

BUYER = "5511980000001"
NUMBER = "106540352242901"


class _ToTheStandin(httpx.AsyncHTTPTransport):
    """pywa knows Meta's address alone: its requests go to the stand-in, unchanged otherwise."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._to = httpx.URL(base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == "graph.facebook.com"
        request.url = request.url.copy_with(
            scheme=self._to.scheme, host=self._to.host, port=self._to.port
        )
        return await super().handle_async_request(request)


@dataclass(slots=True)
class Pywa:
    """The client, the stand-in that it takes for Meta, and what its handlers were given."""

    client: WhatsApp
    standin: CloudStandin
    messages: list[Message] = field(default_factory=list)
    statuses: list[MessageStatus[str]] = field(default_factory=list)

    async def hand_on(self, webhook: Webhook) -> list[int]:
        """Gives pywa what the stand-in pushed; the status of its answers."""
        answers = []
        for headers, raw in webhook.received:
            refused = await self.client.webhook_update_validator(
                raw, headers.get("x-hub-signature-256")
            )
            _, status = refused or await self.client.webhook_update_handler(raw)
            answers.append(status)
        webhook.received.clear()
        return answers


@pytest.fixture
async def pywa(webhook: Webhook) -> AsyncIterator[Pywa]:
    """pywa with the number and the secrets of a stand-in."""
    async with (
        CloudStandin(
            access_token="token", app_secret="secret", channel=NUMBER, webhook_url=webhook.url
        ) as standin,
        httpx.AsyncClient(transport=_ToTheStandin(standin.base_url)) as session,
    ):
        client = WhatsApp(
            phone_id=NUMBER,
            token="token",
            session=session,
            server=None,
            verify_token="verify",
            app_secret="secret",
        )
        made = Pywa(client, standin)

        async def keep_message(_: object, message: Message) -> None:
            made.messages.append(message)

        async def keep_status(_: object, status: MessageStatus[str]) -> None:
            made.statuses.append(status)

        client.add_handlers(MessageHandler(keep_message), MessageStatusHandler(keep_status))
        yield made


async def test_what_pywa_sends_reaches_the_phone(pywa: Pywa) -> None:
    """Text, photo, buttons, list and template, with the ids that it reads from our answers."""
    pywa.standin.statuses = ()
    client = pywa.client
    buttons = [Button(title="Sim", callback_data="sim"), Button(title="Não", callback_data="nao")]
    rows = [SectionRow(title="Onix 2022", callback_data="car:1", description="R$ 69.900")]
    sections = SectionList(button_title="Ver carros", sections=[Section(title="SUV", rows=rows)])

    # The types of its descriptor do not say that it can be called on an instance.
    greeting = BodyText("Oi, {{1}}!", "Ana").params("Ana")  # type: ignore[arg-type]

    sent = [
        await client.send_message(BUYER, "Olá!", reply_to_message_id="wamid.X", tracker="7:42"),
        await client.send_image(BUYER, "https://fotos.example/1.jpg", caption="Onix"),
        await client.send_message(BUYER, "Quer agendar?", buttons=buttons),
        await client.send_message(BUYER, "Temos:", buttons=sections),
        await client.send_template(
            BUYER, "retomada", TemplateLanguage.PORTUGUESE_BR, params=[greeting]
        ),
    ]

    outbox = pywa.standin.outbox
    assert [message.id for message in sent] == [found.id for found in outbox]
    assert [(found.kind, found.text) for found in outbox] == [
        ("text", "Olá!"),
        ("image", "Onix"),
        ("buttons", "Quer agendar?"),
        ("list", "Temos:"),
        ("template", "retomada"),
    ]
    assert (outbox[0].quoted_id, outbox[0].our_ref) == ("wamid.X", "7:42")
    assert outbox[1].media == "https://fotos.example/1.jpg"
    assert {found.to for found in outbox} == {BUYER}


async def test_pywa_marks_a_message_as_read_and_shows_that_it_types(pywa: Pywa) -> None:
    """Nothing of it reaches the outbox: the buyer only sees ticks and dots."""
    await pywa.client.mark_message_as_read("wamid.X")
    await pywa.client.indicate_typing("wamid.X")

    assert pywa.standin.outbox == []


async def test_pywa_reads_the_errors_of_the_standin(pywa: Pywa) -> None:
    """Code and details as Meta's: a window that is shut, a text that is too long."""
    pywa.standin.fail_next(code=131047, details="Re-engagement message")

    with pytest.raises(WhatsAppError) as shut:
        await pywa.client.send_message(BUYER, "oi")
    with pytest.raises(WhatsAppError) as too_long:
        await pywa.client.send_message(BUYER, "x" * 4097)

    assert (shut.value.code, shut.value.details) == (131047, "Re-engagement message")
    assert too_long.value.code == 100


async def test_pywa_takes_what_the_standin_pushes(pywa: Pywa, webhook: Webhook) -> None:
    """Signed as pywa checks it; a buyer's text, quote and name are where Meta puts them."""
    message_id = await pywa.standin.buyer_writes(BUYER, "tem ônix? 🚗", quoted_id="wamid.Q")

    assert await pywa.hand_on(webhook) == [200]
    (message,) = pywa.messages
    assert (message.id, message.text) == (message_id, "tem ônix? 🚗")
    assert (message.from_user.wa_id, message.from_user.name) == (BUYER, "Comprador")
    assert message.reply_to_message is not None
    assert message.reply_to_message.id == "wamid.Q"


async def test_pywa_refuses_a_body_that_was_changed_on_the_way(
    pywa: Pywa, webhook: Webhook
) -> None:
    """So the signature is over the very bytes that the stand-in sends."""
    await pywa.standin.buyer_writes(BUYER, "oi")
    ((headers, raw),) = webhook.received
    webhook.received[:] = [(headers, raw.replace(b"oi", b"ei")), ({}, raw)]

    assert await pywa.hand_on(webhook) == [403, 401]
    assert pywa.messages == []


async def test_pywa_is_told_what_became_of_our_own_sends(
    pywa: Pywa, webhook: Webhook, http: aiohttp.ClientSession
) -> None:
    """Our adapter sends, pywa takes the statuses: id and reference are those of the send."""
    channel = Channel(
        id=1,
        empresa_id=7,
        gateway="cloud_api",
        identifier=NUMBER,
        webhook_token="w",
        credentials=pywa.standin.credentials("verify"),
    )
    sent = await CloudApi().send(
        http, channel, Reply(to=BUYER, text="Olá!", our_ref="7:42"), timeout_s=5
    )
    await pywa.standin.wait_for_pushes(2)

    assert await pywa.hand_on(webhook) == [200, 200]
    assert [(status.id, status.status, status.tracker) for status in pywa.statuses] == [
        (sent.message_id, MessageStatusType.SENT, "7:42"),
        (sent.message_id, MessageStatusType.DELIVERED, "7:42"),
    ]
