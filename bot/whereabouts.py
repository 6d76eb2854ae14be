"""Hears the words of the dealer's own address (`aí é na Imbiribeira?`). Called by `context`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from bot.reading.data import attribute_words, plain_words
from bot.reading.intents import Intent
from bot.reading.reader import Reading
from bot.reading.text import fold

MIN_WORD = 4
_KINDS = frozenset(
    (
        "avenida", "rua", "alameda", "travessa", "rodovia", "estrada", "praca", "largo", "setor",
        "jardim", "bairro", "vila", "parque", "centro", "loja", "galpao", "quadra", "lote", "bloco",
        "conjunto", "residencial", "santo", "santa", "grande", "novo", "nova", "alto", "norte",
        "leste", "oeste", "shopping", "doutor", "coronel", "general", "presidente", "professor",
    )
)  # fmt: skip
"""Words of many addresses: alone they name none."""
_ASKS = re.compile(
    r"^(?:(?:e|ai|entao|mas|oi|ola|bom dia|boa tarde|boa noite|a loja|loja|isso|essa|voces?|"
    r"estao|sao|ficam?|e ai|fica) )*(?:e|ai|isso|fica|ficam|voces?|sao|estao|tao|loja|a loja|seria)"
    r"\b|\b(?:loja|voces|ai|fica|ficam|onde|ou|"
    r"(?:que|qual) (?:o |e o )?(?:numero|altura)|perto|proximo)\b|"
    r"\b(?:ne|mesmo|certo)$"
)
_OF_THE_BUYER = re.compile(
    r"\b(?:moro|sou|somos|venho|vim|vou|estou|trabalho|vindo|saindo|entreg\w+|frete|ele|ela|carro|"
    r"placa|emplacad\w+|documento|tem|quero|queria|procur\w+)\b"
)
_MAY_ASK = frozenset(
    (
        Intent.UNCLEAR, Intent.SEARCH, Intent.GREETING, Intent.YES, Intent.HOURS, Intent.THANKS,
        Intent.DETAILS, Intent.OFF_TOPIC,
    )
)  # fmt: skip


def asks_if_there(reading: Reading, address: str | None) -> bool:
    """True when the turn names street, quarter or city of the store and asks whether it is that."""
    flat = reading.text.flat
    if not address or reading.intent not in _MAY_ASK or reading.filters.model:
        return False
    if _OF_THE_BUYER.search(flat) or not _ASKS.search(flat):
        return False
    return any(re.search(rf"\b{re.escape(name)}\b", flat) for name in _names(address))


@lru_cache(maxsize=512)
def _names(address: str) -> tuple[str, ...]:
    """What names the place: whole parts of the address, and their words that mean nothing else."""
    return tuple(dict.fromkeys(_parts(address)))


def _parts(address: str) -> Iterator[str]:
    for part in re.split(r"[,;/()]|\s-\s", address):
        words = re.findall(r"[a-z0-9]+", fold(part))
        while words and (words[0] in _KINDS or len(words[0]) < MIN_WORD):
            words.pop(0)
        if len(words) > 1:
            yield " ".join(words)
        for word in words:
            everyday = word in plain_words() or word in attribute_words() or word in _KINDS
            if len(word) > MIN_WORD and not everyday and not word.isdigit():
                yield word
