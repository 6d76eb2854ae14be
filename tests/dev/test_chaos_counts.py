"""What `make chaos` counts: a book that is wrong in one way is found out, and in that way alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dev.chaos.books import Answer, Book, Copy, Received, Written
from dev.chaos.count import copies_by_row, count
from dev.chaos.ground import dealer_of
from dev.chaos.plan import How, Kind, Whom
from dev.chaos.recovery import percentile, recoveries, waits
from dev.chaos.report import Report
from dev.chaos.sizes import QUICK
from dev.chaos.strike import Struck
from dev.chaos.window import Windows

_DEALER = dealer_of(1, QUICK)
_OTHER = dealer_of(2, QUICK)
_PRICES = frozenset({_DEALER.price, _OTHER.price})
_BUYER = _DEALER.buyer(1)
_QUIET = Windows(deaths=(), wakings=(), outages=())


def _book() -> Book:
    """Three messages at 100, 110 and 120 s; each is stored, taken in a turn and answered."""
    return Book(
        dealer=_DEALER,
        written={
            f"m{n}": Written(id=f"m{n}", first_at=100.0 + 10 * n, accepted_at=101.0 + 10 * n)
            for n in range(3)
        },
        received=[
            Received(row=2 * n, conversation=1, buyer=_BUYER, text="oi", id=f"m{n}", turn=n)
            for n in range(3)
        ],
        answers=[
            Answer(row=2 * n + 1, conversation=1, buyer=_BUYER, text=f"olá {n}", id=f"r{n}",
                   turn=n, status="enviada", is_decision=True)
            for n in range(3)
        ],
        copies=[
            Copy(buyer=_BUYER, text=f"olá {n}", id=f"r{n}", row=None, at=102.0 + 10 * n,
                 unheard=False)
            for n in range(3)
        ],
    )  # fmt: skip


def _count(book: Book, windows: Windows = _QUIET) -> Report:
    return count(book, windows, prices=_PRICES)


def test_a_book_that_is_right_is_clean() -> None:
    """Otherwise no other count here says anything."""
    report = _count(_book())

    assert report.wrong() == []
    assert (report.accepted, report.stored, report.turns_expected) == (3, 3, 3)


def _lost(book: Book) -> Book:
    return replace(book, received=book.received[1:])


def _never_accepted(book: Book) -> Book:
    written = {**book.written, "m9": Written(id="m9", first_at=99.0, accepted_at=None)}
    return replace(book, written=written)


def _stored_twice(book: Book) -> Book:
    return replace(book, received=[*book.received, replace(book.received[2], row=90)])


def _decided_twice(book: Book) -> Book:
    again = replace(book.answers[2], row=91, id="r9", text="de novo")
    copy = replace(book.copies[2], id="r9", text="de novo", at=123.0)
    return replace(book, answers=[*book.answers, again], copies=[*book.copies, copy])


def _stored_in_another_order(book: Book) -> Book:
    one, two, three = book.received
    return replace(book, received=[one, replace(three, row=2), replace(two, row=4)])


def _sent_in_another_order(book: Book) -> Book:
    one, two, three = book.copies
    return replace(book, copies=[one, replace(three, at=112.0), replace(two, at=122.0)])


def _a_turn_without_answer(book: Book) -> Book:
    return replace(book, copies=book.copies[:2])


def _a_message_without_turn(book: Book) -> Book:
    return replace(book, received=[*book.received[:2], replace(book.received[2], turn=None)])


def _sent_twice(book: Book) -> Book:
    return replace(book, copies=[*book.copies, replace(book.copies[2], id="x", at=130.0)])


def _a_strangers_message(book: Book) -> Book:
    return replace(
        book, received=[*book.received[:2], replace(book.received[2], buyer=_OTHER.buyer(1))]
    )


def _another_dealers_price(book: Book) -> Book:
    price = f"{_OTHER.price:,}".replace(",", ".")
    text = f"por R$ {price}."
    return replace(
        book,
        answers=[*book.answers[:2], replace(book.answers[2], text=text)],
        copies=[*book.copies[:2], replace(book.copies[2], text=text)],
    )


def _nobodys_words(book: Book) -> Book:
    return replace(book, copies=[*book.copies, replace(book.copies[2], id="x", text="quê?")])


def _failed(book: Book) -> Book:
    return replace(book, answers=[*book.answers[:2], replace(book.answers[2], status="falhou")])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_lost, "lost: 1"),
        (_never_accepted, "never accepted: 1"),
        (_stored_twice, "doubled_rows: 1"),
        (_decided_twice, "doubled_rows: 1"),
        (_stored_in_another_order, "out_of_order: 1"),
        (_sent_in_another_order, "out_of_order: 1"),
        (_a_turn_without_answer, "turns without an answer: 1"),
        (_a_message_without_turn, "turns without an answer: 1"),
        (_sent_twice, "sends doubled: 1, allowed: 0"),
        (_a_strangers_message, "foreign: 1"),
        (_another_dealers_price, "foreign: 1"),
        (_nobodys_words, "foreign: 1"),
        (_failed, "failed_replies: 1"),
    ],
)
def test_what_is_wrong_is_counted(damage: Callable[[Book], Book], words: str) -> None:
    """One thing at a time, and nothing else with it."""
    assert _count(damage(_book())).wrong() == [words]


def test_messages_under_way_together_have_no_order() -> None:
    """The second was tried before the first had been accepted: either may be stored first."""
    book = _stored_in_another_order(_book())
    together = {**book.written, "m2": replace(book.written["m2"], first_at=110.5)}

    assert _count(replace(book, written=together)).out_of_order == 0


def test_a_withdrawn_decision_does_not_count_twice() -> None:
    """The turn was taken anew before anything had gone out."""
    book = _book()
    withdrawn = replace(book.answers[2], row=4, id=None, status="cancelada")

    assert _count(replace(book, answers=[*book.answers, withdrawn])).wrong() == []


def test_a_copy_without_an_id_is_of_the_reply_next_to_it() -> None:
    """Two replies with the same words: the copy that no row names is of the later one here."""
    book = _book()
    same = [replace(answer, text="olá") for answer in book.answers]
    copies = [replace(copy, text="olá") for copy in book.copies]
    unnamed = replace(copies[2], id="x", at=121.0)

    found = copies_by_row(replace(book, answers=same, copies=[*copies, unnamed]))

    assert [copy.id for copy in found[same[2].row]] == ["x", "r2"]


_FREEZE, _KILL = Kind(Whom.WORKER, How.FREEZE), Kind(Whom.WORKER, How.KILL)
_HOLE, _SLOW = Kind(Whom.TO_HOST, How.HOLE), Kind(Whom.TO_HOST, How.SLOW)
_WEB = Kind(Whom.WEB, How.KILL)


@pytest.mark.parametrize(
    ("kind", "since", "until", "allowed"),
    [
        (_KILL, 122.5, 123.0, 1),  # before it could be recorded
        (_KILL, 126.0, 127.0, 0),  # it was long recorded
        (_WEB, 122.5, 123.0, 0),  # a web process records no sends
        (_FREEZE, 122.5, 124.0, 1),
        (_FREEZE, 115.0, 129.0, 1),  # the second copy is what it had begun before
        (_HOLE, 115.0, 124.0, 1),  # nothing could be recorded
        (_HOLE, 110.0, 121.0, 0),
        (_SLOW, 115.0, 124.0, 0),
    ],
)
def test_only_the_documented_window_allows_a_second_copy(
    kind: Kind, since: float, until: float, allowed: int
) -> None:
    """The first copy at 122 s, the second at 130 s; the fault must explain it."""
    fault = Struck(kind=kind, since=since, until=until, empresas=frozenset({_DEALER.id}))

    report = _count(_sent_twice(_book()), Windows.of([fault], _DEALER.id))

    assert (report.sends_doubled, report.sends_doubled_allowed) == (1, allowed)


def test_a_lost_answer_allows_a_second_copy_of_its_message_alone() -> None:
    """And a fault of another empresa allows nothing here."""
    book = _sent_twice(_book())
    heard = replace(book, copies=[replace(book.copies[0], unheard=True), *book.copies[1:]])
    lost = replace(book, copies=[*book.copies[:2], replace(book.copies[2], unheard=True),
                                 book.copies[3]])  # fmt: skip
    elsewhere = Struck(kind=_KILL, since=122.5, until=123.0, empresas=frozenset({_OTHER.id}))

    assert _count(heard).sends_doubled_allowed == 0
    assert _count(lost).sends_doubled_allowed == 1
    assert _count(book, Windows.of([elsewhere], _DEALER.id)).sends_doubled_allowed == 0


def _struck(since: float, until: float) -> Struck:
    return Struck(kind=_KILL, since=since, until=until, empresas=frozenset({_DEALER.id}))


def _recoveries(struck: list[Struck]) -> list[float]:
    return [found.seconds for found in recoveries(_book(), struck)]


def test_a_recovery_lasts_from_the_faults_end_to_the_next_answer() -> None:
    """At 111.5 s the buyer of 110 s is waiting; he is answered at 112 s."""
    assert _recoveries([_struck(105.0, 111.5)]) == [0.5]


def test_a_fault_in_the_middle_puts_the_recovery_off() -> None:
    """It is measured from the end of the last, and none is left out."""
    assert _recoveries([_struck(105.0, 110.5), _struck(111.0, 111.75)]) == [0.25]


def test_where_nobody_waits_there_is_no_recovery() -> None:
    """At 115 s all have their answers; the next fault has a recovery of its own."""
    faults = [_struck(113.0, 115.0), _struck(120.5, 121.0)]

    assert _recoveries(faults) == [1.0]


def test_a_recovery_is_of_an_empresa_that_was_touched() -> None:
    """Another one's fault says nothing about this one."""
    elsewhere = replace(_struck(105.0, 111.5), empresas=frozenset({_OTHER.id}))
    assert _recoveries([elsewhere]) == []


def test_an_answer_to_a_buyer_who_wrote_since_is_a_sign_of_life_too() -> None:
    """One waits from 110 s on until 112 s; another writes at 111.6 s, and is answered before."""
    book = _book()
    soon = Written(id="m9", first_at=111.6, accepted_at=111.6)
    other = replace(book.received[0], id="m9", buyer=_DEALER.buyer(2))
    answered = replace(book.copies[1], id="r9", buyer=_DEALER.buyer(2), at=111.75)
    copies = sorted([*book.copies, answered], key=lambda copy: copy.at)
    book = replace(book, written={**book.written, "m9": soon}, copies=copies,
                   received=[*book.received, other])  # fmt: skip

    assert [found.seconds for found in recoveries(book, [_struck(105.0, 111.5)])] == [0.25]
    assert waits(book) == [2.0, 2.0, 2.0, pytest.approx(0.15)]


def test_percentiles_are_values_that_were_measured() -> None:
    """No interpolation: the 99th of few is the largest."""
    assert percentile([], 0.99) == 0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([float(n) for n in range(1, 201)], 0.99) == 198.0
