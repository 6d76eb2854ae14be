"""Greetings, thanks, goodbyes, and all that is not about a car. Called by `lucas`."""

from __future__ import annotations

import re

from bot.grammar import the_car
from bot.memory import said_name
from bot.reading.intents import Intent
from bot.rules import yes_or_no
from bot.rules.off_topic import off_topic
from bot.rules.talk import Answer, Talk, text
from bot.state import Draft, Pending
from bot.values import OptOut

STUCK_LIMIT = 3
"""After so many turns without understanding, a person is called in; one before, offered."""


def greeting(talk: Talk) -> Answer:
    """Answers a hello; the first one comes with the store's name from `lucas`."""
    body = talk.say(
        "Que carro você procura?",
        "Tudo ótimo por aqui! Está procurando algum carro em especial?",
        "Como posso te ajudar? Me conta que carro você tem em mente.",
    )
    return Answer(rule="greeting", bubbles=(text(body),), pending=Pending.CAR)


def thanks(talk: Talk) -> Answer:
    """You are welcome; of an `entendi` or `fechado` nothing is to be thanked for."""
    if not _THANKS.search(talk.reading.text.flat):
        body = talk.say(
            "Combinado! Qualquer coisa, é só me chamar.",
            "Certo! Estou por aqui se precisar.",
            "Beleza! Fico à disposição.",
        )
        return Answer(rule="thanks", bubbles=(text(body),))
    body = talk.say(
        "Por nada! Qualquer dúvida, é só chamar.",
        "Imagina! Estou por aqui se precisar.",
        "Eu que agradeço! Fico à disposição.",
    )
    return Answer(rule="thanks", bubbles=(text(body),))


_THANKS = re.compile(
    r"\b(?:\w*brigad\w*|obg|valeu|vlw|a?gr?adec\w+|a?gradici\w+|grat[oa]|gratidao|junto|"
    r"deus (?:\w+ )?(?:pague|abenco\w*|ajude)|gracias|valeu\w*|tks|thanks)\b"
)


def bye(talk: Talk) -> Answer:
    """A goodbye that asks for nothing."""
    body = talk.say(
        "Até mais! Quando quiser, é só chamar.",
        "Combinado, até logo! Fico à disposição.",
        "Valeu pelo contato! Até a próxima.",
    )
    return Answer(rule="bye", bubbles=(text(body),))


_ONLY_NOTICES = re.compile(
    r"\b(?:lembrete|aviso|promoc\w+|propaganda|oferta|anuncio|novidade|campanha)s?\b"
)


def opt_out(talk: Talk) -> Answer:
    """One confirmation: no more notices, or no more word at all."""
    flat = talk.reading.text.flat
    if _ONLY_NOTICES.search(flat) and not re.search(r"\bmensage|\bcontato\b|\bnada\b", flat):
        body = talk.say(
            "Pronto! Não vou mais te enviar lembretes nem ofertas. Se precisar de algo, é só me "
            "escrever.",
            "Combinado: nada de lembretes ou ofertas. Quando você me escrever, eu respondo.",
        )
        return Answer(rule="opt_out.notices", bubbles=(text(body),), opt_out=OptOut.NOTICES)
    body = (
        "Pronto! Seu número foi removido e você não vai mais receber mensagens nossas, nem "
        "lembretes."
    )
    return Answer(rule="opt_out.all", bubbles=(text(body),), quiet="opt_out", opt_out=OptOut.ALL)


def human(talk: Talk) -> Answer:
    """A person takes over; Lucas keeps quiet."""
    body = talk.say(
        "Claro! Vou chamar um vendedor da loja para falar com você por aqui.",
        "Sem problema, já estou chamando alguém da equipe para te atender.",
    )
    return Answer(rule="human", bubbles=(text(body),), handoff="human", quiet="human")


def complaint(talk: Talk) -> Answer:
    """Regret without blame or promise, and a person."""
    body = talk.say(
        "Sinto muito pelo que aconteceu. Vou chamar agora um responsável da loja para falar com "
        "você.",
        "Lamento por isso. Já estou passando o seu caso para um responsável da loja.",
    )
    return Answer(rule="complaint", bubbles=(text(body),), handoff="complaint", quiet="complaint")


def media(talk: Talk) -> Answer:
    """A message without text: it cannot be heard or seen here."""
    body = talk.say(
        "Por aqui não consigo ouvir áudios nem abrir imagens. Pode escrever pra mim?",
        "Essa mensagem eu não consigo abrir. Me conta por escrito o que você precisa?",
        "Ainda não consigo ver esse tipo de mensagem. Pode digitar, por favor?",
    )
    return Answer(rule="media", bubbles=(text(body),), pending=talk.state.pending)


_LAUGHS = re.compile(r"(?:k+|(?:ha|he|rs)+|kk\w*|risos)")
_SERVICE = re.compile(
    r"\b(?P<what>pix|transferencia|entregam?|entrega|frete|despachante|emplac\w+|vistoria|seguro|"
    r"boleto|nota fiscal|recibo|documento|documentos|procuracao)\b"
)
_LIKES = re.compile(r"(?:gostei|adorei|amei|curti|lind[oa]|maravilhos[oa]|bonit[oa])\b")
_COMPANY = re.compile(
    r"\b(?:posso|pode|vou|quero) (?:levar|ir com|trazer) (?:o |a )?(?:meu|minha|um|uma|os|"
    r"alguem)\b|"
    r"\b(?:meu|minha|um|uma) \w+(?: \w+)? (?:vai|vem|pode ir|tambem vai) (?:junto|comigo)\b"
)


