"""Whether a buyer comes: a yes confirms, a no is asked further, nothing else is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.values import AgendaAction, Appointment, VisitKind
from tests.bot.showroom import NOW, Chat, sent

AT = (NOW + timedelta(days=1)).replace(hour=15, minute=0)


def chat(
    pending: str | None, *, kind: VisitKind = VisitKind.VISITA, confirmed: bool = False
) -> Chat:
    """A buyer with an appointment tomorrow at 15h, and what Lucas asked last."""
    stored = Appointment(id=1, kind=kind, at=AT, confirmed=confirmed)
    return Chat(state={"greeted": True, "pending": pending}, stored=stored)


@pytest.mark.parametrize(
    "words",
    ["sim", "Confirmo!", "ok", "combinado", "estarei aí", "vou sim", "👍", "beleza, até amanhã",
     "com certeza", "pode confirmar", "tudo certo"],
)  # fmt: skip
def test_a_yes_to_a_reminder_confirms(words: str) -> None:
    """Day, time and car stay as they are."""
    decision = chat("coming").say(words)

    assert decision.agenda is not None
    assert decision.agenda.action is AgendaAction.CONFIRM
    assert decision.agenda.appointment.at == AT
    assert "15h" in sent(decision)


@pytest.mark.parametrize("words", ["sim", "ok", "combinado", "👍", "valeu", "até amanhã", "não"])
def test_without_a_reminder_a_bare_word_touches_nothing(words: str) -> None:
    """Only words that say it confirm: `confirmo minha presença`."""
    assert chat(None).say(words).agenda is None
    plain = chat(None).say("confirmo minha presença").agenda
    assert plain is not None
    assert plain.action is AgendaAction.CONFIRM


@pytest.mark.parametrize(
    "words",
    ["não posso mais", "não", "nao vou conseguir ir", "surgiu um imprevisto", "amanhã não posso",
     "infelizmente não vai dar"],
)  # fmt: skip
def test_who_cannot_come_is_asked_whether_to_move_or_to_cancel(words: str) -> None:
    """Nothing is cancelled before he says so."""
    decision = chat("coming").say(words)

    assert decision.agenda is None
    assert decision.rule == "visit.cannot"
    assert "remarc" in sent(decision).lower()
    assert "cancel" in sent(decision)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ("cancela", "visit.cancel"),
        ("não, obrigado", "visit.cancel"),
        ("remarca", "visit.asks_date"),
        ("sim", "visit.asks_date"),
        ("pode ser sexta às 10h", "visit.move"),
    ],
)
def test_then_his_word_is_done(answer: str, rule: str) -> None:
    """Cancelled, asked for another day, or moved at once."""
    talk = chat("coming")
    talk.say("não posso mais")

    assert talk.say(answer).rule == rule


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("sim, mas pode ser às 16h?", "visit.move"),
        ("vocês aceitam troca?", "trade_in.general"),
        ("para de me mandar lembretes", "opt_out.notices"),
        ("quero falar com um vendedor", "human"),
    ],
)
def test_a_plainer_wish_is_followed(words: str, rule: str) -> None:
    """A reminder does not make everything an answer to it."""
    assert chat("coming").say(words).rule.split(".")[0] == rule.split(".")[0]


def test_what_is_confirmed_is_not_confirmed_again_and_a_delivery_is_the_sellers() -> None:
    """A friendly word in both cases, and no change."""
    assert chat("coming", confirmed=True).say("sim").agenda is None
    delivery = chat("coming", kind=VisitKind.ENTREGA).say("sim")
    assert delivery.agenda is None
    assert "vendedor" in sent(delivery)


def test_who_is_late_keeps_his_appointment() -> None:
    """The seller finds it in the summary."""
    decision = chat("coming").say("vou me atrasar uns minutos")

    assert decision.agenda is None
    assert "atrasa" in (decision.summary or "")
