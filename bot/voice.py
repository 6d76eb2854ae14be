"""Gives an answer its voice: a first hello, and no text twice word for word. Called by `lucas`."""

from __future__ import annotations

from dataclasses import replace

from bot.grammar import the_agent
from bot.rules.talk import Answer, Talk, digest, text
from bot.state import State
from bot.values import Bubble, BubbleKind, OptOut

_AGAIN = ("Reforçando: ", "Só retomando: ", "Como comentei: ", "Pra confirmar: ", "De novo: ")
_NAME_LIMIT = 30


def spoken(talk: Talk, answer: Answer) -> tuple[Bubble, ...]:
    """The bubbles as they go out."""
    return tuple(_unsaid(bubble, talk.state) for bubble in _greeted(talk, answer))


def _greeted(talk: Talk, answer: Answer) -> tuple[Bubble, ...]:
    """The first answer says hello and whose Lucas it is; an opt-out gets no hello."""
    if talk.state.greeted or answer.opt_out is OptOut.ALL or not answer.bubbles:
        return answer.bubbles
    first, *rest = answer.bubbles
    named = "assistente virtual" in (first.text or "")  # asked who he is, he says it once
    hello = _hello(talk) if named else f"{_hello(talk)} {_introduction(talk)}"
    if first.kind is not BubbleKind.TEXT:
        return (text(hello), *answer.bubbles)
    return (replace(first, text=f"{hello} {first.text}"), *rest)


def _introduction(talk: Talk) -> str:
    profile = talk.dealer.profile
    if profile.boas_vindas:
        return profile.boas_vindas.strip()
    what = ", assistente virtual" if profile.diz_que_e_virtual else ","
    return f"Aqui é {the_agent(profile.nome_agente)}{what} da {talk.dealer.nome}."


def _hello(talk: Talk) -> str:
    for hour, greeting in ((5, "Oi, boa noite"), (12, "Oi, bom dia"), (18, "Oi, boa tarde")):
        if talk.now.hour < hour:
            return greeting + called(talk.buyer_name)
    return "Oi, boa noite" + called(talk.buyer_name)


def called(raw: str | None) -> str:
    """`, Rui!` or `!`: a first name that looks like one; WhatsApp names are free text."""
    first = (raw or "").split()[:1]
    plain = bool(first) and first[0].isalpha() and 1 < len(first[0]) <= _NAME_LIMIT
    return f", {first[0].capitalize()}!" if plain else "!"


def _unsaid(bubble: Bubble, state: State) -> Bubble:
    if bubble.kind is not BubbleKind.TEXT or bubble.text is None:
        return bubble
    for prefix in ("", *_AGAIN):
        if digest(prefix + bubble.text) not in state.recent:
            return replace(bubble, text=prefix + bubble.text)
    return bubble
