"""What Lucas gives back reaches the buyer's phone as it is meant, kind by kind and in order."""

from __future__ import annotations

from typing import Any

import orjson

from bot.stock import Stock
from bot.values import Bubble, BubbleKind, Dealer, Decision, Turn
from schema.replies import Location, Option, ReplyKind, Template
from tests.tenancy.installation import Installation
from tests.worker.shop import event, open_shop
from worker.details import Details, details_of

BUBBLES = (
    Bubble(text="Aqui está:"),
    Bubble(kind=BubbleKind.DOCUMENT, media_url="https://x/laudo.pdf", file_name="laudo.pdf"),
    Bubble(
        kind=BubbleKind.LOCATION,
        text="Estamos aqui:",
        location=Location(latitude=-19.9, longitude=-43.9, name="Loja"),
    ),
    Bubble(
        kind=BubbleKind.LIST,
        text="Qual deles?",
        button="Ver carros",
        options=(Option(id="car:1", title="Onix", description="R$ 50.000,00"),),
    ),
)


def says_all(turn: Turn, *, stock: Stock, dealer: Dealer, now: Any) -> Decision:
    """A Lucas who answers in every way at once."""
    del turn, stock, dealer, now
    return Decision(bubbles=BUBBLES, state={}, status="em_andamento", rule="all")


async def test_every_kind_goes_out_of_its_row(installation: Installation, redis_url: str) -> None:
    """In the order in which it was decided; the rows hold what was sent."""
    async with open_shop(installation, redis_url, decide_turn=says_all) as shop:
        await shop.handle(event("oi"))

        sent = shop.phone.outbox
        assert [one.kind for one in sent] == ["text", "document", "text", "location", "list"]
        assert sent[1].content["filename"] == "laudo.pdf"
        assert sent[3].content["latitude"] == -19.9
        assert "R$ 50.000,00" in str(sent[4].content)
        rows = await shop.rows("SELECT detalhes FROM mensagens WHERE tipo = 'enviada' ORDER BY id")
        assert [details_of(row[0]) == Details() for row in rows] == [
            True,
            False,
            True,
            False,
            False,
        ]


async def test_a_template_row_goes_out(installation: Installation, redis_url: str) -> None:
    """Whoever writes the row: the kind and `detalhes` say all that is needed."""
    async with open_shop(installation, redis_url) as shop:
        await shop.handle(event("oi"))
        details = Details(template=Template(name="retomar", parameters=("Ana",))).to_json()
        await shop.execute(
            "INSERT INTO mensagens (conversation_id, customer_id, tipo, canal_id, endereco, status,"
            " tipo_conteudo, detalhes, conteudo) SELECT conversation_id, customer_id, tipo,"
            " canal_id, endereco, 'pendente', %s, %s, 'Oi, Ana!' FROM mensagens"
            " WHERE tipo = 'enviada'",
            (ReplyKind.TEMPLATE.value, details),
        )
        await shop.deliver()
        assert (shop.phone.outbox[-1].kind, shop.phone.outbox[-1].text) == ("template", "retomar")


async def test_a_row_that_is_no_message_is_said_to_be_none(
    installation: Installation, redis_url: str
) -> None:
    """A list without options: refused with a reason, in the row and among the dead letters."""
    async with open_shop(installation, redis_url) as shop:
        await shop.push(event("oi"))
        await shop.drain()
        await shop.execute("UPDATE mensagens SET tipo_conteudo = 'list' WHERE tipo = 'enviada'")
        await shop.deliver()
        ((status, error),) = await shop.rows(
            "SELECT status, erro FROM mensagens WHERE tipo = 'enviada'"
        )
        assert (status, "options and button" in error) == ("falhou", True)
        assert [letter["kind"] for letter in await shop.dead()] == ["reply"]


def test_details_that_cannot_be_read_say_nothing() -> None:
    """What another release wrote must not stop a conversation."""
    assert details_of(None) == details_of("[1]") == details_of("{") == Details()
    assert details_of('{"options": [{"id": ""}], "file_name": "a"}') == Details()
    whole = Details(file_name="a", option_id="car:1")
    assert details_of(whole.to_json()) == whole
    assert orjson.loads(whole.to_json() or "") == {"file_name": "a", "option_id": "car:1"}
