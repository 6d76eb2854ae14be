"""Lucas understands what strangers say in a talk: whose car, which of those shown, a new wish."""

from __future__ import annotations

import pytest

from bot.reading.reader import read
from bot.stock import Stock
from bot.values import Car
from tests.bot.showroom import Chat, car, sent, shown

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


YARD = Stock.build(
    (
        car(1, "Honda", "HR-V 1.5 EXL", "142000", cambio="CVT", ano_modelo=2022, km=31_000),
        car(2, "Nissan", "Kicks 1.6 S", "69000", ano_modelo=2019, cor="Branco", km=84_000),
        car(3, "CAOA Chery", "Tiggo 5X 1.5", "94000", cambio="CVT", km=None, fotos=()),
        car(4, "Fiat", "Pulse 1.3 Abarth", "129000", cambio="Aut.", ano_modelo=2024, km=16_000),
        car(5, "Honda", "WR-V 1.5 EX", "84000", cambio="CVT", ano_modelo=2020, cor="Laranja"),
        car(6, "Honda", "Civic 2.0 LXR", "72000", cambio="Aut.", ano_modelo=2016),
        car(7, "Nissan", "Versa 1.6 SV", "52000", cambio="CVT", ano_modelo=2018),
        car(8, "Toyota", "Yaris 1.3 XL", "66000", ano_modelo=2019),
    )
)


def talk(*words: str) -> Chat:
    """A talk that has come so far."""
    chat = Chat(stock=YARD)
    for said in words:
        chat.say(said)
    return chat


@pytest.mark.parametrize(
    ("said", "cars"),
    [
        ("tem algum suv mais barato que ela?", [2, 3, 4, 5]),
        ("e suv mais novo que ele?", [4]),
        ("suv menos rodado que esse tem?", [4]),
        ("e sedan por menos que isso?", [6, 7]),
    ],
)
def test_better_than_this_one_is_measured_by_the_car_spoken_of(said: str, cars: list[int]) -> None:
    """Cheaper, newer, less driven than the HR-V, of the body that is said."""
    assert sorted(shown(talk("tem hr-v?").say(said))) == cars


@pytest.mark.parametrize(
    ("said", "cars"),
    [
        ("tem outro suv até 90 mas laranja?", [5]),
        ("outro suv tem?", [2, 3, 4, 5]),
        ("tem outros automáticos até 130?", [3, 4, 5]),
    ],
)
def test_another_one_is_a_wish_and_not_the_one_spoken_of(said: str, cars: list[int]) -> None:
    """`outro` with words of its own looks for cars; the one he has seen is not among them."""
    assert sorted(shown(talk("tem hr-v?").say(said))) == cars


def test_when_there_is_no_other_he_says_so() -> None:
    """The same car again is no other one."""
    answer = talk("tem yaris?").say("outro hatch até 80 mil?")
    assert answer.rule == "search.no_more"


@pytest.mark.parametrize(
    ("before", "said", "words"),
    [
        ("tem yaris?", "tem dele automático?", "Yaris automático"),
        ("tem hr-v?", "tem esse mesmo só que branco?", "HR-V na cor branco"),
        ("tem versa?", "tem ele híbrido?", "Versa híbrido"),
    ],
)
def test_the_same_model_otherwise_is_looked_for(before: str, said: str, words: str) -> None:
    """A variant of the car spoken of that is not there is said to be missing."""
    answer = talk(before).say(said)
    assert answer.considered == ()
    assert words in sent(answer)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("manda foto do honda mais novo", 1),
        ("quero o da honda mais barato desses, tem foto?", 5),
        ("desses, qual o honda mais barato?", 5),
    ],
)
def test_the_best_of_those_shown_that_are_so(said: str, number: int) -> None:
    """A brand and an order point at one of the list."""
    assert set(shown(talk("suv automático").say(said))) == {number}


def test_a_brand_of_two_words_points_at_the_car_shown() -> None:
    """`e a chery?` asks the question before again, of the one of this brand."""
    answer = talk("suv automático", "o da fiat tem quantos km?").say("e o da chery?")
    assert answer.understood["intent"] == "details"
    assert shown(answer) == [3]


def test_the_best_of_a_list_may_be_asked_about_at_once() -> None:
    """`o mais barato desses, qual km?` is a question, not a choice."""
    answer = talk("suv automático").say("o mais barato desses, qual km?")
    assert answer.understood["intent"] == "details"
    assert shown(answer) == [5]