_OTHER_GOODS = re.compile(
    r"\b(?:tem|vendem|trabalham com|mexem com|procuro|quero)(?: (?:alguma?|uma?|com))? (?:motos?|"
    r"motocicletas?|scooters?|caminh(?:ao|oes)|onibus|barcos?|lanchas?|jet ?skis?|tratore?s?|"
    r"quadriciclos?|bicicletas?|bikes?|pecas?|pneus? avuls\w+)\b"
)


_NO_IDEA = re.compile(
    r"(?:(?:ainda|eu|ah|ai|bom|olha|entao) )*(?:nao sei(?: ainda| bem| direito| nao)*|sei la|"
    r"nao (?:faco|tenho) (?:nem )?ideia|me ajuda(?: ai)?|to em duvida|estou em duvida|"
    r"(?:estou|to) perdid[oa]|nem sei)"
)


def brings_along(flat: str) -> bool:
    """`posso levar meu mecânico?`: whoever or whatever comes with him, no wish for a car."""
    return bool(_COMPANY.search(flat))


def _small_talk(talk: Talk) -> Answer | None:
    """A name that is told, someone who comes along: no wish, and no misunderstanding either."""
    name = said_name(talk.raw)
    if name is not None:
        body = f"Prazer, {name}! Em que posso te ajudar?"
        if talk.state.greeted:
            body = talk.say(f"Prazer, {name}!", f"Anotado, {name}! Prazer em falar com você.")
        return Answer(rule="named", bubbles=(text(body),), pending=talk.state.pending)
    if talk.target is not None and _LIKES.match(talk.reading.text.flat):
        body = talk.say(
            f"Que bom que gostou! Quer marcar um dia para ver {the_car(talk.target)} de perto?",
            "Ótimo! Posso agendar uma visita pra você conhecer de perto. Que dia fica bom?",
        )
        draft = Draft(car=talk.target.car.id)
        cars = (talk.target,)
        return Answer(
            rule="liked", bubbles=(text(body, cars, priced=False),), focus=talk.target.car.id,
            pending=Pending.DATE, draft=draft,
        )  # fmt: skip
    other = _OTHER_GOODS.search(talk.reading.text.flat)
    if other is not None:
        body = talk.say(
            "Isso a gente não tem por aqui, só carros. Está procurando algum?",
            "Aqui são só carros. Que modelo você procura?",
        )
        return Answer(rule="other_goods", bubbles=(text(body),), pending=Pending.BUDGET)
    if _NO_IDEA.fullmatch(talk.reading.text.flat) and talk.state.stuck + 1 < STUCK_LIMIT:
        body = talk.say(
            "Sem problema, eu te ajudo! É mais pra cidade, família ou trabalho? Se preferir, "
            "me diz um valor aproximado e eu já separo alguns.",
            "Tranquilo! Pensa em algo menor, um sedan, um SUV ou uma picape?",
        )
        return Answer(
            rule="guides", bubbles=(text(body),), understood=False, pending=Pending.BUDGET
        )
    if not talk.reading.text.tokens or _LAUGHS.fullmatch(talk.reading.text.flat):
        body = talk.say("Estou por aqui! Posso ajudar em algo mais?", "Rs! Precisando, é só falar.")
        return Answer(rule="laughs", bubbles=(text(body),), pending=talk.state.pending)
    service = _SERVICE.search(talk.reading.text.flat)
    if service is not None:
        body = talk.say(
            "Essa parte eu confirmo com a equipe da loja e te retorno por aqui.",
            "Vou checar isso com o pessoal da loja e um vendedor te responde por aqui.",
        )
        return Answer(
            rule="service.check", bubbles=(text(body),), pending=talk.state.pending,
            to_check=f"pergunta sobre {service['what']}",
        )  # fmt: skip
    if brings_along(talk.reading.text.flat):
        body = talk.say("Claro, pode trazer quem quiser!", "Pode sim, fique à vontade!")
        return Answer(rule="company", bubbles=(text(body),), pending=talk.state.pending)
    return None


def unclear(talk: Talk) -> Answer:
    """Not understood: ask in another way; in the end call a person."""
    chat = _small_talk(talk)
    if chat is not None:
        return chat
    if talk.state.stuck + 1 >= STUCK_LIMIT:
        body = talk.say(
            "Não quero te deixar sem resposta: vou chamar um vendedor para te ajudar por aqui.",
            "Vou pedir para alguém da equipe continuar com você, tá bom?",
        )
        return Answer(
            rule="unclear.person", bubbles=(text(body),), handoff="stuck", understood=False
        )
    if talk.state.stuck + 1 == STUCK_LIMIT - 1:
        body = talk.say(
            "Ainda não entendi bem. Quer que eu chame um vendedor, ou me diz o modelo do carro?",
            "Acho que não te entendi. Posso chamar um vendedor para te ajudar?",
        )
        return Answer(
            rule="unclear.offer", bubbles=(text(body),), understood=False, pending=Pending.PERSON
        )
    body = talk.say(
        "Me conta um pouco mais: que modelo ou tipo de carro você procura, e até que valor?",
        "Não entendi direito. Você procura algum modelo ou faixa de preço?",
        "Pode me dizer de outro jeito? Com o modelo ou o valor que você pensa eu já procuro.",
    )
    return Answer(
        rule="unclear.ask", bubbles=(text(body),), understood=False, pending=Pending.BUDGET
    )


RULES = {
    **yes_or_no.RULES,
    Intent.OFF_TOPIC: off_topic,
    Intent.OPT_OUT: opt_out,
    Intent.HUMAN: human,
    Intent.COMPLAINT: complaint,
    Intent.BYE: bye,
    Intent.THANKS: thanks,
    Intent.GREETING: greeting,
    Intent.UNCLEAR: unclear,
}
