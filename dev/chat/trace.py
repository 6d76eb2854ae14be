"""Puts together what happened on the way of a turn, from its rows and the processes' log lines.

Called by the chat's /trace and by the demo. Decides nothing about how it looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.values import Car
from dev.chat.rows import MessageRow, decision_of, replies_of
from worker.log import short_id

LogLine = Mapping[str, Any]

_SHOWN = 40
_MOST_CARS = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    at: datetime
    what: str
    detail: str


def steps_of(turn: Sequence[MessageRow], log: Sequence[LogLine], cars: Sequence[Car]) -> list[Step]:
    """The way of a turn in the order of time. Of a turn that is not over, what there is so far."""
    received = [row for row in turn if row.received]
    found = [
        *(step for row in received for step in _arrival(row, log)),
        *_thoughts(turn, cars),
        *_commit(turn, log),
        *(step for row in replies_of(turn) for step in _delivery(row, log)),
    ]
    return sorted(found, key=lambda step: step.at)


def _arrival(row: MessageRow, log: Sequence[LogLine]) -> Iterator[Step]:
    shown = _short(row.text or f"[{row.kind}]")
    for line in _webhooks(row, log):
        began = _at(line) - timedelta(milliseconds=float(line["ms"]))
        # The inbox's clock has whole milliseconds, so it seems to be first at times.
        yield Step(
            min(began, row.arrived_at or began), "webhook recebido", f"{line['gateway']}: {shown}"
        )
        yield Step(_at(line), "webhook respondido", f"200 em {_decimal(line['ms'])} ms")
    if row.arrived_at is not None:
        yield Step(row.arrived_at, "na fila (Redis)", f"inbox da empresa, {shown}")
    if row.stored_at is not None:
        yield Step(row.stored_at, "gravada no banco", f"mensagens.id {row.id}, turno {row.turn}")


def _thoughts(turn: Sequence[MessageRow], cars: Sequence[Car]) -> Iterator[Step]:
    decision = decision_of(turn)
    at = _decided_at(turn)
    if not decision or at is None:
        return
    if "why" in decision:
        yield Step(at, "em silêncio", str(decision["why"]))
        return
    waited = decision.get("waited_ms")
    yield Step(at, "fim da espera", f"{waited} ms desde a primeira mensagem sem resposta")
    if decision.get("understood"):
        yield Step(at, "entendeu", understood(decision["understood"]))
    considered = decision.get("considered")
    if isinstance(considered, list) and considered:
        yield Step(at, "considerou", _named(considered, cars))
    yield Step(
        at,
        "decidiu",
        f"regra {decision.get('rule')} em {decision.get('decided_us')} µs, "
        f"mensagens respondidas de uma vez: {decision.get('messages')}",
    )


def understood(value: object) -> str:
    """What was read from the messages, in one line: `search, greeting · body=suv`."""
    if not isinstance(value, dict):
        return "-"
    intents = ", ".join(map(str, value.get("intents") or [value.get("intent")]))
    filters = value.get("filters")
    wishes = filters.items() if isinstance(filters, dict) else ()
    stated = ", ".join(f"{name}={_plain(wish)}" for name, wish in wishes)
    return f"{intents} · {stated}" if stated else intents


def _commit(turn: Sequence[MessageRow], log: Sequence[LogLine]) -> Iterator[Step]:
    at = _decided_at(turn)
    if at is None:
        return
    for line in log:
        if line.get("event") == "drain done" and line.get("turns") and _at(line) >= at:
            yield Step(
                _at(line),
                "transação gravada",
                f"respostas e estado, drain de {_decimal(line['ms'])} ms",
            )
            return


def _delivery(row: MessageRow, log: Sequence[LogLine]) -> Iterator[Step]:
    if row.sent_at is not None:
        shown = _short(row.text or row.media or "")
        yield Step(row.sent_at, "entregue ao gateway", f"mensagens.id {row.id}: {shown}")
    reports = list(_webhooks(row, log))
    if reports:
        yield Step(
            _at(reports[-1]), "confirmação do gateway", f"mensagens.id {row.id} agora {row.status}"
        )
    if row.error is not None and row.stored_at is not None:
        yield Step(row.sent_at or row.stored_at, "erro", row.error)


def _webhooks(row: MessageRow, log: Sequence[LogLine]) -> Iterator[LogLine]:
    """The log lines of the webhooks that named this message, by the end of its id."""
    for line in log:
        named = line.get("message_ids") or ()
        if line.get("event") == "webhook taken" and short_id(row.external_id) in named:
            yield line


def _decided_at(turn: Sequence[MessageRow]) -> datetime | None:
    """The reply's row says it; of a turn without one, the wait does."""
    if replies := replies_of(turn):
        return replies[0].stored_at
    waited_ms = decision_of(turn).get("waited_ms")
    if isinstance(waited_ms, int) and turn[0].arrived_at is not None:
        return turn[0].arrived_at + timedelta(milliseconds=waited_ms)
    return turn[-1].stored_at if turn else None


def _named(considered: Sequence[object], cars: Sequence[Car]) -> str:
    names = {car.id: f"{car.marca} {car.modelo}" for car in cars}
    shown = [f"{names.get(int(str(id_)), '?')} (id {id_})" for id_ in considered[:_MOST_CARS]]
    more = len(considered) - len(shown)
    return ", ".join(shown) + (f" e mais {more}" if more > 0 else "")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(_plain(part) for part in value.values() if part)
    if isinstance(value, list | tuple):
        return "/".join(_plain(part) for part in value)
    return str(value)


def _at(line: LogLine) -> datetime:
    return datetime.fromisoformat(str(line["timestamp"])).astimezone(UTC)


def _decimal(number: object) -> str:
    return str(number).replace(".", ",")


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return f"“{one_line}”" if len(one_line) <= _SHOWN else f"“{one_line[: _SHOWN - 1]}…”"
