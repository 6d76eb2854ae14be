"""Turns aside what is not about this store's cars; an insult is met calmly. Called by `lucas`."""

from __future__ import annotations

import re

from bot.grammar import the_agent
from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.reading.text import fold
from bot.rules.talk import Answer, Talk, text
from bot.state import Pending, State
from bot.values import Dealer


def off_topic(talk: Talk) -> Answer:
    """Steers back to the cars; gives away nothing."""
    flat = talk.reading.text.flat
    if is_rude(flat):
        return _rude(talk)
    others = bool(_OF_OTHERS.search(flat)) or insists_on_others(talk.reading, talk.state)
    if others:
        body = talk.say(
            "Não posso passar informações de outras pessoas. Mas com os carros da loja eu te "
            "ajudo!",
            "Dados de outros clientes eu não posso compartilhar. Quer ver algum carro?",
            "Sobre outras pessoas eu não passo nenhuma informação, nem quem vem ou quando vem.",
            "Isso é entre a loja e cada cliente, não posso contar. Dos carros eu falo à vontade!",
        )
    elif re.search(r"\brobo\b|\bbot\b|\bseu nome\b|\bquem\b|\bmaquina\b|\bia\b|artificial", flat):
        body = talk.say(
            f"Sou {the_agent(talk.dealer.profile.nome_agente)}, assistente virtual da "
            f"{talk.dealer.nome}. Se "
            f"preferir, chamo um vendedor.",
            f"Quem responde aqui é {the_agent(talk.dealer.profile.nome_agente)}, assistente "
            f"virtual da loja, mas posso chamar uma pessoa da equipe quando quiser.",
        )
    elif asks_for_other_store(flat, talk.dealer):
        body = talk.say(
            f"Eu só tenho acesso ao estoque da {talk.dealer.nome}. O que você procura?",
            f"Posso falar apenas dos carros da {talk.dealer.nome}. Quer ver o que temos?",
        )
    else:
        body = talk.say(
            "Com isso não consigo te ajudar, mas com os carros da loja sim! Que carro você "
            "procura?",
            "Aqui eu só cuido dos carros da loja. Quer ver alguma opção?",
            "Esse assunto foge do que eu faço por aqui. Posso te ajudar a achar um carro?",
        )
    return Answer(rule="off_topic", bubbles=(text(body),), focus=_only_focus(talk), refused=others)


_OF_OTHERS = re.compile(
    r"client|comprador|interessad|\bpessoas\b|\bgente\b|\balguem\b|\bdel[ea]s$|"
    r"\bdon[oa]s?\b|proprietari|\bcpf\b|agendamentos|\bd[eoa] quem\b|"
    r"\bd[aeo] (?:outra )?pessoa\b|\bpessoa que\b|"
    r"\bquem (?:\w+ ){0,2}(?:comprou|levou|vendeu|reservou|arrematou|pegou|vai ver|vai visitar|"
    r"marcou|"
    r"agendou|perguntou|quer|interessad\w+)\b|"
    r"\b(?:telefone|whatsapp|numero|endereco|nome|contato|dados) d[aoe]s? (?!loja|voces|carro)\w+"
)
_PERSONAL = re.compile(
    r"\b(?:nome|sobrenome|apelido|iniciais|inicial|letra|telefone|numero|zap|whats\w*|contato|"
    r"email|insta\w*|facebook|endereco|bairro|rua|cidade|mora|idade|anos|homem|mulher|senhor|"
    r"senhora|alguem|conhecid[oa]|vizinh[oa]|parente|profissao|trabalha|perfil|cpf|quem|pessoa|don[oa])\b"
)
_INSISTS = re.compile(
    r"\b(?:so|nem|pelo menos|ao menos|apenas|somente|entao|vai|poxa|custa|por favor|ninguem|"
    r"prometo|juro|diz|fala|conta|dica|d[eo]l[ea]s?|e|era)\b"
)
_NOT_OF_OTHERS = re.compile(
    r"\b(?:voces?|loja|seu|sua|teu|carros?|meu|minha|vendedor\w*|visita|tem|quero|queria|procuro|"
    r"chama\w*|falar)\b"
)
_MAY_INSIST = frozenset(
    (
        Intent.UNCLEAR, Intent.SEARCH, Intent.DETAILS, Intent.GREETING, Intent.LOCATION,
        Intent.NO, Intent.YES, Intent.OFF_TOPIC,
    )
)  # fmt: skip


def insists_on_others(reading: Reading, state: State) -> bool:
    """`só o primeiro nome então`, after he was told nothing of other people."""
    flat = reading.text.flat
    if not state.refused or reading.intent not in _MAY_INSIST:
        return False
    if not reading.filters.empty() or _NOT_OF_OTHERS.search(flat):
        return False
    return bool(_PERSONAL.search(flat) and _INSISTS.search(flat))


_RUDE = re.compile(
    r"\bvai (?:se |te |tomar no |a |pra )?(?:ferrar|foder|fuder|lascar|catar|merda|puta|cu)\b|"
    r"\b(?:idiota|imbecil|otari[oa]|trouxa|palhac[oa]|vagabund[oa]|burr[oa] demais|seu burro|"
    r"filh[oa] da puta|fdp|vsf|vtnc)\b"
)


_BAD_SERVICE = re.compile(
    r"\b(?:merda|bosta|porcaria|lixo|vergonha|droga) de (?:atendimento|loja|empresa|servico)\b|"
    r"\b(?:atendimento|servico) (?:\w+ )?(?:pessimo|horrivel|ridiculo|(?:de |uma? )?(?:merda|lixo|"
    r"bosta|vergonha|porcaria))\b"
)


def bad_service(flat: str) -> bool:
    """The store itself is spoken ill of: a person must answer."""
    return bool(_BAD_SERVICE.search(flat))


def is_rude(flat: str) -> bool:
    """An insult and no wish, whatever car a word of it sounds like."""
    return bool(_RUDE.search(flat))


def _rude(talk: Talk) -> Answer:
    """Calm, and a person if he wants one: nothing is paid back."""
    body = talk.say(
        "Sinto muito se algo não saiu como você esperava. Quer que eu chame um vendedor?",
        "Entendo a irritação. Se preferir, peço pra uma pessoa da equipe falar com você.",
    )
    return Answer(rule="rude", bubbles=(text(body),), pending=Pending.PERSON)


def _only_focus(talk: Talk) -> int | None:
    return talk.target.car.id if talk.target is not None else None


_STORE = re.compile(
    r"\b(?:a|da|na|loja) ((?:[a-z]+ ){1,3}(?:veiculos|seminovos|multimarcas|motors|automoveis))\b"
)


def asks_for_other_store(flat: str, dealer: Dealer) -> bool:
    """True when another dealer is named: only this one's stock is known."""
    match = _STORE.search(flat)
    return match is not None and fold(match[1]) not in fold(dealer.nome)