def test_a_body_with_two_limits_is_a_new_wish() -> None:
    """What was wished of the model before does not bind it."""
    answer = talk("tem yaris híbrido?").say("e suv automático até 100 mil?")
    assert sorted(shown(answer)) == [3, 5]


def test_a_body_alone_goes_on_with_the_wish_before() -> None:
    """`e sedan?` is still automatic and within the budget."""
    answer = talk("suv automático até 60 mil").say("e sedan?")
    assert shown(answer) == [7]


def test_the_newest_of_a_model_is_the_one_spoken_of() -> None:
    """`quanto tá o honda mais novo?`, then `ele` is that one."""
    answer = talk("quanto tá o honda mais novo?").say("manda foto dele")
    assert set(shown(answer)) == {1}


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


@pytest.mark.parametrize("said", ["ainda não recebi as fotos, pode mandar do yaris?", "falou!"])
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
        "sou cliente de vocês, quero marcar pra ver ele sexta às 10h",
        "posso levar um amigo sexta às 10h?",
    ],
)
def test_who_comes_himself_is_booked(said: str) -> None:
    """A client or a friend that is named is no question about others."""
    assert talk("tem yaris?").say(said).understood["intent"] == "schedule"


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


def test_what_is_like_a_car_is_its_kind_near_its_price() -> None:
    """And not the one that he has before his eyes."""
    answer = talk("tem tiggo?").say("o que tem parecido?")
    assert answer.rule == "search.similar"
    assert shown(answer)[0] == 5
    assert 3 not in shown(answer)


def test_the_price_of_a_list_is_told_of_each() -> None:
    """`quanto custa?` does not bring the same list again."""
    answer = talk("sedan ou hatch").say("quanto custa?")
    assert answer.rule == "search.prices"
    assert all(price in sent(answer) for price in ("72.000", "52.000", "66.000"))


def test_who_wants_to_hear_of_one_is_noted() -> None:
    """The seller finds it under what to check."""
    answer = talk().say("me avisa quando chegar uma spin?")
    assert answer.summary is not None
    assert "avisar se chegar Spin" in answer.summary


def test_limits_after_a_missing_model_narrow_what_was_offered() -> None:
    """Of a model that is not there none fits any limit."""
    answer = talk("tem renegade?").say("até 90 mil?")
    assert sorted(shown(answer)) == [2, 5]


@pytest.mark.parametrize("said", ["muito caro pra mim. até 90 mil?", "tá salgado, tem até 90?"])
def test_too_dear_with_a_limit_is_a_search(said: str) -> None:
    """And not a haggle."""
    assert talk("suv").say(said).understood["intent"] == "search"


def test_the_day_whose_hours_were_asked_for_is_the_day() -> None:
    """`que horas abre sábado?`, then `marca 10h`."""
    answer = talk("tem hr-v?", "que horas abre sábado?").say("marca 10h então")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.strftime("%a %H:%M") == "Sat 10:00"


def test_hours_that_were_asked_for_are_no_appointment_in_the_making() -> None:
    """A wish for a car after them is a search."""
    answer = talk("que horas abre sábado?").say("quero ver os honda")
    assert answer.understood["intent"] == "search"


def test_so_long_from_now_is_a_time() -> None:
    """`chego em 1h`, at ten o'clock: at eleven."""
    answer = talk("tem hr-v?").say("chego aí em 1h")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.strftime("%d %H:%M") == "24 11:00"


def test_about_an_hour_answers_the_question_for_the_time() -> None:
    """`10 e pouco` is no price then."""
    answer = talk("tem hr-v?", "quero ver sexta").say("10 e pouco")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.hour == 10


def test_who_asks_whether_it_is_still_there_is_told_so() -> None:
    """First that, then the car."""
    assert "disponível" in sent(talk("tem hr-v?").say("tá reservado?"))


def test_the_photo_of_a_part_asks_nothing_about_it() -> None:
    """The model's name is no answer to `foto do motor`."""
    assert "anúncio" not in sent(talk("tem hr-v?").say("manda foto do motor"))


def test_who_stands_at_the_door_is_met_by_a_person() -> None:
    """`cheguei` is for the people in the store."""
    assert talk("tem hr-v?").say("cheguei").handoff == "human"


