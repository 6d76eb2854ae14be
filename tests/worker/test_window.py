"""The 24-hour window of the Cloud API: never a doomed send; a template, or a person."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from bot.lucas import decide
from schema.errors import SendLater
from schema.replies import Reply, ReplyKind, Sent
from tests.tenancy.installation import Installation
from tests.worker.reminding import EVENING, TWO_HOURS, VISIT, book, remind, send, written
from tests.worker.shop import AT_ONCE, BUYER, Shop, event, open_shop
from tests.worker.test_choices import asks_for_a_day
from tests.worker.test_invariants_out import OTHER_BUYER, three_bubbles

DAY_S = 24 * 3600
LATE = AT_ONCE.model_copy(update={"too_old_h": 48})
"""Lucas answers here what he would else leave to a person as too old."""
TEMPLATE = {"window_template": {"name": "retomada"}}


async def test_outside_the_window_a_person_takes_over(
    installation: Installation, redis_url: str
) -> None:
    """The reply says why, in words for a dealer; Lucas leaves the conversation; nothing is sent."""
    async with open_shop(installation, redis_url, lucas=LATE, decide_turn=three_bubbles) as shop:
        await shop.handle(event("tem onix?", timestamp=int(time.time()) - DAY_S))

        assert shop.phone.outbox == []
        rows = await shop.rows("SELECT status, erro FROM mensagens WHERE tipo = 'enviada'")
        assert [status for status, _ in rows] == ["falhou", "cancelada", "cancelada"]
        assert all("janela de 24 horas" in error for _, error in rows)
        (letter,) = await shop.dead()
        assert "janela de 24 horas" in letter["error"]
        ((paused,),) = await shop.rows(
            "SELECT bot_pausado_ate > UTC_TIMESTAMP() FROM conversations"
        )
        assert paused


async def test_a_message_of_the_last_day_leaves_the_window_open(shop: Shop) -> None:
    """Up to a minute before the day is over: Meta's clock decides."""
    await shop.handle(event("tem onix?", timestamp=int(time.time()) - DAY_S + 120))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]


async def test_the_window_is_that_of_one_buyer(shop: Shop) -> None:
    """Another buyer's message, or what we or a seller wrote, opens nothing."""
    await shop.push(event("tem onix?", timestamp=int(time.time()) - DAY_S))
    await shop.drain()
    await shop.execute(
        "INSERT INTO mensagens (conversation_id, customer_id, tipo, autor, status, canal_id, turno)"
        " SELECT conversation_id, customer_id, 'enviada', 'vendedor', 'enviada', canal_id, turno"
        " FROM mensagens WHERE tipo = 'recebida'"
    )
    await shop.push(event("oi", phone=OTHER_BUYER))
    await shop.drain()

    await shop.deliver()

    assert [sent.to for sent in shop.phone.outbox] == [OTHER_BUYER]


