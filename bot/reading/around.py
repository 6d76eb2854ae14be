"""The words around a number that say what it is. Used by `reading.amounts`.

BEFORE patterns end where the number begins; AFTER patterns begin where it ends.
"""

from __future__ import annotations

import re

FILL = (
    r"(?: (?:uns|umas|de|da|do|r\$|em|o|a|os|as|valor|preco|por|volta|torno|mais|menos|ou|reais|"
    r"ate|so|e|"
    r"total|no|maximo|minimo|na|faixa|casa|dos|ano|km|com|ser|modelo|custar?|custando))*"
)
MAX = re.compile(
    r"\b(?:ate|(?:no )?maximo|abaixo|menos de|menor(?:es)? (?:que|de)|inferior(?:es)? a|limite|"
    r"teto|"
    r"(?:nao )?(?:passe|passa|passo|passar|passaria|ultrapasso|ultrapasse|ultrapassar)(?: muito)?|"
    r"tenho|gastar|pagar|"
    r"orcamento|"
    r"disponho|disponivel|bolso|budget|(?:nada|nao|nem) (?:acima|mais) (?:de|que)|"
    r"(?:aument\w+|estic\w+|subo|suba|sobe|subir|chego|chegar|vai|vou|ir)(?: (?:o|meu|valor|"
    r"limite|orcamento|preco|mais|um|pouco))* (?:pra|ate|em|a)|"
    r"nao (?:va|vai|pode ir) alem|baixo d[eo]s?)" + FILL + "$|"
    r"\bte(?: (?:uns|os|r\$))*$"
)
MIN = re.compile(
    r"\b(?:a partir|acima|mais de|maior(?:es)? (?:que|de)|superior(?:es)? a|(?:no )?minimo|"
    r"partindo|desde|(?<!nao )(?<!nem )mais nov[oa]s? (?:do )?que)" + FILL + "$"
)
AROUND = re.compile(
    r"\b(?:uns|umas|faixa|torno|volta|mais ou menos|cerca|aproximadamente|perto|proximo|media|"
    r"casa|beirando|"
    r"aproximado)" + FILL + "$"
)
MAX_AFTER = re.compile(
    r"(?:reais )?(?:(?:no|de) (?:maximo|limite)|maximo|e (?:o )?(?:meu )?(?:limite|maximo|teto|"
    r"orcamento)|"
    r"pra (?:gastar|baixo|tras|pagar|investir)|"
    r"(?:e|ou) (?:menos|menor|anterior\w*|inferior\w*|abaixo|antes|mais (?:velh|antig|vei|barat|"
    r"em conta)))"
)
MIN_AFTER = re.compile(
    r"(?:e |ou )?(?:pra (?:cima|frente|ca)|em diante|acima|superior|mais nov[oa]s?)|"
    r"ou mais(?! (?:velh|antig|vei|barat|em conta|usad))"
)
AROUND_AFTER = re.compile(r"(?:mais ou menos|por ai|e pouco)")
KM_AFTER = re.compile(r"(?:mil )?(?:de )?(?:km|rodad[oa]s?)\b")
KM_BEFORE = re.compile(
    r"(?<!mil )(?<![0-9] )"
    r"(?<!baixa )(?<!baixo )(?<!pouca )(?<!pouco )(?<!menor )(?<!menos )\b(?:km|rodagem)(?: (?:de|"
    r"ate|abaixo|menor|que|com|maximo|no|maxima))*$|"
    r"\brod(?:ou|aram|ei)(?: (?:ja|so|uns|mais|menos|de|mesmo))*$"
)
DOWN_BEFORE = re.compile(
    r"\bentrada(?: (?:de|com|e|r\$|seria|em torno|uns))*$|\bsinal(?: de)?$|"
    r"\b(?:e )?se (?:eu )?(?:der|desse|dar|entrar com)(?: (?:uns|r\$))*$"
)
DOWN_AFTER = re.compile(
    r"(?:reais )?(?:(?:a vista|agora|na mao|em dinheiro|no pix) )?"
    r"(?:(?:de|na|como|pra|em|pra dar de) )?(?:entrada|sinal)\b|"
    r"(?:reais )?pra (?:dar|pagar) (?:agora|na hora|de cara|de inicio|no ato)\b|"
    r"(?:reais )?(?:(?:a vista|agora|na mao|em dinheiro|no pix) )?"
    r"(?:(?:e|mais) (?:o )?(?:resto|restante|saldo|que faltar|parcel\w+|financ\w+)|"
    r"o (?:resto|restante|saldo))\b"
)
INSTALMENT_BEFORE = re.compile(
    r"\b(?:parcelas?|prestac(?:ao|oes)|mensal|mensais|mensalidade)(?: (?:de|ate|no|maximo|em|uns|"
    r"por|r\$|que|caiba|fique|fica|nao|passe|seja))*$"
)
INSTALMENT_AFTER = re.compile(
    r"(?:reais )?(?:x|vezes|parcelas|por mes|ao mes|mensais|mensal|meses|de parcela)\b"
)
OFFER = re.compile(
    r"\b(?:faz|fazem|fazer|faria|fariam|fecha|fecham|fechamos|fechar|fecho|deixa|deixam|sai|leva|"
    r"levo|vende|"
    r"vendem|venda|vender|aceita|aceitam|dou|pago|ofereco|ofert[ao]|daria|pagaria|proposta|"
    r"consegue|consegu\w+|topa|topam|fazia|faziam|fez|fizeram|deixava|deixou|deixaram|"
    r"ofereceu|ofereceram|prometeu|prometeram|garantiu|garantiram|autorizou|autorizaram|"
    r"liberou|liberaram|combinou|combinei|combinamos|passou|passaram|"
    r"toparia|pego)(?: (?!ate\b)\w+){0,4}? (?:por|em)(?: (?:r\$|uns|so))*$|"
    r"\b(?:dou|daria|pago|pagaria|ofereco|ofereceria|ofert[ao]|ofertaria|proposta|aceita|aceitam|topa|fecha|fecham|consegue|consegu\w+|"
    r"rola|faz|fazem|ofereceu|ofereceram|prometeu|prometeram|garantiu|garantiram|autorizou|"
    r"autorizaram|liberou|liberaram|aprovou|aprovaram|combinou|combinei|combinamos|"
    r"me (?:passou|passaram|deu|deram|fez|fizeram))"
    r"(?: (?:ele|ela|esse|essa|isso|o|a|carro|por|em|de|nele|nela|pra|mim|voces|voce|vista|r\$|"
    r"seria|hoje|no|um))*$"
)
OFFER_AFTER = re.compile(
    r"(?:reais )?(?:a vista|no pix|em dinheiro|no dinheiro)(?: (?:agora|hoje))* n[oa]s? "
    r"(?!loja|banco|conta|caixa|mao|financ)\w+|"
    r"(?:reais )?(?:(?:a vista|no pix|em dinheiro|no dinheiro|hoje|agora) )*(?:fecha|fechamos|leva|"
    r"topa|rola|aceita|vende|da negocio)\b|"
    r"(?:reais )?(?:n[oa]|pel[oa]) \w+(?: \w+){0,4} (?:fecha|fechamos|fecho|levo|leva|topa)\b"
)
COUNTED = re.compile(
    r"(?:lugar(?:es)?|assentos?|portas?|marchas|air|airbags|cilindros|cv|cavalos|litros|donos?|anos|pessoas?|passageiros?|"
    r"filhos|dias?|"
    r"meses|horas?|hrs?|minutos?|unidades?|carros?|opcoes|vezes|polegadas|criancas)\b"
)
REPEATED_BEFORE = re.compile(
    r"\b(?:liguei|ligo|mandei|chamei|perguntei|fui|vim|escrevi|pedi|tentei|falei|reclamei|cobrei|"
    r"voltei|esperei|passei|vi|testei|andei|fiz)(?: \w+){0,3}$"
)
"""`já liguei 5 vezes` is no number of instalments."""
TERM = re.compile(r"\b(?:em|por|pra) (12|18|24|30|36|42|48|60|72|84)\b(?! (?:mil|reais|km))")
"""Months of a financing, said bare beside a down payment."""
TIME_BEFORE = re.compile(r"\b(?:as|umas|ali pelas|pelas|das|apos as|depois das)$")
DAY_BEFORE = re.compile(r"\bdia$")
YEAR_BEFORE = re.compile(r"\bano(?: (?:de|e|modelo))*$")
TIME = re.compile(r"[0-9]{1,2}(?:h|hs|hrs|horas)[0-9]{0,2}|[0-9]{1,2}:[0-9]{2}")
PAIR = re.compile(r"([0-9]{2}|[0-9]{4})/([0-9]{2}|[0-9]{4})")


