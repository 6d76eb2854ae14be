"""What Lucas promises to a buyer and to the dealer."""

from __future__ import annotations

import re

import pytest

from bot.stock import Stock
from bot.values import Dealer
from tests.bot.showroom import CARS, DEALER, Chat, car, images, sent, shown


def test_he_greets_with_the_dealers_name_once() -> None:
    """The first answer says whose Lucas this is; later ones do not say it again."""
    chat = Chat()

    assert "Lucas, assistente virtual da Ipê Automóveis" in sent(chat.say("oi"))
    assert "Ipê Automóveis" not in sent(chat.say("tem versa?"))


def test_a_first_question_is_greeted_and_answered_at_once() -> None:
    """A hello does not cost the buyer a turn."""
    decision = Chat().say("tem versa?")

    assert "Lucas, assistente virtual da Ipê Automóveis" in sent(decision)
    assert shown(decision) == [4]


def test_a_price_is_written_the_brazilian_way() -> None:
    """R$ 82.500,50: with thousands and cents."""
    assert "R$ 82.500,50" in sent(Chat().say("peugeot 2008"))


def test_cars_come_by_price_and_four_of_many() -> None:
    """Without a wish: some of the stock, the cheapest first, and a question for the budget."""
    decision = Chat().say("o que vocês têm?")

    assert shown(decision) == [7, 6, 1, 4]
    assert len(decision.considered) == 10
    assert "gastar" in sent(decision) or "faixa de preço" in sent(decision)


def test_every_car_shown_carries_its_price_as_a_fact() -> None:
    """Delivery can see whether what is said is still true."""
    decision = Chat().say("cronos")
    facts = [fact for bubble in decision.bubbles for fact in bubble.facts]

    assert [(fact.car_id, fact.preco, fact.status) for fact in facts] == [
        (1, CARS[0].preco, "available"),
        (2, CARS[1].preco, "available"),
    ]


@pytest.mark.parametrize(
    ("model", "number", "word"), [("kicks", 8, "vendido"), ("honda city", 9, "reservado")]
)
def test_a_car_that_is_gone_is_never_offered(model: str, number: int, word: str) -> None:
    """Asked for by name: that it is gone, never its price; the nearest are called alternatives."""
    decision = Chat().say(f"tem {model}?")

    assert word in sent(decision)
    assert "alternativa" in sent(decision)
    assert number not in shown(decision)
    assert decision.considered == ()
    assert CARS[number - 1].preco != 0
    assert f"{int(CARS[number - 1].preco) // 1000}." not in sent(decision)


def test_no_match_is_said_honestly() -> None:
    """A model that the dealer does not have: said so, alternatives of the same body."""
    decision = Chat().say("tem corolla?")

    assert re.search("não temos|não tenho", sent(decision))
    assert shown(decision)[0] in (1, 2, 4)
    assert decision.considered == ()


def test_a_wish_is_narrowed_turn_by_turn() -> None:
    """Each turn adds to the wish; a named model starts a new one."""
    chat = Chat()

    assert shown(chat.say("tem sedan?")) == [1, 4, 2]
    assert shown(chat.say("só automático")) == [4, 2]
    assert shown(chat.say("até 75")) == [4]
    assert shown(chat.say("tem duster?")) == [10]


def test_cheaper_keeps_the_wish_below_what_was_shown() -> None:
    """`tem mais barato?`: the same body, below the cheapest shown, another model if need be."""
    chat = Chat()
    chat.say("cronos precision")

    assert shown(chat.say("tem mais barato?")) == [1, 4]


def test_a_bare_number_answers_the_question_for_the_budget() -> None:
    """`75` after being asked is a ceiling of 75 thousand."""
    chat = Chat()
    chat.say("o que vocês têm?")

    assert shown(chat.say("75")) == [7, 6, 1, 4]


