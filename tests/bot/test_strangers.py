"""Lucas understands strangers: whose car it is, what is promised, asked, complained of."""

from __future__ import annotations

import pytest

from bot.reading.reader import read
from bot.stock import Stock
from tests.bot.showroom import Chat, car, sent
from tests.bot.yard import YARD, talk

LOT = Stock.build(
    (
        car(1, "Toyota", "Yaris 1.5 XS", "84000"),
        car(2, "Chevrolet", "Spin 1.8 LTZ", "62000"),
        car(3, "Fiat", "Siena 1.4", "40000"),
        car(4, "Ford", "Ranger 2.2 XLS", "139000"),
        car(5, "Volkswagen", "Gol 1.0", "35000"),
    )
)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("era um gol 2013 que eu queria dar na troca pela spin", "Spin"),
        ("aceita uma ranger 2013?", None),
        ("vcs pegariam um siena 2014 no negócio?", None),
        ("é que tô com um gol 2012 aqui e queria trocar", None),
        ("o carro que eu ia dar de entrada é um gol 2013", None),
        ("pegam gol 2014 na troca do yaris?", "Yaris"),
        ("e se eu der uma ranger 2012, quanto volto?", None),
    ],
)
def test_a_car_given_in_exchange_is_no_wish(said: str, wanted: str | None) -> None:
    """Whoever would give a car need not say `meu`: it is his, and not looked for in the stock."""
    reading = read(said, LOT, this_year=2026)
    assert reading.intent == "trade_in"
    assert reading.own_car
    assert reading.filters.spoken().get("model") == wanted


@pytest.mark.parametrize(
    "said",
    [
        "tem gol na troca?",
        "vou levar um gol",
        "estou com um gol em mente",
        "gol de entrada 10 mil",
        "qual o valor da parcela do gol 1.0 com 15 de entrada?",
    ],
)
def test_a_wish_beside_words_of_exchange_stays_a_wish(said: str) -> None:
    """`na troca`, `de entrada`, `estou com um` alone make nobody's car."""
    reading = read(said, LOT, this_year=2026)
    assert reading.own_car is None
    assert reading.filters.spoken()["model"].startswith("Gol")


@pytest.mark.parametrize(
    "said",
    [
        "o gerente me falou que fazia por 120 nela",
        "seu colega prometeu 130 mil nele semana passada",
        "ontem vcs me passaram 138 mil nela, tá valendo?",
        "o gerente de vocês autorizou 100 mil nele, confirma aí",
    ],
)
def test_a_price_that_somebody_is_said_to_have_promised_goes_to_a_person(said: str) -> None:
    """It is an offer of the buyer's; the listed price stands, and the search is not changed."""
    answer = talk("tem hr-v?").say(said)
    assert answer.rule == "negotiate.offer"
    assert "142.000" in sent(answer)


@pytest.mark.parametrize(
    "said",
    [
        "eu mesmo comprei um gol aí em setembro e até hoje não recebi o documento, liguei 5 vezes",
        "peguei um civic aí mês passado e ainda não recebi o recibo",
        "já mandei mensagem três vezes e ninguém resolve",
        "paguei o sinal faz um mês e não me entregaram o carro",
        "comprei um carro aí e o ar condicionado não gela",
    ],
)
def test_who_bought_and_waits_complains(said: str) -> None:
    """A person takes over; `5 vezes` are no instalments."""
    answer = talk("tem yaris?").say(said)
    assert answer.handoff == "complaint"


@pytest.mark.parametrize(
    "said",
    [
        "ainda não recebi as fotos, pode mandar do yaris?",
        "até agora não me mandaram as fotos",
        "alguém já olhou o motor dele?",
        "cheguei a ver um honda no site",
        "falou!",
    ],
)
def test_who_only_waits_for_photos_does_not_complain(said: str) -> None:
    """Nor does whoever says goodbye."""
    assert talk("tem yaris?").say(said).handoff is None


@pytest.mark.parametrize(
    "said",
    [
        "quais clientes já agendaram pra ver ele?",
        "tem alguém marcado pra ver esse carro?",
        "quantas pessoas já visitaram ele?",
        "quais horários os outros clientes pegaram amanhã?",
        "já tem muita gente interessada nele?",
    ],
)
def test_who_else_comes_is_not_told(said: str) -> None:
    """Other buyers' visits are theirs."""
    answer = talk("tem yaris?").say(said)
    assert answer.understood["intent"] == "off_topic"
    assert answer.agenda is None


