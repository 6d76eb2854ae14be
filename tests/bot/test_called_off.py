"""A buyer calls his visit off in his own words; denied, or about something else, it stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.values import AgendaAction, Appointment, VisitKind
from tests.bot.showroom import NOW, Chat

AT = (NOW + timedelta(days=1)).replace(hour=15, minute=0)


def booked() -> Chat:
    """A buyer with a visit tomorrow at 15h to see the Versa."""
    stored = Appointment(id=1, kind=VisitKind.VISITA, at=AT, car_id=4)
    return Chat(state={"greeted": True}, stored=stored)


@pytest.mark.parametrize(
    "words",
    ["vixe, vou furar com vcs amanhã", "deixa quieto a visita", "não vou mais não, arrumei outro",
     "pode tirar meu nome da agenda", "esquece, não vai rolar de eu ir", "aborta a missão",
     "nem precisa me esperar amanhã", "dei pra trás, não vou aí não", "não conta comigo amanhã",
     "vamo deixar pra lá essa visita", "pode liberar meu horário pra outro",
     "não vou mais ver o versa",
     "melou o nosso encontro de amanhã", "amanhã não apareço mais aí", "desisti viu"],
)  # fmt: skip
def test_whoever_calls_it_off_is_not_expected(words: str) -> None:
    """Nobody in the store waits for a buyer who said in slang that he stays away."""
    decision = booked().say(words)

    assert decision.agenda is not None
    assert decision.agenda.action is AgendaAction.CANCEL


@pytest.mark.parametrize(
    "words",
    ["não vou faltar, pode me esperar", "e não vou furar viu", "não quero cancelar, só confirmar",
     "não vou desmarcar não", "não vou deixar de ir", "não vou sozinho, levo minha esposa",
     "não vou ai hoje, só amanhã mesmo", "não vou mais de manhã, só à tarde", "desisti da troca",
     "deixa quieto o financiamento", "deixa pra lá o desconto, visita mantida",
     "não vou mais querer financiar", "esqueci o horário, que horas é?",
     "não precisa me esperar na porta, eu entro", "não vou de carro, tem ônibus perto?"],
)  # fmt: skip
def test_what_only_sounds_like_it_keeps_the_visit(words: str) -> None:
    """A denied cancelling, or one of something else."""
    talk = booked()
    talk.say(words)

    assert talk.stored is not None
    assert talk.stored.at == AT


@pytest.mark.parametrize("words", ["não conta comigo", "desisti", "dei pra trás"])
def test_without_a_visit_there_is_nothing_to_call_off(words: str) -> None:
    """The same words in a talk about cars change no agenda."""
    assert Chat(state={"greeted": True}).say(words).agenda is None
