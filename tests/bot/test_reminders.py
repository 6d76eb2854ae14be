"""When buyers are reminded, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agenda.reminders import AHEAD, Due, ReminderKind, reminders
from bot.lucas import decide
from bot.profile import Profile
from bot.reminding import Occasion, Said, remind
from bot.stock import Listing, Stock
from bot.values import Appointment, Car, Dealer, Incoming, Turn, VisitKind
from schema.events import EventKind

ZONE = ZoneInfo("America/Sao_Paulo")
VISIT = datetime(2026, 11, 26, 15, tzinfo=ZONE)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DEALER = Dealer(nome="Loja 1", endereco="Rua A, 10, Campinas - SP", horario="seg a sab 9h-18h")

_visits = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(ZoneInfo("America/Santiago")),
)


def of(visit: datetime, *, agreed: datetime = LONG_AGO, number: int = 1) -> list[Due]:
    """With the settings that hold by default."""
    profile = Profile()
    least = timedelta(hours=profile.lembrete_minimo_h)
    hour = profile.lembrete_vespera_h
    return list(reminders(visit, number=number, agreed=agreed, evening_h=hour, least=least))


@given(visit=_visits, number=st.integers(0, 10**9), hours_ago=st.floats(0, 400))
def test_reminders_come_at_decent_times(visit: datetime, number: int, hours_ago: float) -> None:
    """Whatever the appointment: the evening is 18 to 20 of the day before, the other one between
    7:00 and half an hour before; never soon after it was agreed, never before it comes near."""
    agreed = visit.astimezone(UTC) - timedelta(hours=hours_ago)
    for due in of(visit, agreed=agreed, number=number):
        assert due.at < due.until
        assert due.at - agreed >= timedelta(hours=3)
        assert visit.astimezone(UTC) - due.at <= AHEAD
        if due.kind is ReminderKind.EVENING:
            assert due.at.date() == visit.date() - timedelta(days=1)
            assert time(18) <= due.at.time() < due.until.time() == time(20)
        else:
            assert due.at.date() == visit.date()
            assert due.at.time() >= time(7)
            assert visit.astimezone(UTC) - due.until == timedelta(minutes=30)


def test_the_evenings_reminders_are_spread() -> None:
    """A dealer with many visits does not write to all buyers in one minute."""
    minutes = {of(VISIT, number=number)[0].at.replace(second=0) for number in range(50)}

    assert len(minutes) > 25


def test_a_visit_at_opening_time_is_reminded_of_in_the_morning() -> None:
    """Two hours before 8:00 people sleep."""
    (_, hours) = of(VISIT.replace(hour=8))

    assert hours.at.time() == time(7)


@pytest.mark.parametrize("kind", [ReminderKind.EVENING, ReminderKind.HOURS, ReminderKind.GONE])
def test_no_text_twice_word_for_word(kind: ReminderKind) -> None:
    """The same buyer, the same appointment, again and again: each time other words."""
    texts: list[str | None] = []
    state: dict[str, object] = {"greeted": True}
    for _ in range(6):
        said = say(kind, state=state)
        texts.append(said.bubble.text)
        state = said.state

    assert len(set(texts)) == 6


@pytest.mark.parametrize("visit", VisitKind)
@pytest.mark.parametrize("model", ["Argo", "Strada"])
def test_the_words_are_right(visit: VisitKind, model: str) -> None:
    """Kind, car with its article, day and time; no template's brace is left."""
    item = car(model)
    for number in range(12):
        evening = text_of(say(ReminderKind.EVENING, visit=visit, item=item, number=number))
        hours = text_of(say(ReminderKind.HOURS, visit=visit, item=item, number=number))
        for text in (evening, hours):
            named = f"{'a' if model == 'Strada' else 'o'} Fiat {model}"
            assert named in text
            assert "às 15h" in text
            assert "{" not in text
            assert ("seu test drive" if visit is VisitKind.TEST_DRIVE else "sua ") in text
        assert "amanhã, quinta-feira, 26/11" in evening


@pytest.mark.parametrize(
    ("status", "model", "words"),
    [
        ("sold", "Argo", "foi vendido"),
        ("sold", "Strada", "foi vendida"),
        ("reserved", "Strada", "está reservada para outra pessoa"),
    ],
)
def test_a_car_that_is_gone_is_told_honestly(status: str, model: str, words: str) -> None:
    """With the fact that is stated, so that the delivery can look whether it is still so."""
    for number in range(6):
        said = say(ReminderKind.GONE, item=car(model, status), number=number)

        assert words in text_of(said)
        assert [fact.status for fact in said.bubble.facts] == [status]


def test_a_first_word_says_whose_it_is() -> None:
    """A buyer whom only people have talked with so far does not know Lucas."""
    assert text_of(say(ReminderKind.EVENING, state={})).startswith(
        "Oi, Rui! Aqui é o Lucas, da Loja 1."
    )
    assert "Aqui é" not in text_of(say(ReminderKind.EVENING, state={"greeted": True}))


def test_a_yes_after_it_is_no_answer_to_an_older_question() -> None:
    """Lucas had offered photos the day before; `sim` now means the appointment."""
    said = say(ReminderKind.HOURS, state={"greeted": True, "pending": "photos", "focus": 1})
    decision = decide(
        Turn(
            messages=(Incoming(kind=EventKind.TEXT, text="sim"),),
            state=said.state,
            appointment=Appointment(kind=VisitKind.VISITA, at=VISIT, id=1),
        ),
        stock=Stock.build([car("Argo").car]),
        dealer=DEALER,
        now=VISIT - timedelta(hours=1),
    )

    assert not [bubble for bubble in decision.bubbles if bubble.media_url]
    assert decision.rule == "visit.confirm"


def say(
    kind: ReminderKind,
    *,
    visit: VisitKind = VisitKind.VISITA,
    item: Listing | None = None,
    number: int = 1,
    state: dict[str, object] | None = None,
) -> Said:
    """One reminder of VISIT."""
    item = item or car("Argo", "sold" if kind is ReminderKind.GONE else "available")
    days = 0 if kind is ReminderKind.HOURS else 1
    return remind(
        Occasion(
            kind=kind,
            appointment=Appointment(kind=visit, at=VISIT, id=number),
            confirmed=False,
            car=item,
            buyer_name="Rui Prado",
            state=state or {},
        ),
        dealer=DEALER,
        now=VISIT - timedelta(days=days, hours=2),
    )


def text_of(said: Said) -> str:
    """What the buyer reads."""
    return said.bubble.text or ""


def car(model: str, status: str = "available") -> Listing:
    """A Fiat."""
    row = Car(
        id=1, marca="Fiat", modelo=model, ano=2020, ano_modelo=2021, preco=Decimal(50000), km=1,
        cor=None, combustivel=None, cambio=None, descricao=None, status=status,
    )  # fmt: skip
    found = Stock.build([row]).known(1)
    assert found is not None
    return found