async def test_a_template_goes_out_in_place_of_the_answer(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: what would have followed is withdrawn, and the row says what the buyer got."""
    async with open_shop(installation, redis_url, lucas=LATE, decide_turn=three_bubbles) as shop:
        sent = record_sends(monkeypatch)
        await set_limits(shop, TEMPLATE)
        await shop.handle(event("tem onix?", timestamp=int(time.time()) - DAY_S))
        await shop.deliver()

        (reply,) = sent
        assert reply.kind is ReplyKind.TEMPLATE
        assert reply.to == BUYER
        assert reply.template is not None
        assert (reply.template.name, reply.template.language) == ("retomada", "pt_BR")
        rows = await shop.rows(
            "SELECT status, tipo_conteudo, conteudo FROM mensagens WHERE tipo = 'enviada'"
        )
        assert rows[0] == ("enviada", "template", "[modelo retomada]")
        assert [status for status, *_ in rows[1:]] == ["cancelada", "cancelada"]
        assert await shop.dead() == []


async def test_a_template_that_has_to_wait_goes_out_later(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back like any reply, and still the template when its time comes."""
    async with open_shop(installation, redis_url, lucas=LATE, decide_turn=three_bubbles) as shop:
        await set_limits(shop, TEMPLATE)
        with monkeypatch.context() as busy:
            busy.setattr("gateway.cloud_api.adapter.send", refuse_for_now)
            await shop.handle(event("tem onix?", timestamp=int(time.time()) - DAY_S))
        sent = record_sends(monkeypatch)
        await shop.waits_are_over()
        await shop.deliver()

        assert [reply.kind for reply in sent] == [ReplyKind.TEMPLATE]
        rows = await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada' ORDER BY id")
        assert [status for (status,) in rows] == ["enviada", "cancelada", "cancelada"]


async def test_a_second_template_is_a_nuisance(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the buyer answers, a further reply goes to a person."""
    async with open_shop(installation, redis_url, lucas=LATE) as shop:
        sent = record_sends(monkeypatch)
        await set_limits(shop, TEMPLATE)
        old = int(time.time()) - DAY_S
        await shop.handle(event("tem onix?", timestamp=old))
        await shop.handle(event("e mobi?", timestamp=old))

        assert len(sent) == 1
        assert len(await shop.dead()) == 1


async def test_a_template_is_still_one_when_the_buyer_writes_meanwhile(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker died in mid-send and the window opened since: the row is what it says, and goes."""
    async with open_shop(installation, redis_url, lucas=LATE, decide_turn=three_bubbles) as shop:
        await set_limits(shop, TEMPLATE)
        with monkeypatch.context() as busy:
            busy.setattr("gateway.cloud_api.adapter.send", refuse_for_now)
            await shop.handle(event("tem onix?", timestamp=int(time.time()) - DAY_S))
        await shop.execute(
            "UPDATE mensagens SET status = 'enviando', erro = NULL WHERE status = 'pendente'"
        )
        sent = record_sends(monkeypatch)
        await shop.push(event("oi?"))
        await shop.drain()
        await shop.waits_are_over()
        await shop.deliver()

        assert [reply.kind for reply in sent[:2]] == [ReplyKind.TEMPLATE, ReplyKind.TEXT]
        assert await shop.dead() == []


async def test_a_template_offers_nothing_that_the_answer_would_have(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buyer never saw the options: his `1` is none of them."""
    async with open_shop(installation, redis_url, lucas=LATE, decide_turn=asks_for_a_day) as shop:
        sent = record_sends(monkeypatch)
        await set_limits(shop, TEMPLATE)
        await shop.handle(event("tem onix?", timestamp=int(time.time()) - DAY_S))
        await shop.handle(event("1"))

        assert [reply.kind for reply in sent] == [ReplyKind.TEMPLATE, ReplyKind.BUTTONS]
        assert sent[-1].text == "1. Que dia?"


async def test_what_the_gateway_says_of_the_window_counts(shop: Shop) -> None:
    """131047 though we think it open: handed over, not repeated."""
    shop.phone.fail_next(code=131047)
    await shop.handle(event("tem onix?"))
    await shop.deliver()

    assert shop.phone.outbox == []
    assert await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada'") == [("falhou",)]
    assert len(await shop.dead()) == 1


def record_sends(monkeypatch: pytest.MonkeyPatch) -> list[Reply]:
    """What reaches the adapter, which takes everything."""
    sent: list[Reply] = []

    async def take(_session: object, _channel: object, reply: Reply, **_: Any) -> Sent:
        sent.append(reply)
        return Sent(message_id=f"wamid.X{len(sent)}")

    monkeypatch.setattr("gateway.cloud_api.adapter.send", take)
    return sent


async def refuse_for_now(*_: object, **__: object) -> Sent:
    """A gateway that is busy."""
    raise SendLater("busy")


async def set_limits(shop: Shop, limits: dict[str, Any]) -> None:
    """As `helix channel add --limits` does."""
    await shop.installation.central(
        "UPDATE canais SET limites = %s WHERE id = %s",
        (orjson.dumps(limits).decode(), shop.channel.id),
    )
    shop.tenancy.registry.forget(shop.empresa_id)


REMINDER = {"reminder_template": {"name": "lembrete_visita"}, **TEMPLATE}


@pytest.mark.parametrize("asked_before", [False, True])
async def test_a_reminder_has_a_template_of_its_own(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch, asked_before: bool
) -> None:
    """With what for, day and time; also where another template went out before it."""
    async with open_shop(installation, redis_url) as shop:
        await set_limits(shop, REMINDER)
        await book(shop)
        await shop.execute("UPDATE mensagens SET timestamp = timestamp - INTERVAL 2 DAY")
        if asked_before:
            await shop.execute("UPDATE mensagens SET tipo_conteudo = 'template', timestamp = NOW()"
                               " WHERE tipo = 'enviada'")  # fmt: skip
        sent = record_sends(monkeypatch)
        await remind(shop, EVENING)
        await shop.execute("UPDATE lucas_lembretes SET ate = '2037-01-08'")
        await send(shop)

        (reply,) = sent
        assert reply.template is not None
        assert reply.template.name == "lembrete_visita"
        assert reply.template.parameters == ("sua visita", "amanhã, quinta-feira, 08/01", "15h")
        assert [
            text for (text,) in await shop.rows("SELECT conteudo FROM mensagens WHERE turno = 2")
        ] == ["[modelo lembrete_visita] sua visita, amanhã, quinta-feira, 08/01, 15h"]


async def test_a_reminders_template_that_has_to_wait_keeps_its_words(
    installation: Installation, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put back like any reply: when its time comes it is the same template."""
    async with open_shop(installation, redis_url) as shop:
        await set_limits(shop, REMINDER)
        await book(shop)
        await shop.execute("UPDATE mensagens SET timestamp = timestamp - INTERVAL 2 DAY")
        await remind(shop, EVENING)
        with monkeypatch.context() as busy:
            busy.setattr("gateway.cloud_api.adapter.send", refuse_for_now)
            await send(shop)
        sent = record_sends(monkeypatch)
        await shop.waits_are_over()
        await send(shop)

        assert [reply.template and reply.template.parameters[2] for reply in sent] == ["15h"]


async def test_a_yes_to_a_reminder_confirms_the_row(
    installation: Installation, redis_url: str
) -> None:
    """`agendamentos.status`; the reminder two hours before still comes, and asks nothing."""
    async with open_shop(installation, redis_url, decide_turn=decide) as shop:
        await book(shop)
        await remind(shop, EVENING)
        await send(shop)
        await shop.push(event("confirmo"))
        await shop.drain()
        rows = await shop.rows("SELECT status, data_agendada FROM agendamentos")
        assert rows == [("confirmado", VISIT.replace(tzinfo=None))]
        await shop.deliver()
        await remind(shop, TWO_HOURS)

        assert "?" not in (await written(shop))[-1]


async def test_a_confirmation_that_is_withdrawn_confirms_nothing(
    installation: Installation, redis_url: str
) -> None:
    """He writes on before the answer left: `sim` / `mas não vou poder`."""
    async with open_shop(installation, redis_url, decide_turn=decide) as shop:
        await book(shop)
        await shop.push(event("confirmo"))
        await shop.drain()
        await shop.push(event("opa, não posso mais"))
        await shop.drain()

        assert await shop.rows("SELECT status FROM agendamentos") == [("pendente",)]
