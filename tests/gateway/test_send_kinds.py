"""Every kind of reply reaches the phone through every gateway, or is refused with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters import ADAPTERS
from gateway.cloud_api.send import body_of
from gateway.cloud_api.standin import CloudStandin
from gateway.cloud_api.standin_send import outgoing as meta_takes
from gateway.evolution.send import request_of
from gateway.evolution.standin import EvolutionStandin
from gateway.evolution.standin_send import problem
from gateway.fallback import as_text
from gateway.limits import check
from gateway.standin.values import Outgoing
from schema.channels import Channel
from schema.errors import ChannelRefused, SendRefused
from schema.replies import Location, Option, Reply, ReplyKind, Template

TO = "5531999990001"
SHOP = Location(latitude=-19.92, longitude=-43.94, name="Loja Alfa", address="Av. Brasil, 10")
DAYS = (Option(id="visit:1", title="Sábado"), Option(id="visit:2", title="Segunda"))
CARS = (
    Option(id="car:7", title="Onix 2020", description="R$ 68.900, prata"),
    Option(id="car:9", title="HB20 2021"),
)
DOCUMENT = Reply(to=TO, kind=ReplyKind.DOCUMENT, media_url="https://x/f?i=1", file_name="laudo.pdf",
                 text="O laudo")  # fmt: skip
PLACE = Reply(to=TO, kind=ReplyKind.LOCATION, location=SHOP)
BUTTONS = Reply(to=TO, kind=ReplyKind.BUTTONS, text="Que dia?\nTemos dois.", options=DAYS)
LIST = Reply(to=TO, kind=ReplyKind.LIST, text="Qual deles?", button="Ver carros", options=CARS)
TEMPLATE = Reply(
    to=TO,
    kind=ReplyKind.TEMPLATE,
    template=Template(name="retomar", parameters=("Ana", "Onix\n2020    ")),
)


class Phones:
    """A stand-in of each gateway with a channel to it."""

    def __init__(self, http: aiohttp.ClientSession, cloud: CloudStandin, evo: EvolutionStandin):
        self._http = http
        self.cloud_api, self.evolution = cloud, evo

    async def send(self, kind: str, reply: Reply, **more: str) -> Outgoing:
        """What reached the buyer's phone."""
        phone: CloudStandin | EvolutionStandin = getattr(self, kind)
        await ADAPTERS[kind].send(self._http, self.channel(kind, **more), reply, timeout_s=5)
        return phone.outbox[-1]

    async def read(self, kind: str, *message_ids: str, typing: bool, **more: str) -> None:
        """Marks messages of the buyer read."""
        await ADAPTERS[kind].mark_read(
            self._http,
            self.channel(kind, **more),
            address=TO,
            message_ids=message_ids,
            typing=typing,
            timeout_s=5,
        )

    def channel(self, kind: str, **more: str) -> Channel:
        """The channel, with credentials of its own if need be."""
        phone: CloudStandin | EvolutionStandin = getattr(self, kind)
        return Channel(
            id=1,
            empresa_id=7,
            gateway=kind,
            identifier=phone.channel,
            webhook_token="w",
            credentials={**phone.credentials(), **more},
        )


@pytest.fixture
async def phones(http: aiohttp.ClientSession) -> AsyncIterator[Phones]:
    """Both stand-ins, running."""
    async with (
        CloudStandin(access_token="t", app_secret="s", statuses=()) as cloud,
        EvolutionStandin(apikey="k", webhook_secret="w", statuses=()) as evolution,
    ):
        yield Phones(http, cloud, evolution)


async def test_documents_and_places_on_every_gateway(phones: Phones) -> None:
    """With the name that the buyer sees, and the point on the map."""
    for kind in ("cloud_api", "evolution"):
        sent = await phones.send(kind, DOCUMENT)
        assert (sent.kind, sent.text, sent.media) == ("document", "O laudo", "https://x/f?i=1")
        assert "laudo.pdf" in sent.content.values()
        place = await phones.send(kind, PLACE)
        assert (place.kind, place.text) == ("location", "Loja Alfa")
        assert (place.content["latitude"], place.content["longitude"]) == (-19.92, -43.94)
    assert phones.evolution.outbox[0].content["mimetype"] == "application/pdf"
    bare = Reply(to=TO, kind=ReplyKind.LOCATION, location=Location(latitude=0, longitude=0))
    assert (await phones.send("evolution", bare)).content["address"] == ""


async def test_options_are_tapped_on_the_cloud_api(phones: Phones) -> None:
    """Their ids come back with the answer."""
    days = await phones.send("cloud_api", BUTTONS)
    assert (days.kind, days.text) == ("buttons", BUTTONS.text)
    assert str(days.content).count("visit:") == 2
    cars = await phones.send("cloud_api", LIST)
    assert (cars.kind, cars.text) == ("list", "Qual deles?")
    assert "R$ 68.900, prata" in str(cars.content)


async def test_options_are_numbered_text_on_evolution(phones: Phones) -> None:
    """What Baileys sends of buttons many phones do not show; a number can always be answered."""
    for reply in (BUTTONS, LIST):
        sent = await phones.send("evolution", reply)
        assert sent.kind == "text"
        assert sent.text == as_text(reply)
    assert as_text(LIST) == (
        "Qual deles?\n\n1. Onix 2020 (R$ 68.900, prata)\n2. HB20 2021\n\n"
        "Responda com o número da opção."
    )