@pytest.mark.parametrize(
    ("pointer", "number"),
    [
        ("o primeiro", 1), ("o segundo", 4), ("o do meio", 4), ("o último", 2),
        ("o branco", 2), ("o de 74", 4), ("o mais barato", 1), ("o precision", 2), ("3", 2),
    ],
)  # fmt: skip
def test_pointers_mean_the_cars_shown(pointer: str, number: int) -> None:
    """The buyer points at the list as it was shown: 1, 4, 2."""
    chat = Chat()
    chat.say("tem sedan?")

    assert shown(chat.say(pointer)) == [number]


def test_a_quoted_bubble_points_at_its_car() -> None:
    """An answer to a quoted car is about that car."""
    chat = Chat()
    chat.say("o que vocês têm?")

    assert "cinza" in sent(chat.say("qual a cor?", quoted=4))


def test_details_come_from_the_columns_and_the_advertisement() -> None:
    """Known facts are told, unknown ones are to be checked, none is invented."""
    chat = Chat()
    chat.say("cronos drive")
    decision = chat.say("ipva tá pago? qual a km? tem laudo?")

    assert "50.000 km" in sent(decision)
    assert "IPVA 2026 pago" in sent(decision)
    assert re.search("vou confirmar", sent(decision), re.IGNORECASE)
    assert shown(decision) == [1]


def test_an_unknown_mileage_is_to_be_checked() -> None:
    """The column is empty: no number is made up."""
    said = sent(Chat().say("quantos km tem o fox?"))

    assert "vou confirmar" in said.lower()
    assert " km" not in said.lower()


def test_the_same_question_is_asked_of_another_car() -> None:
    """`e o branco?` after a question of the colourless kind repeats it."""
    chat = Chat()
    chat.say("tem cronos?")
    chat.say("o prata tem ipva pago?")
    decision = chat.say("e o branco?")

    assert decision.understood["intent"] == "details"
    assert shown(decision) == [2]
    assert "IPVA" in sent(decision)


def test_an_automated_gearbox_is_not_passed_off_as_automatic() -> None:
    """It counts as automatic in a search; asked about, it is called what it is."""
    chat = Chat()
    assert 7 in shown(chat.say("hatch automático"))
    assert "automatizado" in sent(chat.say("o fox é automático?"))


def test_photos_are_images_in_order_and_at_most_five() -> None:
    """A flood of photos helps nobody."""
    decision = Chat().say("manda foto da toro")

    assert [image.media_url for image in images(decision)] == list("abcde")


def test_missing_photos_are_admitted() -> None:
    """No photo: said so, no image sent."""
    decision = Chat().say("tem foto do c3?")

    assert images(decision) == []
    assert re.search("não tenho fotos|sem fotos", sent(decision))


def test_yes_means_what_was_offered_last() -> None:
    """`Quer ver as fotos?` `sim`."""
    chat = Chat()
    chat.say("tem versa?")

    assert len(images(chat.say("sim"))) == 1


def test_features_are_looked_for_in_the_advertisements() -> None:
    """`tem carro 4x4?`: those whose advertisement or name says so; else that nobody knows."""
    assert shown(Chat().say("tem carro 4x4?")) == [5, 11]
    unknown = Chat().say("quero um carro com teto solar")
    assert unknown.rule == "search.feature_unknown"
    assert "confirmo com a equipe" in sent(unknown)


def test_he_says_honestly_what_he_is() -> None:
    """Asked whether he is a robot he does not deny it; the store's phone is the dealer's."""
    assert "assistente virtual" in sent(Chat().say("vc é robô?"))
    assert "(62) 3555-0110" in sent(Chat().say("qual o telefone de vocês?"))


def test_address_and_hours_are_the_dealers_or_to_be_checked() -> None:
    """Both asked at once are both answered; unknown ones are not invented."""
    known = sent(Chat().say("onde fica e que horas abre?"))
    assert "Setor Bueno" in known
    assert "8h30-18h30, sáb 8h-14h" in known
    unknown = Chat(dealer=Dealer(nome="Ipê")).say("onde fica?")
    assert "vou confirmar" in sent(unknown).lower()


