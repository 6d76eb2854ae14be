"""How far a message of ours got: one ladder, whatever order the reports come in."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.events import DeliveryStatus, Event, EventKind
from tests.worker.shop import Shop, event
from worker.details import details_of
from worker.drain.failures import WORDS, in_words

ORDER = ("enviada", "falhou", "entregue", "lida")
STEP = {
    DeliveryStatus.SENT: "enviada",
    DeliveryStatus.FAILED: "falhou",
    DeliveryStatus.DELIVERED: "entregue",
    DeliveryStatus.READ: "lida",
    DeliveryStatus.PLAYED: "lida",
}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_6_in_any_order_and_in_any_batches_the_highest_stands(
    shop: Shop, data: st.DataObject
) -> None:
    """Twice, late, one by one or at once: the row ends on the highest step that was reported; the
    reason of a failure stands beside a failure alone."""
    told = data.draw(st.lists(st.sampled_from(list(STEP)), min_size=1, max_size=6))
    cuts = data.draw(st.lists(st.booleans(), min_size=len(told), max_size=len(told)))
    await shop.execute("UPDATE mensagens SET status = 'enviada', erro = NULL WHERE tipo='enviada'")
    if not await shop.rows("SELECT id FROM mensagens WHERE tipo = 'enviada'"):
        await shop.handle(event("oi"))
    sent = shop.phone.outbox[0]

    for status, cut in zip(told, cuts, strict=True):
        await shop.push(report(sent.id, status))
        if cut:
            await shop.drain()
    await shop.drain()

    ((status, error),) = await shop.rows(
        "SELECT status, erro FROM mensagens WHERE tipo = 'enviada'"
    )
    assert status == max((STEP[one] for one in told), key=ORDER.index)
    assert (error is not None) == (status == "falhou")


async def test_6_a_report_may_be_quicker_than_the_answer_to_the_send(shop: Shop) -> None:
    """Delivered before we know the message's id: it counts once we do. Reports about what is not
    ours at all are not kept."""
    await shop.push(event("oi"))
    await shop.drain()
    await shop.execute("UPDATE mensagens SET status = 'enviando' WHERE tipo = 'enviada'")
    await shop.push(report("wamid.EARLY", DeliveryStatus.DELIVERED))
    await shop.drain()
    await shop.execute(
        "UPDATE mensagens SET status = 'enviada', external_id = 'wamid.EARLY'"
        " WHERE tipo = 'enviada'"
    )

    await shop.push(report("wamid.OTHER", DeliveryStatus.SENT))
    await shop.drain()

    assert await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada'") == [("entregue",)]
    assert await shop.rows("SELECT external_id FROM _early_changes") == []


async def test_early_reports_of_what_is_not_ours_are_forgotten(shop: Shop) -> None:
    """A seller types on while a send is under way: a week later his reports are gone."""
    await shop.push(event("oi"))
    await shop.drain()
    await shop.execute("UPDATE mensagens SET status = 'enviando' WHERE tipo = 'enviada'")
    await shop.push(report("wamid.OLD", DeliveryStatus.READ))
    await shop.drain()
    await shop.execute("UPDATE _early_changes SET chegou_em = chegou_em - INTERVAL 8 DAY")
    await shop.push(report("wamid.NEW", DeliveryStatus.READ))
    await shop.drain()

    assert await shop.rows("SELECT external_id FROM _early_changes") == [("wamid.NEW",)]


async def test_6_an_early_report_waits_also_when_its_message_is_a_sellers(shop: Shop) -> None:
    """The report about what was typed by hand came before the echo of it."""
    await shop.push(event("oi"))
    await shop.drain()
    await shop.execute("UPDATE mensagens SET status = 'enviando' WHERE tipo = 'enviada'")
    await shop.push(report("wamid.HAND", DeliveryStatus.READ))
    await shop.drain()
    await shop.push(event("já vi", kind=EventKind.HUMAN_ECHO, message_id="wamid.HAND"))
    await shop.drain()

    await shop.push(report("wamid.OTHER", DeliveryStatus.SENT))
    await shop.drain()

    rows = await shop.rows("SELECT status FROM mensagens WHERE external_id = 'wamid.HAND'")
    assert rows == [("lida",)]


async def test_a_failure_is_said_in_a_dealers_words(shop: Shop) -> None:
    """Not Meta's English alone: what happened and what can be done, and the code for support."""
    await shop.handle(event("oi"))
    (sent,) = shop.phone.outbox

    await shop.handle(report(sent.id, DeliveryStatus.FAILED, error_code=131047))

    ((error,),) = await shop.rows("SELECT erro FROM mensagens WHERE tipo = 'enviada'")
    assert "24 horas" in error
    assert "131047" in error


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (131047, "24 horas"),
        (131026, "não tem WhatsApp"),
        (131049, "propaganda"),
        (131050, "propaganda"),
        (131053, "arquivo"),
        (130472, "teste"),
        (132000, "modelo"),
        (132015, "modelo"),
        (190, "chave"),
        (10, "chave"),
        (230, "permissões"),
        (131042, "pagamento"),
        (131056, "demais"),
        (999999, "não entregou"),
    ],
)
def test_every_class_of_failure_has_words(code: int, word: str) -> None:
    """Also a code that nobody here has seen; the gateway's own words are kept beside ours."""
    said = in_words(code, "Meta's words")

    assert word in said
    assert said.endswith(f"(código {code}: Meta's words)")


def test_a_failure_without_a_code_has_the_gateways_words() -> None:
    """Unofficial gateways tell no code, and often nothing at all."""
    assert in_words(None, "no route") == "no route"
    assert "não entregou" in in_words(None, None)


def test_no_words_are_anybody_elses() -> None:
    """A dealer reads Portuguese sentences."""
    for words in WORDS.values():
        assert words[0].isupper()
        assert words.endswith(".")


def report(message_id: str, status: DeliveryStatus, error_code: int | None = None) -> Event:
    """What a gateway tells of a message that we sent."""
    return event(
        None,
        kind=EventKind.STATUS,
        status=status,
        message_id=message_id,
        error_code=error_code,
        from_me=True,
    )


async def test_11_each_step_keeps_the_time_at_which_it_was_first_reported(shop: Shop) -> None:
    """Together, out of order, once more: by the gateway's clock, beside what the row says."""
    await shop.handle(event("oi"))
    sent = shop.phone.outbox[0]
    for status, at in (("read", 300), ("delivered", 200), ("read", 400), ("delivered", 190)):
        told = report(sent.id, DeliveryStatus(status)).model_copy(update={"timestamp": at})
        await shop.push(told)
        if status == "read":
            await shop.drain()
    await shop.drain()

    ((status, details),) = await shop.rows(
        "SELECT status, detalhes FROM mensagens WHERE tipo = 'enviada'"
    )
    assert status == "lida"
    assert details_of(details).passos == {"lida": 300_000, "entregue": 200_000}
