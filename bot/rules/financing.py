"""Talks of financing: collects what a simulation needs, promises nothing. Called by `lucas`.

No rate, instalment or approval comes from Lucas: the bank's analysis decides. A dealer may switch
the collecting off; then a seller does it.
"""

from __future__ import annotations

import re

from bot.rules.about_car import answer_about, of_target
from bot.rules.talk import Answer, Talk
from bot.state import Deal, Pending
from bot.wording import money_of

_SIMULATION = re.compile(
    r"\bsimul\w+|\bparcelas?\b.{0,25}\bquanto\b|\bquanto\b.{0,30}\b(?:parcela|por mes|prestac\w+|"
    r"mensal\w*)\b|\bquanto (?:fica|sai)\b|\bprestac\w+ d\w+"
)
_RATE = re.compile(r"\bjuros\b|\btaxa\b")
_APPROVAL = re.compile(
    r"\bnegativad|\bsuj|\bscore\b|\bserasa\b|\bspc\b|\baprov|\bautonomo\b|\bcomprov\w+|\brestric"
)


def financing(talk: Talk) -> Answer:
    """General questions in general; a simulation is a seller's work, with what was collected."""
    flat = talk.reading.text.flat
    deal = collected(talk)
    if not talk.dealer.profile.financiamento:
        body = talk.say(
            "Sobre financiamento quem te atende é o vendedor. Já vou chamar ele por aqui.",
            "Essa parte é com o vendedor: vou pedir para ele falar com você por aqui.",
        )
        return answer_about(
            talk, "financing.person", body, handoff="financing", negotiating=True, deal=deal
        )
    if _RATE.search(flat):
        return _general(talk, deal, *_about_rates(known=deal.down_payment is not None))
    if _APPROVAL.search(flat):
        body = talk.say(*_about_approval())
        return answer_about(talk, "financing.approval", body, deal=deal, pending=Pending.PERSON)
    told = talk.reading.down_payment is not None or talk.reading.months is not None
    if told or talk.reading.instalments or _SIMULATION.search(flat):
        return _simulation(talk, deal)
    return _general(talk, deal, *_offers())


def collected(talk: Talk) -> Deal:
    """What is known after this turn: down payment and months, as amounts, not as promises."""
    update: dict[str, object] = {}
    down, months = talk.reading.down_payment, talk.reading.months
    if down is not None:
        update["down_payment"] = money_of(down) if down else "sem entrada"
    if months is not None:
        update["months"] = f"{months}x"
    return talk.state.deal.model_copy(update=update)


def _simulation(talk: Talk, deal: Deal) -> Answer:
    """A person is called in; what is still missing is asked for in the same breath."""
    about = of_target(talk)
    missing = [
        label
        for label, value in (("quanto daria de entrada", deal.down_payment),
                             ("em quantas vezes", deal.months))
        if value is None
    ]  # fmt: skip
    ask = f" Se já souber, me diz {' e '.join(missing)} que eu adianto pra ele." if missing else ""
    if talk.state.pending is Pending.DOWN_PAYMENT and talk.state.deal != deal:
        body = talk.say(
            f"Anotado! Passo ao consultor, que faz a simulação{about} com o banco e te responde "
            f"por aqui.{ask}",
            f"Certo, anotei. O consultor faz a conta{about} com o banco e te chama.{ask}",
        )
    else:
        body = _first_simulation(talk, about, ask)
    return answer_about(
        talk, "financing.simulation", body, handoff="financing", negotiating=True, deal=deal,
        pending=Pending.DOWN_PAYMENT if missing else None,
    )  # fmt: skip


def _first_simulation(talk: Talk, about: str, ask: str) -> str:
    return talk.say(
        f"Vou chamar um consultor para fazer a simulação{about} com o banco. As parcelas e a taxa "
        f"saem da análise de crédito, então prefiro não te passar um número errado.{ask}",
        f"A simulação{about} quem faz é o consultor, junto ao banco. Já passo seus dados para ele "
        f"te responder por aqui.{ask}",
        f"Para a conta{about} eu chamo o consultor: ele simula com o banco e te responde por "
        f"aqui.{ask}",
    )


def _general(talk: Talk, deal: Deal, *variants: str) -> Answer:
    return answer_about(
        talk, "financing.general", talk.say(*variants), deal=deal, pending=Pending.DOWN_PAYMENT
    )


def _about_rates(*, known: bool) -> tuple[str, ...]:
    ask = "" if known else " Quanto você daria de entrada?"
    return (
        f"A taxa depende do banco e da análise de crédito; o consultor informa na simulação.{ask}",
        f"Juros variam conforme o banco e o seu perfil; na simulação o consultor te diz.{ask}",
    )


def _about_approval() -> tuple[str, ...]:
    return (
        (
            "Isso depende da análise de crédito do banco, não consigo antecipar o resultado. Quer "
            "que um consultor consulte pra você?"
        ),
        "Quem decide é o banco, na análise de crédito. Posso pedir para um consultor verificar?",
    )


def _offers() -> tuple[str, ...]:
    return (
        (
            "O financiamento é sempre sujeito à análise de crédito do banco. Quanto você pensa em "
            "dar de entrada, e em quantas vezes? Com isso o consultor faz a simulação."
        ),
        (
            "Sobre financiamento, as condições saem da análise do banco. Me diz a entrada e o "
            "prazo que você imagina, que eu peço a simulação ao consultor."
        ),
    )