@pytest.mark.parametrize(
    ("text", "status", "handoff"),
    [
        ("tem versa?", "em_andamento", None),
        ("quero falar com um vendedor", "em_andamento", "human"),
        ("vocês são uma vergonha", "em_andamento", "complaint"),
        ("faz o versa por 70 mil?", "negociando", "offer"),
        ("o versa fica quanto em 48x?", "negociando", "financing"),
        ("vou ficar com o versa", "negociando", "buy"),
        ("quero fazer um test drive no versa", "em_andamento", None),
        ("tenho um gol 2012, pega na troca?", "negociando", None),
        ("vocês financiam?", "em_andamento", None),
        ("não quero mais receber mensagem", "perdido", None),
    ],
)
def test_status_and_hand_over_follow_the_rules(text: str, status: str, handoff: str | None) -> None:
    """A person is called in where only a person can decide."""
    decision = Chat().say(text)

    assert (decision.status, decision.handoff) == (status, handoff)
    assert decision.bubbles


def test_a_running_negotiation_and_a_closed_sale_stay_what_they_are() -> None:
    """Lucas never takes back `negociando` and never touches `fechado`."""
    assert Chat(status="negociando").say("oi").status == "negociando"
    assert Chat(status="fechado").say("vou levar o versa").status == "fechado"


@pytest.mark.parametrize("text", ["quero falar com uma pessoa", "que vergonha de loja", "SAIR"])
def test_he_keeps_quiet_afterwards(text: str) -> None:
    """After a person was called, or an opt-out, not a word more."""
    chat = Chat()
    assert chat.say(text).bubbles
    again = chat.say("tem versa?")

    assert again.bubbles == ()
    assert again.rule.startswith("quiet.")


def test_nothing_is_promised_about_money() -> None:
    """No discount, rate, instalment or approval comes from Lucas."""
    chat = Chat()
    chat.say("versa")
    for text in (
        "tem desconto?",
        "qual o juros?",
        "aprova negativado?",
        "quanto pagam no meu gol?",
    ):
        said = sent(chat.say(text))
        assert "%" not in said
        assert not re.search(r"R\$ (?!74\.900\b)", said)


def test_another_dealers_stock_is_none_of_his_business() -> None:
    """Only this dealer's cars are known."""
    decision = Chat().say("quais carros a Vitória Veículos tem?")

    assert decision.rule == "off_topic"
    assert shown(decision) == []


def test_several_messages_are_one_answer() -> None:
    """Three messages, one turn, one bubble."""
    decision = Chat().say("oi", "tem sedan", "automatico até 75 mil")

    assert shown(decision) == [4]
    assert len(decision.bubbles) == 1


def test_a_voice_message_is_asked_for_in_writing() -> None:
    """What cannot be heard is not guessed; the memory stays."""
    chat = Chat()
    chat.say("versa")
    assert re.search("escrev|escrito|digit", sent(chat.say(None)))
    assert "cinza" in sent(chat.say("qual a cor?"))


def test_he_never_repeats_himself_word_for_word() -> None:
    """The same question five times gets five wordings."""
    chat = Chat()
    said = [sent(chat.say("tem versa?")) for _ in range(5)]

    assert len(set(said)) == 5


def test_not_understanding_ends_with_a_person() -> None:
    """One more question, then a person is offered, then called."""
    chat = Chat()
    rules = [chat.say("asdf qwer").rule for _ in range(3)]

    assert rules == ["unclear.ask", "unclear.offer", "unclear.person"]


def test_odd_rows_of_a_dealers_table_do_no_harm() -> None:
    """Empty models, no years, no price, adjectives before the name: real tables have them."""
    stock = Stock.build(
        (
            car(1, "", "", "0", ano=None, ano_modelo=None, km=None, cor=None, cambio=None),
            car(2, "FIAT", "Novo Uno Vivace", "30000"),
            car(3, "Chevrolet", "Chevrolet Onix LT", "50000"),
        )
    )  # fmt: skip
    chat = Chat(stock=stock, dealer=DEALER)

    assert "valor a confirmar" in sent(chat.say("que carros vocês têm?"))
    assert shown(chat.say("tem uno?")) == [2]
    assert shown(chat.say("tem onix?")) == [3]
    assert shown(chat.say("quero um carro novo")) != [2]
