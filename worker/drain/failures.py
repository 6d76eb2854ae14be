"""Says in a dealer's words why WhatsApp did not deliver a message. Called by `statuses`.

The codes are Meta's ("Cloud API error codes", as of 2026); other gateways give none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NOT_DELIVERED = "O WhatsApp não entregou a mensagem."
_TEMPLATE = (
    "O modelo de mensagem não foi aceito pelo WhatsApp: confira no Gerenciador do WhatsApp se ele"
    " está aprovado e se os campos estão certos."
)
_ACCESS = (
    "O acesso da loja ao WhatsApp não foi aceito: é preciso renovar a chave do canal ou as"
    " permissões do aplicativo."
)
_ACCOUNT = (
    "A conta da loja está bloqueada ou limitada pelo WhatsApp: veja o aviso no Gerenciador do"
    " WhatsApp."
)
_BILLING = "Há um problema de pagamento na conta do WhatsApp da loja."
_BUSY = "O WhatsApp estava sobrecarregado ou fora do ar e não entregou a mensagem."
_TOO_MANY = "A loja mandou mensagens demais em pouco tempo e o WhatsApp recusou esta."
_OURS = "O WhatsApp não aceitou o formato da mensagem; avise o suporte."

WORDS: Mapping[int, str] = MappingProxyType(
    {
        131047: (
            "Passaram mais de 24 horas desde a última mensagem do cliente: agora o WhatsApp só"
            " aceita um modelo aprovado."
        ),
        131026: (
            "Não foi possível entregar: o número não tem WhatsApp, está com uma versão antiga ou"
            " não aceitou os termos novos."
        ),
        131049: (
            "O WhatsApp segurou esta mensagem para não cansar o cliente com propaganda; tente de"
            " novo só depois de um dia."
        ),
        131050: "O cliente desligou as mensagens de propaganda da loja no WhatsApp dele.",
        131051: "O WhatsApp não aceita este tipo de mensagem.",
        131052: "O arquivo que o cliente mandou não pôde ser baixado.",
        131053: (
            "A foto ou o arquivo não pôde ser enviado: confira se o endereço abre e se o formato e"
            " o tamanho são aceitos."
        ),
        131062: "Este tipo de mensagem não pode ser enviado a quem esconde o número.",
        130472: "O cliente participa de um teste do WhatsApp e não recebe esta mensagem.",
        130497: "O WhatsApp não deixa a loja escrever para clientes deste país.",
        131021: "O número do cliente é o mesmo da loja.",
        131042: _BILLING,
        131048: (
            "Muitos clientes bloquearam ou denunciaram mensagens da loja, e o WhatsApp limitou os"
            " envios."
        ),
        131056: "A loja mandou mensagens demais a este cliente em pouco tempo.",
        131057: "A conta da loja está em manutenção no WhatsApp.",
        131005: _ACCESS,
        131031: _ACCOUNT,
        131037: "O nome da loja ainda não foi aprovado pelo WhatsApp.",
        131045: "O número da loja não está registrado direito no WhatsApp.",
        131064: _ACCOUNT,
        133010: "O número da loja não está registrado no WhatsApp.",
        368: _ACCOUNT,
        190: _ACCESS,
        0: _ACCESS,
        3: _ACCESS,
        10: _ACCESS,
        4: _TOO_MANY,
        80007: _TOO_MANY,
        130429: _TOO_MANY,
        1: _BUSY,
        2: _BUSY,
        131000: _BUSY,
        131016: _BUSY,
        133004: _BUSY,
        135000: _BUSY,
        33: _OURS,
        100: _OURS,
        131008: _OURS,
        131009: _OURS,
    }
)


def in_words(code: int | None, told: str | None) -> str:
    """The reason of a failure for `mensagens.erro`: our words, its code and its own words."""
    if code is None:
        return told or _NOT_DELIVERED
    words = WORDS.get(code) or _of_class(code)
    why = f"código {code}: {told}" if told else f"código {code}"
    return f"{words or _NOT_DELIVERED} ({why})"


def _of_class(code: int) -> str | None:
    """Whole ranges mean one thing: 132xxx is about templates, 200 to 299 about permissions."""
    if code // 1000 == 132:
        return _TEMPLATE
    return _ACCESS if 200 <= code < 300 else None
