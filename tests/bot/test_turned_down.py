"""A sentence that turns a car down, longer names, advertisements searched, bare offers, the way."""

from __future__ import annotations

import pytest

from bot.stock import Stock
from tests.bot.showroom import Chat, car, sent, shown
from tests.bot.yard import talk

LOT = Stock.build(
    (
        car(1, "Chevrolet", "Onix Plus 1.0 LTZ", "77900", descricao="Sedan turbo."),
        car(2, "BYD", "Dolphin Plus", "139900", combustivel="Elétrico",
            descricao="Autonomia de 330 km. Garantia da bateria de 8 anos."),
        car(3, "Fiat", "Grand Siena 1.4", "47900", descricao="Kit gás legalizado. Ex-táxi."),
        car(4, "Renault", "Captur 1.6 Zen", "72900", cambio="CVT", descricao="Teto preto."),
        car(5, "Jeep", "Compass 1.3 Turbo", "129900", cambio="Aut.", descricao="Teto solar."),
        car(6, "Fiat", "Strada 1.4 Working CS", "49900", descricao="Único dono."),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "car_id"),
    [
        ("minha mulher achou esportivo demais kk. o da nissan é automático?", 2),
        ("esse nem de graça, e o de 69 tem quantos km?", 2),
        ("não curti, muito caro pra mim. a laranja é de que ano?", 5),
    ],
)
def test_what_follows_a_car_turned_down_is_read_against_the_others(said: str, car_id: int) -> None:
    """The focus ends with the sentence that turns it down."""
    chat = talk("tem suv?", "o abarth tem teto?")
    answer = chat.say(said)
    assert shown(answer) == [car_id]
    assert chat.state["focus"] == car_id


def test_the_wish_before_the_model_holds_again() -> None:
    """`esse não`: of the sedans up to 80 thousand, not of any car."""
    chat = talk("sedan até 80 mil", "quero o civic")
    assert shown(chat.say("esse não, tem outro CVT?")) == [7]


def test_dear_and_a_question_still_mean_this_car() -> None:
    """`achei caro. tem garantia?` turns nothing down that could be asked about."""
    chat = talk("tem pulse?")
    assert shown(chat.say("achei pequeno. tem garantia?")) == [4]


@pytest.mark.parametrize(
    ("said", "car_id", "named"),
    [("tem onix?", 1, "o Onix Plus (sedã)"), ("tem dolphin?", 2, "Dolphin Plus")],
)
def test_a_family_only_in_a_longer_name_is_no_lost_sale(said: str, car_id: int, named: str) -> None:
    """Of another family it is offered as what it is; a trim is simply found."""
    answer = Chat(stock=LOT).say(said)
    assert shown(answer) == [car_id]
    assert named in sent(answer)
    assert bool(answer.considered) is (car_id == 2)


def test_the_same_model_otherwise_comes_first_among_alternatives() -> None:
    """Who asks for a Compass of another year is shown the Compass before any other car."""
    answer = Chat(stock=LOT).say("tem compass 2018?")
    assert answer.considered == ()
    assert shown(answer)[0] == 5


@pytest.mark.parametrize(
    ("said", "car_id"),
    [
        ("vende carro com gás?", 3),
        ("tem algum com teto solar?", 5),
        ("quais são de único dono?", 6),
        ("tem com garantia da bateria?", 2),
    ],
)
def test_what_an_advertisement_says_is_looked_for(said: str, car_id: int) -> None:
    """In the buyer's words, and of the kind that he means: no black roof for a sunroof."""
    assert shown(Chat(stock=LOT).say(said)) == [car_id]


@pytest.mark.parametrize(
    "said",
    ["quanto ele roda com uma carga?", "qual o alcance?", "com a bateria cheia anda quanto?"],
)
def test_how_far_on_one_charge_is_no_mileage(said: str) -> None:
    """`quantos km com uma carga` is answered by the range that the advertisement states."""
    chat = Chat(stock=LOT)
    chat.say("tem dolphin?")
    answer = sent(chat.say(said))
    assert "330" in answer
    assert "50.000" not in answer