_BEFORE_YEAR = re.compile(
    r"\b(?:antes d[eo]|anterior(?:es)? a|mais (?:velh|antig|vei)[oa]s? (?:do )?que|"
    r"(?:nao|nem) (?:seja )?mais nov[oa]s? (?:do )?que)(?: (?:o|de|ano))*$"
)


def year_mode(before: str, after: str) -> str:
    """A year as the last (<), the first (>) or the only one (=)."""
    if MIN_AFTER.match(after) or MIN.search(before):
        return ">"
    if MAX_AFTER.match(after) or MAX.search(before) or _BEFORE_YEAR.search(before):
        return "<"
    return "="


_NOT_MORE = re.compile(r"\b(?:nao|nem|sem|nunca)(?: \w+){0,3} (?:mais|acima|maior|superior)\b")
"""`que não custe mais de sessenta mil` is a ceiling."""


def price_mode(before: str, after: str) -> str:
    """A price as a ceiling (<), a floor (>), an offer, about so much (~), or nothing of it."""
    if MAX.search(before) or MAX_AFTER.match(after):
        return "<"
    if MIN.search(before):
        return "<" if _NOT_MORE.search(before) else ">"
    if OFFER.search(before) or OFFER_AFTER.match(after):
        return "offer"
    if MIN_AFTER.match(after):
        return ">"
    return "~" if AROUND.search(before) or AROUND_AFTER.match(after) else ""
