"""Every kind of reply: as the gateway has it, or in a form that anybody can read, or refused."""

from __future__ import annotations

import pytest

from schema.errors import SendRefused
from schema.replies import Location, Option, Reply, ReplyKind, Template
from tests.gateway.line import BUYER, Line

PHOTO = "https://fotos.test/onix.jpg"
OPTIONS = (Option(id="car:1", title="Onix LT"), Option(id="car:2", title="HB20"))
REPLIES = {
    ReplyKind.TEXT: Reply(to=BUYER, text="Olá!"),
    ReplyKind.IMAGE: Reply(to=BUYER, kind=ReplyKind.IMAGE, media_url=PHOTO, text="O Onix"),
    ReplyKind.DOCUMENT: Reply(
        to=BUYER, kind=ReplyKind.DOCUMENT, media_url=PHOTO, file_name="ficha.pdf"
    ),
    ReplyKind.LOCATION: Reply(
        to=BUYER,
        kind=ReplyKind.LOCATION,
        location=Location(latitude=-23.5, longitude=-46.6, name="Loja Ipê"),
    ),
    ReplyKind.BUTTONS: Reply(to=BUYER, kind=ReplyKind.BUTTONS, text="Qual?", options=OPTIONS),
    ReplyKind.LIST: Reply(
        to=BUYER, kind=ReplyKind.LIST, text="Qual?", options=OPTIONS, button="Ver carros"
    ),
    ReplyKind.TEMPLATE: Reply(
        to=BUYER, kind=ReplyKind.TEMPLATE, template=Template(name="retomada")
    ),
}


@pytest.mark.parametrize("reply_kind", sorted(set(ReplyKind) - {ReplyKind.TEMPLATE}))
async def test_a_reply_of_each_kind_reaches_the_phone(line: Line, reply_kind: ReplyKind) -> None:
    """With all that it says; options that a gateway cannot show can be read and typed."""
    sent = await line.send(REPLIES[reply_kind])

    (arrived,) = await line.phone.wait_for(1)
    assert arrived.id == sent.message_id
    reply = REPLIES[reply_kind]
    assert (reply.text or "") in (arrived.text or "")
    if reply.media_url:
        assert arrived.media == reply.media_url
    if reply.options and arrived.kind == ReplyKind.TEXT:
        assert all(f"{n}. {o.title}" in (arrived.text or "") for n, o in enumerate(OPTIONS, 1))


async def test_a_template_is_sent_or_refused_for_good(line: Line) -> None:
    """Only Meta has them: elsewhere the row says so, and nothing else goes out in its place."""
    if line.adapter.traits.window is not None:
        await line.send(REPLIES[ReplyKind.TEMPLATE])
        (arrived,) = await line.phone.wait_for(1)
        assert arrived.kind == ReplyKind.TEMPLATE
    else:
        with pytest.raises(SendRefused, match="template"):
            await line.send(REPLIES[ReplyKind.TEMPLATE])
        assert line.phone.outbox == []


async def test_a_reply_that_no_gateway_takes_is_refused_before_it_is_sent(line: Line) -> None:
    """Lengths are WhatsApp's own: the reason is in words, not in a gateway's code."""
    with pytest.raises(SendRefused, match="characters"):
        await line.send(Reply(to=BUYER, text="a" * 5000))
    assert line.phone.outbox == []