@pytest.mark.parametrize("said", ["65 à vista, dinheiro na mão", "65 e eu levo", "e por 65?"])
def test_a_price_for_the_car_spoken_of_is_an_offer(said: str) -> None:
    """It goes to a seller with the amount; without a car it would be a budget."""
    answer = talk("tem kicks?").say(said)
    assert answer.handoff == "offer"
    assert answer.understood["offers"] == [65_000]
    assert talk("oi").say(said).handoff is None


@pytest.mark.parametrize("said", ["tem outro até 65?", "tenho 65 mil", "rodou 65 mil?"])
def test_an_amount_for_something_else_is_no_offer(said: str) -> None:
    """A ceiling, a budget, a mileage."""
    assert talk("tem kicks?").say(said).handoff is None


def test_an_amount_that_answers_a_question_is_no_offer() -> None:
    """The down payment was asked for: what is paid at once is that."""
    answer = talk("tem kicks?", "vocês financiam?", "sim").say("40 mil à vista")
    assert answer.understood["intent"] == "financing"


def test_other_peoples_data_stay_refused_when_asked_for_again() -> None:
    """`só o primeiro nome então`; what is asked of the store is answered."""
    chat = talk("tem kicks?", "quem era o dono?")
    assert chat.say("só o primeiro nome então").understood["intent"] == "off_topic"
    assert chat.say("tá, e o endereço da loja?").understood["intent"] == "location"


@pytest.mark.parametrize(
    "said", ["aí é no setor bueno?", "é goiânia mesmo?", "vocês ficam no bueno?"]
)
def test_the_words_of_the_address_ask_for_it(said: str) -> None:
    """Street, quarter or city."""
    answer = talk().say(said)
    assert answer.understood["intent"] == "location"
    assert "T-63, 1200" in sent(answer)


def test_who_only_says_where_he_lives_asks_for_no_address() -> None:
    """`sou de Goiânia, tem Kicks?`"""
    assert shown(talk().say("sou de goiânia, tem kicks?")) == [2]


@pytest.mark.parametrize(
    "said",
    ["minha filha quer ver sexta à tarde", "meu pai passa aí sexta de tarde",
     "sexta depois do almoço a gente aparece aí"],
)  # fmt: skip
def test_whoever_comes_makes_an_appointment(said: str) -> None:
    """The part of the day is asked for more exactly, then a bare hour books."""
    chat = talk("tem kicks?")
    assert chat.say(said).asks == "time"
    booked = chat.say("16h").agenda
    assert booked is not None
    assert (booked.appointment.car_id, booked.appointment.at.hour) == (2, 16)


@pytest.mark.parametrize(
    "said", ["ficou pra que dia mesmo?", "me lembra o horário que marquei", "era pra qual carro?"]
)
def test_his_own_appointment_is_told(said: str) -> None:
    """In whatever order he asks for it; nothing is changed."""
    chat = talk("tem kicks?", "quero ver sexta às 16h")
    answer = chat.say(said)
    assert answer.rule == "visit.recalled"
    assert answer.agenda is None


@pytest.mark.parametrize(
    "said",
    [
        "vou ver com minha esposa e amanhã te falo",
        "amanhã eu decido",
        "hoje não vai dar",
        "vou no banco amanhã ver isso",
        "vocês vão abrir aí amanhã?",
        "vai ter mais carro aí semana que vem?",
        "não quero visitar agora, só saber se tem garantia",
        "dá pra ver o preço dele hoje?",
    ],
)
def test_a_day_without_coming_books_nothing(said: str) -> None:
    """A day alone is no wish to come."""
    answer = talk("tem kicks?").say(said)
    assert answer.agenda is None
    assert answer.asks != "time"
