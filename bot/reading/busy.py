"""Words of the days and times that a buyer cannot, or has other things to do. By `reading.when`.

What is said only as a reason is no wish: `quinta é meu plantão, põe sexta` is Friday.
"""

from __future__ import annotations

import re

REFUSED = re.compile(
    r"^(?: (?:eu|ai|ja|feira|de manha|a tarde|mesmo))* (?:nao|n)(?: (?:vou|vai|posso|consigo|da|"
    r"pode|dara|rola|tem como)\b| *$|$)"
)
"""After a day: `segunda não dá`."""
REFUSED_BEFORE = re.compile(
    r"\b(?:nao (?:pode|da|vai|consigo|posso|vou)(?: \w+){0,3}|sem ser|menos)$"
)
NOT_THEN = re.compile(r"\bnao (?:pode )?(?:(?!so\b|mas\b|prefiro\b|melhor\b|pode\b)\w+ ){0,3}$")
"""Before a part of the day: `não vai dar de manhã`."""
BUSY = re.compile(
    r"^(?: (?:eu|ai|ja|feira|de manha|a tarde|e que|que))* (?:"
    r"(?:e|tem|vai ser|sera) (?:o |a )?(?:meu|minha|dia d[eo]|aniversario|rodizio|plantao|"
    r"casamento|enterro|velorio|medico|prova|jogo|festa)\b(?! (?:folga|visita|horario|dia))|"
    r"(?:tenho|trabalho|viajo|estarei viajando|estou (?:viajando|trabalhando|fora|ocupad\w+|"
    r"cheio|de plantao)|vou (?:viajar|trabalhar|ter|estar (?:fora|viajando)|"
    r"pr[ao] (?!ai\b|loja\b)))(?! (?:folga|livre|tempo|disponivel|horario|como|ver\b)))"
)
"""After a day: `quinta é meu plantão`, `quinta vou viajar`."""
OWN_BUSINESS = re.compile(
    r"\b(?:saio|largo|entro|trabalho|termino|acabo|pego|busco|tenho (?:medico|dentista|prova|aula|"
    r"consulta|reuniao|compromisso))"
    r"(?: (?!da\b|posso\b|vou\b|pode\b|chego\b|passo\b)\w+){0,5} $"
)
"""Before a time: `saio do trabalho às 15`, of his own day, where another one is said too."""
