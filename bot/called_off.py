"""Hears that a buyer calls his visit off in words that mean it only while he has one. By `context`.

What says it at any time (`cancela`, `deixa pra lá a visita`) is in the data of `reading.intents`.
"""

from __future__ import annotations

import re

from bot.reading.intents import Intent
from bot.reading.kept import is_kept
from bot.reading.reader import Reading
from bot.state import State
from bot.values import Appointment

_WHY = (
    r"(?=$| (?:nao|viu|ta|arrum\w+|ach\w+|comprei|peguei|fech\w+|mudei|desist\w+|resolvi|por|"
    r"porque|"
    r"amanha|obrigad\w+|valeu|desculp\w+|infelizmente|moc\w|amig\w|deix\w+|esquec\w|ja|ai|nesse|"
    r"segunda|terca|quarta|quinta|sexta|sabado|domingo)\b)"
)
_CALLS_OFF = re.compile(
    rf"\bnao (?:vou|irei|vamos|iremos)(?: (?:ir|ai|la))?(?: mais| nao)(?: (?:mais|nao|ir|ai|"
    rf"la))*{_WHY}|"
    rf"\bnao (?:vou|irei|vamos|iremos) (?:ai|la|ir|aparecer|passar ai){_WHY}|"
    r"\b(?:vou|vamos|terei (?:que|de)|tenho que|preciso|vai ter que) (?:ter que )?(?:furar|"
    r"faltar|declinar|"
    r"dar (?:cano|bolo|o cano|o bolo|um bolo)|pular fora|cair fora)\b|"
    r"\b(?:dei|dou|demos|vou dar) (?:pra )?tras\b|\b(?:pulei|pulo|cai|caio|to|estou|tou) fora$|"
    r"\bdesist(?:i|o|imos)(?: (?:viu|ta|mesmo|obrigad\w|de tudo|da ida|de ir|de passar ai))*$|"
    r"\b(?:nao|nem) (?:precisa\w*|carece)(?: (?:mais|nem))* me (?:esper|aguard)\w+\b(?! (?:na|no|"
    r"com)\b)|"
    r"\b(?:nao|nem) me (?:esper|aguard)\w+\b(?! (?:na|no|com)\b)|"
    r"\b(?:nao|nem) (?:precisa )?cont\w+ (?:mais )?comigo\b|"
    r"\bnao (?:quero|vou querer|pretendo) (?:mais )(?:ir|visitar|essa visita|aparecer|test\w*)\b|"
    r"\bnao (?:vai ter|tem|tera|tenho|vou ter)(?: mais)? como(?: (?:pra|de))?(?: eu)? (?:ir|"
    r"aparecer|passar ai)\b|"
    r"\bnao (?:vou|quero|vamos|irei) mais (?:ver|visitar|testar|olhar|conhecer)\b|"
    r"\bnao (?:apareco|passo|chego)(?: ai| la)? mais\b|\bnao (?:vou|irei) (?:mais )?comparecer\b|"
    r"\bpodem? (?:me )?esquecer (?:hoje|amanha|segunda|terca|quarta|quinta|sexta|sabado)\b|"
    r"^(?:deixa|esquece|nao)(?: (?:entao|pra la|ai|isso))* nao precisa mais(?: nao)?$|"
    r"\b(?:minha|a) ida (?:ai )?(?:melou|caiu|furou|ja era|nao rola\w*)\b"
)
_SEEING = re.compile(
    r"\bmais (?:ver|visitar|testar|olhar|conhecer)\b(?!.*\b(?:quero|mas|e sim|so)\b)"
)
"""`não vou mais ver o Corolla`: the car of the visit, not another one."""
_ABOUT_ELSE = re.compile(
    r"\b(?:financi\w+|entrada|desconto|troc\w+|parcel\w+|atras\w+|pode ser|da pra ser|outro dia|"
    r"outro horario|remarc\w+|reagend\w+|muda\w*|passa pra|deixa pra (?!la)|so (?:amanha|hoje|"
    r"depois|vou|consigo|"
    r"posso))\b"
)


def calls_off(reading: Reading, state: State, stored: Appointment | None) -> bool:
    """True for `vou furar amanhã`, `não conta comigo`: nothing is moved, no other wish is said."""
    if stored is None and (state.draft is None or state.draft.told):
        return False
    if reading.text.question or not reading.filters.only_names():
        return False
    if reading.has(Intent.RESCHEDULE) or reading.has(Intent.OPT_OUT) or reading.has(Intent.HUMAN):
        return False
    flat = reading.text.flat
    if reading.filters.model and not _SEEING.search(flat):
        return False
    if is_kept(flat):
        return False
    return bool(_CALLS_OFF.search(flat)) and _ABOUT_ELSE.search(flat) is None
