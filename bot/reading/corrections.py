"""Says whether a number takes back the one before it. Called by `reading.amounts`."""

from __future__ import annotations

import re

from bot.reading.text import Text

MOST_WORDS = 9
"""What is further apart is another sentence."""
_TAKES_BACK = re.compile(
    r"\b(?:digo|alias|opa|ops|oops|quer dizer|quero dizer|ou melhor|minto|na verdade|perdao|"
    r"desculp\w+|corrig\w+|correcao|errei|errado|pera|perai|melhor (?:ate|a partir|de|uns)|"
    r"(?:nao|nao pera|melhor) (?:ate|a partir|de|uns|acima|abaixo|maximo|minimo|no|ate uns))\b"
)


def corrects(text: Text, end: int, start: int) -> bool:
    """True for `até 60, digo, 70`: the words between two numbers take the first one back."""
    if end == 0 or start - end > MOST_WORDS:
        return False
    between = " ".join(token.text for token in text.tokens[end:start])
    return bool(_TAKES_BACK.search(between))
