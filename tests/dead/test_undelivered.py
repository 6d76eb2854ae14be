"""An answer that a gateway took and then reports as failed: a person hears of it, once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from schema.events import DeliveryStatus, Event, EventKind
from tests.dead.acts import letters, outcomes, replay
from tests.worker.shop import Shop, event
from tests.worker.test_statuses import report
from worker.dead.letter import Kind
from worker.dead.results import Outcome


def failed(message_id: str) -> Event:
    """The Cloud API's report: this number has no WhatsApp."""
    return report(message_id, DeliveryStatus.FAILED, error_code=131026)


async def attention(shop: Shop) -> Sequence[object]:
    """Why a person must look at each conversation."""
    return [why for (why,) in await shop.rows("SELECT atencao FROM conversations ORDER BY id")]


@pytest.mark.parametrize("writes_on", [False, True])
async def test_9_it_is_a_dead_letter_and_a_persons(shop: Shop, writes_on: bool) -> None:
    """Whether the buyer writes in the same moment or not; reported twice it is one letter."""
    await shop.handle(event("oi"))
    (sent,) = shop.phone.outbox

    await shop.push(failed(sent.id))
    await shop.push(failed(sent.id))
    if writes_on:
        await shop.push(event("alô?"))
    await shop.drain()
    await shop.handle(failed(sent.id))

    (letter,) = await letters(shop, kind=Kind.REPLY)
    assert "não tem WhatsApp" in letter.error
    assert letter.cause == "taken by the gateway, not delivered"
    assert await attention(shop) == ["uma mensagem do Lucas não foi entregue"]


async def test_what_arrived_all_the_same_is_nobodys_trouble(shop: Shop) -> None:
    """What reached the phone did not fail, whatever is said later."""
    await shop.handle(event("oi"))
    (sent,) = shop.phone.outbox

    await shop.handle(report(sent.id, DeliveryStatus.DELIVERED))
    await shop.handle(failed(sent.id))

    assert await letters(shop, kind=Kind.REPLY) == []
    assert await attention(shop) == [None]


async def test_what_a_seller_typed_is_his_own(shop: Shop) -> None:
    """He sees it on his phone."""
    await shop.handle(event("oi"))
    await shop.handle(event("deixa comigo", kind=EventKind.HUMAN_ECHO, message_id="wamid.HAND"))

    await shop.handle(failed("wamid.HAND"))

    assert await letters(shop, kind=Kind.REPLY) == []


async def test_5_replayed_it_goes_out_once_more_and_is_followed_anew(shop: Shop) -> None:
    """A repeated report of the first send is not about the second."""
    await shop.handle(event("oi"))
    (first,) = shop.phone.outbox
    await shop.handle(failed(first.id))
    (letter,) = await letters(shop, kind=Kind.REPLY)

    assert outcomes(await replay(shop, letter)) == {Outcome.REPLAYED: 1}
    await shop.deliver()
    await shop.handle(failed(first.id))
    _, second = shop.phone.outbox
    await shop.handle(report(second.id, DeliveryStatus.READ))

    assert second.id != first.id
    assert await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada'") == [("lida",)]
    assert await letters(shop, kind=Kind.REPLY) == []