@pytest.mark.parametrize(
    "said",
    [
        "dá pra dar 40 de entrada e o resto em 36? quanto fica",
        "dou 20 de entrada e o resto em 48",
        "tenho 15 mil pra dar agora, o saldo dá pra parcelar?",
        "se eu der 30 mil à vista o restante financia?",
    ],
)
def test_a_down_payment_and_the_rest_is_a_simulation(said: str) -> None:
    """`o resto` is no other car, and the sum no ceiling."""
    answer = talk("tem yaris?").say(said)
    assert answer.handoff == "financing"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("qual a cor e o preço, e tem foto?", ("prata", "66.000")),
        ("ele é manual né? e qto q tá mesmo?", ("manual", "66.000")),
        ("quanto tá e o ipva tá pago?", ("IPVA", "66.000")),
    ],
)
def test_two_questions_of_a_turn_are_both_answered(said: str, told: tuple[str, ...]) -> None:
    """The price beside a question about the car."""
    words = sent(talk("tem yaris?").say(said))
    assert all(one in words for one in told)


@pytest.mark.parametrize(
    ("said", "exclude"),
    [
        ("sedan menos prata, que prata parece táxi", {"color": ["prata"]}),
        ("hatch, branco não que suja, branco eu já tive", {"color": ["branco"]}),
        ("carro automático mas não me venha com elétrico", {"fuel": ["eletrico"]}),
        ("hatch, só não me fale em fiat", {"brand": ["Fiat"]}),
    ],
)
def test_what_is_ruled_out_stays_so_when_it_is_named_again(
    said: str, exclude: dict[str, list[str]]
) -> None:
    """A reason told after it wishes for nothing."""
    spoken = read(said, YARD, this_year=2026).filters.spoken()
    assert spoken["exclude"] == exclude
    assert not set(spoken) & {"color", "fuel", "brand"}


def test_what_nobody_thought_of_is_asked_of_the_seller() -> None:
    """A question about the car that no topic knows is passed on in the buyer's words."""
    chat = talk("tem hr-v?")
    answer = chat.say("aguenta estrada de terra?")
    assert answer.rule == "details.other"
    assert answer.summary is not None
    assert "aguenta estrada de terra?" in answer.summary


@pytest.mark.parametrize("said", ["qual o sentido da vida?", "vocês dão garantia de felicidade?"])
def test_what_is_no_question_about_the_car_is_not_passed_on(said: str) -> None:
    """Nor promised to be checked."""
    assert talk("tem hr-v?").say(said).rule != "details.other"


@pytest.mark.parametrize("said", ["muito caro pra mim. até 90 mil?", "tá salgado, tem até 90?"])
def test_too_dear_with_a_limit_is_a_search(said: str) -> None:
    """And not a haggle."""
    assert talk("suv").say(said).understood["intent"] == "search"


def test_the_photo_of_a_part_asks_nothing_about_it() -> None:
    """The model's name is no answer to `foto do motor`."""
    assert "anúncio" not in sent(talk("tem hr-v?").say("manda foto do motor"))


def test_colours_agree_with_the_car() -> None:
    """A Strada é branca, o Kicks é branco."""
    strada = Stock.build((car(1, "Fiat", "Strada 1.4", "50000", cor="Branco"),))
    assert "é branca" in sent(Chat(stock=strada).say("qual a cor da strada?"))
    assert "é branco" in sent(talk().say("qual a cor do kicks?"))


@pytest.mark.parametrize("said", ["quero falar com o carlos", "posso falar com a patrícia?"])
def test_a_person_may_be_asked_for_by_name(said: str) -> None:
    """Whoever it is, a person answers."""
    assert talk().say(said).handoff == "human"


@pytest.mark.parametrize("said", ["vcs tem moto?", "vendem caminhão?"])
def test_other_goods_are_not_there(said: str) -> None:
    """Said so, instead of not understood."""
    assert talk().say(said).rule == "other_goods"


def test_what_he_has_in_a_talk_of_financing_is_a_down_payment() -> None:
    """`tenho 10 mil` is no budget then."""
    answer = talk("tem hr-v?", "vocês financiam?").say("tenho 10 mil")
    assert answer.handoff == "financing"


def test_his_car_may_be_told_after_a_comma() -> None:
    """`leva meu carro pra avaliar também, é um gol 2014`."""
    reading = read("leva meu carro pra avaliar também, é um gol 2014", LOT, this_year=2026)
    assert reading.own_car == "gol 2014"


def test_a_car_of_a_picture_is_asked_for() -> None:
    """Lucas sees no pictures."""
    assert "modelo" in sent(talk().say("quanto custa esse da foto?"))
