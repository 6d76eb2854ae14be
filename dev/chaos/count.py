"""Counts one empresa's book: what is lost, doubled, out of order, unanswered. Called by `run`.

Pure, so that each count can be tested on a book that was written to be wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from dev.chaos.books import Answer, Book, Copy
from dev.chaos.report import Report
from dev.chaos.window import Windows

_GOES_OUT = frozenset({"enviada", "entregue", "lida"})


def count(book: Book, windows: Windows, *, prices: frozenset[int]) -> Report:
    """Everything but the times of recovery. `prices`: those of all empresas."""
    report = Report()
    accepted = {m.id for m in book.written.values() if m.accepted_at is not None}
    stored = Counter(message.id for message in book.received)
    by_row = copies_by_row(book)
    report.written = len(book.written)
    report.accepted = len(accepted)
    report.stored = len(stored)
    report.lost = len(accepted - stored.keys())
    report.doubled_rows = stored.total() - len(stored) + _decided_twice(book.answers)
    report.out_of_order = _stored_out_of_order(book) + _sent_out_of_order(book.answers, by_row)
    turns = _turns(book)
    answered = {(a.conversation, a.turn) for a in book.answers if by_row.get(a.row)}
    report.turns_expected = len(turns)
    report.turns_answered = len(turns & answered)
    report.failed_replies = sum(answer.status == "falhou" for answer in book.answers)
    for copies in by_row.values():
        report.sends_doubled += len(copies) - 1
        report.sends_doubled_allowed += windows.allowed(copies)
    known = sum(len(copies) for copies in by_row.values())
    report.foreign = book.strangers(prices) + len(book.copies) - known
    return report


def copies_by_row(book: Book) -> Mapping[int, Sequence[Copy]]:
    """Which messages on the phones are of which reply, each reply's in the order of arrival.

    A gateway that is not given our reference names a message by its own id, which the row has of
    one copy at most; another copy is told by its words, and is of the reply next to it in time.
    """
    found: dict[int, list[Copy]] = defaultdict(list)
    rows = {answer.id: answer.row for answer in book.answers if answer.id is not None}
    unnamed: list[Copy] = []
    for copy in book.copies:
        row = copy.row if copy.row is not None else rows.get(copy.id)
        if row is None:
            unnamed.append(copy)
        else:
            found[row].append(copy)
    for copy in unnamed:
        same = [a for a in book.answers if (a.buyer, a.text) == (copy.buyer, copy.text)]
        if same:
            found[_nearest(copy, same, found)].append(copy)
    return {row: sorted(copies, key=lambda copy: copy.at) for row, copies in found.items()}


def _nearest(copy: Copy, answers: Sequence[Answer], found: Mapping[int, Sequence[Copy]]) -> int:
    """One without any copy went out with this one, if it went out at all."""

    def distance(answer: Answer) -> float:
        times = [abs(other.at - copy.at) for other in found.get(answer.row, ())]
        return min(times, default=0.0 if answer.status in _GOES_OUT else float("inf"))

    return min(answers, key=distance).row


def _turns(book: Book) -> set[tuple[int, int | str]]:
    """What must be answered. A message that no turn has taken is one of its own."""
    return {
        (message.conversation, message.turn if message.turn is not None else message.id)
        for message in book.received
    }


def _decided_twice(answers: Iterable[Answer]) -> int:
    """Decisions beyond one of a turn; a withdrawn one does not count."""
    decisions = Counter(
        (answer.conversation, answer.turn)
        for answer in answers
        if answer.is_decision and answer.status != "cancelada"
    )
    return decisions.total() - len(decisions)


def _stored_out_of_order(book: Book) -> int:
    """Messages stored after a later one of the same buyer. Later is what was first tried after the
    other had been accepted: messages under way together have no order."""
    newest: dict[str, float] = {}
    wrong = 0
    for message in book.received:
        written = book.written.get(message.id)
        if written is None:
            continue
        accepted_at = float("inf") if written.accepted_at is None else written.accepted_at
        wrong += accepted_at < newest.get(message.buyer, 0.0)
        newest[message.buyer] = max(newest.get(message.buyer, 0.0), written.first_at)
    return wrong


def _sent_out_of_order(answers: Iterable[Answer], copies: Mapping[int, Sequence[Copy]]) -> int:
    """Replies whose first copy reached the phone before that of an older reply."""
    newest: dict[int, float] = {}
    wrong = 0
    for answer in answers:
        if not copies.get(answer.row):
            continue
        first_at = copies[answer.row][0].at
        wrong += first_at < newest.get(answer.conversation, 0.0)
        newest[answer.conversation] = max(newest.get(answer.conversation, 0.0), first_at)
    return wrong