async def test_a_channel_may_ask_for_the_real_thing(phones: Phones) -> None:
    """`native_options` in its credentials."""
    days = await phones.send("evolution", BUTTONS, native_options="true")
    assert (days.kind, days.text) == ("buttons", "Que dia?")
    assert days.content["description"] == "Temos dois."
    cars = await phones.send("evolution", LIST, native_options="true")
    assert (cars.kind, cars.text) == ("list", "Qual deles?")


@pytest.mark.parametrize("parameter", ["", " \n", "a" * 1025])
async def test_a_template_with_a_hole_is_not_sent(phones: Phones, parameter: str) -> None:
    """Meta takes no empty parameter, and none beyond its limit."""
    template = Template(name="retomar", parameters=("Ana", parameter))
    with pytest.raises(SendRefused, match="parameter"):
        await phones.send("cloud_api", TEMPLATE.model_copy(update={"template": template}))
    assert phones.cloud_api.outbox == []


async def test_templates_go_out_through_meta_alone(phones: Phones) -> None:
    """Their parameters without line breaks, which Meta refuses; elsewhere there are none."""
    sent = await phones.send("cloud_api", TEMPLATE)
    assert sent.text == "retomar"
    assert sent.content["components"] == [
        {
            "type": "body",
            "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "Onix 2020"}],
        }
    ]
    with pytest.raises(SendRefused, match="Cloud API only"):
        await phones.send("evolution", TEMPLATE)


@pytest.mark.parametrize("kind", ["cloud_api", "evolution"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(to=TO, text="a" * 4097),
        Reply(to=TO, kind=ReplyKind.IMAGE, media_url="https://x/a", text="a" * 1025),
        Reply(to=TO, kind=ReplyKind.BUTTONS, text="a" * 1025, options=DAYS),
        Reply(to=TO, kind=ReplyKind.IMAGE, media_url="file:///etc/passwd"),
        Reply(to=TO, kind=ReplyKind.IMAGE, media_url="http://["),
        Reply(to=TO, kind=ReplyKind.DOCUMENT, media_url="https:///x", file_name="a.pdf"),
        Reply(to=TO, kind=ReplyKind.BUTTONS, text="a", options=(DAYS[0], DAYS[0])),
    ],
)
async def test_what_whatsapp_would_refuse_is_not_sent(
    phones: Phones, kind: str, reply: Reply
) -> None:
    """The reason stands beside the row, and nothing was asked of the gateway."""
    with pytest.raises(SendRefused):
        await phones.send(kind, reply)
    assert phones.cloud_api.outbox == phones.evolution.outbox == []


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)
OPTIONS = st.lists(
    st.builds(
        Option,
        id=TEXT.map(lambda text: text[:200]),
        title=TEXT.map(lambda text: text[:20]),
        description=st.none() | TEXT.map(lambda text: text[:72]),
    ),
    min_size=1,
    max_size=10,
)
REPLIES = st.one_of(
    st.builds(Reply, to=st.just(TO), text=TEXT),
    st.builds(lambda t, o: Reply(to=TO, kind=ReplyKind.BUTTONS, text=t, options=tuple(o[:3])),
              TEXT, OPTIONS),
    st.builds(lambda t, o: LIST.model_copy(update={"text": t, "options": tuple(o)}),
              TEXT, OPTIONS),
    st.builds(lambda p: Reply(to=TO, kind=ReplyKind.TEMPLATE,
                              template=Template(name="n", parameters=tuple(p))),
              st.lists(TEXT, max_size=4)),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(reply=REPLIES, native=st.booleans())
def test_what_passes_our_check_passes_theirs(reply: Reply, native: bool) -> None:
    """For any reply: refused here with a reason, or taken by both stand-ins as they check."""
    try:
        check(reply)
    except SendRefused:
        return
    assert isinstance(meta_takes(dict(body_of(reply))), Outgoing)
    if reply.kind is not ReplyKind.TEMPLATE:
        route, body = request_of(reply, native_options=native)
        assert problem(route, body) is None


async def test_the_buyer_sees_that_he_is_read_and_that_we_write(phones: Phones) -> None:
    """Cloud: one call with the last id; Evolution: all ids, then the presence."""
    await phones.read("cloud_api", "a", "b", typing=True)
    await phones.read("cloud_api", "c", typing=False)
    assert phones.cloud_api.marks == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "b",
            "typing_indicator": {"type": "text"},
        },
        {"messaging_product": "whatsapp", "status": "read", "message_id": "c"},
    ]
    await phones.read("evolution", "a", "b", typing=True)
    jid = f"{TO}@s.whatsapp.net"
    assert phones.evolution.marks == [
        {"readMessages": [{"remoteJid": jid, "fromMe": False, "id": i} for i in ("a", "b")]},
        {"number": TO, "delay": 2500, "presence": "composing"},
    ]
    assert phones.cloud_api.outbox == phones.evolution.outbox == []


async def test_a_refused_mark_says_so(phones: Phones) -> None:
    """With the errors of sending: the caller decides what a mark is worth."""
    with pytest.raises(ChannelRefused):
        await phones.read("cloud_api", "a", typing=True, access_token="wrong")
    with pytest.raises(ChannelRefused):
        await phones.read("evolution", "a", typing=True, apikey="wrong")
