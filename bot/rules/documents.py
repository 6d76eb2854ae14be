"""Answers who would send a document or money: never through the chat, and why.

Called by `lucas` where nothing else is asked, else by `rules.asides`.
"""

from __future__ import annotations

import re

from bot.reading.intents import Intent
from bot.rules.talk import Answer, Talk, text
from bot.state import Pending

_DOCUMENT = (
    r"(?:cpf|rg|cnh|cnpj|habilitacao|identidade|document\w+|comprovantes?|holerites?|"
    r"contracheques?|(?:numero|dados|foto) d[oe] cartao|dados (?:bancarios|pessoais)|crlv|renavam)"
)
_GIVES = (
    r"(?:mand\w+|envi\w+|pass(?:o|ar|e|em|a)|inform\w+|fornec\w+|dou|dar|tirar? foto|anex\w+|"
    r"ped(?:e|em|ir|iram)|precis\w+|exig\w+|solicit\w+|quer(?:em)?|vai querer|necessario|"
    r"consult\w+|coloc\w+|digit\w+)"
)
_SENDS = re.compile(
    rf"\b{_GIVES}\b(?: \w+){{0,6}} {_DOCUMENT}\b|\b{_DOCUMENT}(?: \w+){{0,5}} (?:por )?"
    rf"(?:aqui|whatsapp|mensagem|chat|foto)\b|\b(?:meu|minha) {_DOCUMENT} (?:e|esta|segue)\b|"
    rf"\b(?:segue|foto d[oae])(?: \w+){{0,2}} {_DOCUMENT}\b"
)
_OF_THE_CAR = re.compile(
    r"\b(?:d[oe]|dele|dela) (?:carro|veiculo)\b|\b(?:del[ea])\b|\bem dia\b|\bdo recibo\b|"
    r"\b(?:client\w+|don[oa]|outr[oa]s?|comprador\w*|proprietari\w+|transferencia|transferir|levar|"
    r"loja)\b"
)
WHY = "Por segurança, não precisa mandar documento nem cartão por aqui."
_PAYS = re.compile(
    r"\b(?:pix|sinal|deposit\w+|(?:conta|dados) (?:bancari\w+|da loja|de voces)|adiantamento|"
    r"(?:fazer|faco|mando|mandar) (?:uma |um |a )?(?:ted|doc|transferencia))\b"
)
_NO_PAYMENT = re.compile(
    r"\b(?:desconto|a vista|preco|valor|menos|fica|sai|vista|faz(?:em)? por|som|bluetooth|wi ?fi|"
    r"internet|bom sinal|sinal de|deposito de)\b"
)
NO_PIX = "Pix e sinal não são combinados por aqui: pagamento, só com a equipe, na loja."
_INSTEAD = frozenset(
    (
        Intent.UNCLEAR, Intent.DETAILS, Intent.PHOTOS, Intent.YES, Intent.NO, Intent.GREETING,
        Intent.THANKS, Intent.OFF_TOPIC,
    )
)  # fmt: skip


def sends_document(flat: str) -> bool:
    """`precisa mandar meu cpf por aqui?`; the papers of the car are another matter."""
    return bool(_SENDS.search(flat)) and _OF_THE_CAR.search(flat) is None


def pays_here(flat: str) -> bool:
    """`me passa o pix`, `precisa de sinal?`; `desconto no pix?` is about the price."""
    return bool(_PAYS.search(flat)) and _NO_PAYMENT.search(flat) is None


def documents(talk: Talk, main: Intent) -> Answer | None:
    """No, and why; None where something else counts more or no document is spoken of."""
    if main not in _INSTEAD:
        return None
    if pays_here(talk.reading.text.flat):
        ask = "Quer que eu chame um vendedor?"
        body = talk.say(
            f"{NO_PIX} {ask}",
            f"Por segurança, não passo Pix nem recebo sinal: isso é com a equipe da loja. {ask}",
        )
        return Answer(rule="payment", bubbles=(text(body),), pending=Pending.PERSON, aside=(ask,))
    if not sends_document(talk.reading.text.flat):
        return None
    body = talk.say(
        "Não precisa mandar CPF nem documento por aqui, por segurança. Isso só é pedido "
        "pessoalmente, na loja, quando for a hora.",
        "Por segurança, não peço CPF, documento nem dados de cartão por aqui: se for preciso, é "
        "na loja, com a equipe.",
        "Por aqui não precisa: CPF e documentos ficam para a loja, assim ninguém mais vê os seus "
        "dados.",
    )
    return Answer(rule="documents", bubbles=(text(body),))