def test_which_of_those_shown_is_so() -> None:
    """`qual das duas é automática?` looks among them, not through the stock."""
    chat = talk("o kicks e o tiggo, qual a diferença?")
    assert shown(chat.say("qual dos dois é automático?")) == [3]
    assert "câmbio" in sent(chat.say("e esse tem que câmbio?"))


def test_when_none_of_those_shown_is_so_he_says_so() -> None:
    """And shows no other list."""
    answer = talk("o kicks e o tiggo, qual a diferença?").say("qual deles é híbrido?")
    assert answer.considered == ()
    assert "nenhum" in sent(answer)


def test_or_another_one_widens_the_wish() -> None:
    """`ou branco` after a colour: any of both."""
    answer = talk("carro laranja").say("ou branco")
    assert sorted(shown(answer)) == [2, 5]


def test_another_brand_is_not_that_of_the_one_shown() -> None:
    """`e de outra marca?` after the one Yaris: of its kind."""
    answer = talk("tem versa?").say("e de outra marca?")
    assert shown(answer) == [6]


def test_the_time_after_the_old_one_counts() -> None:
    """`marquei 16h, dá pra mudar pra 17?`"""
    chat = talk("tem hr-v?")
    chat.say("quero ver amanhã às 16h")
    answer = chat.say("marquei 16h, dá pra mudar pra 17?")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.hour == 17


def test_a_hello_beside_another_time_moves_the_visit() -> None:
    """`opa, melhor quinta no mesmo horário`."""
    chat = talk("tem hr-v?", "quero ver amanhã às 16h")
    answer = chat.say("opa, melhor quinta no mesmo horário")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.strftime("%a %H") == "Thu 16"


def test_a_model_and_its_price_point_at_one() -> None:
    """`o kicks de 69` is the one of 69.000."""
    assert shown(talk("suv").say("o kicks de 69, qual a cor?")) == [2]


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


@pytest.mark.parametrize(
    ("words", "said", "told"),
    [
        (("aceita troca?",), "sim", "seu carro"),
        (("suv até 150",), "sim", "utomático ou manual"),
        (("sedan",), "pode ser", "De qual deles"),
    ],
)
def test_a_yes_to_a_question_is_no_new_beginning(
    words: tuple[str, ...], said: str, told: str
) -> None:
    """What was asked is asked again, in fewer words."""
    chat = Chat(stock=Stock.build(_many()))
    for before in words:
        chat.say(before)
    answer = chat.say(said)
    assert told.lower() in sent(answer).lower() or "qual deles" in sent(answer).lower()
    assert answer.rule.startswith("yes.")


def _many() -> list[Car]:
    suvs = [car(n, "Jeep", f"Compass {n}", f"{90 + n}000") for n in range(1, 8)]
    return [*suvs, *(car(n, "Honda", f"Civic {n}", f"{60 + n}000") for n in range(11, 14))]


def test_down_payment_and_months_are_told_one_after_the_other() -> None:
    """`sim`, `10 mil`, `48`: each answers what was asked."""
    chat = talk("vocês financiam?", "sim", "10 mil")
    answer = chat.say("48")
    assert answer.understood["intent"] == "financing"
    assert answer.summary is not None
    assert "48" in answer.summary


def test_who_does_not_know_is_helped_and_in_the_end_met_by_a_person() -> None:
    """Twice he is guided, then a seller is called."""
    chat = talk("quero um carro")
    assert chat.say("não sei").rule == "guides"
    assert [chat.say("sei lá").rule, chat.say("nem sei").handoff][-1] == "stuck"


def test_a_word_for_the_hour_answers_the_question_for_the_time() -> None:
    """`umas duas`."""
    answer = talk("tem hr-v?", "quero ver amanhã à tarde").say("umas duas")
    assert answer.agenda is not None
    assert answer.agenda.appointment.at.hour == 14


def test_his_car_may_be_told_after_a_comma() -> None:
    """`leva meu carro pra avaliar também, é um gol 2014`."""
    reading = read("leva meu carro pra avaliar também, é um gol 2014", LOT, this_year=2026)
    assert reading.own_car == "gol 2014"


def test_a_car_of_a_picture_is_asked_for() -> None:
    """Lucas sees no pictures."""
    assert "modelo" in sent(talk().say("quanto custa esse da foto?"))
