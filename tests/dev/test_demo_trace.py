"""What /trace tells of a turn, from its rows and the processes' log lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.values import Car
from dev.chat.rows import MessageRow, replies_of, turn_of
from dev.chat.trace import steps_of

_START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _after(ms: int) -> datetime:
    return _START + timedelta(milliseconds=ms)


def _asked(*, turn: int = 1, decision: dict[str, object] | None = None) -> MessageRow:
    return MessageRow(
        id=1, conversation_id=1, received=True, author="comprador", turn=turn, status=None,
        kind="text", text="tem onix?", media=None, external_id="in-1", car_ids=(),
        decision=decision, error=None, arrived_at=_after(5), stored_at=_after(12), sent_at=None,
    )  # fmt: skip


def _reply(number: int, *, status: str = "entregue", turn: int = 1) -> MessageRow:
    decision: dict[str, object] = {
        "rule": "search.found",
        "understood": {"intents": ["search"], "filters": {"color": ["azul"]}},
        "considered": [3], "messages": 1, "waited_ms": 1500, "decided_us": 700,
    }  # fmt: skip
    return MessageRow(
        id=number, conversation_id=1, received=False, author="lucas", turn=turn, status=status,
        kind="text", text="Tenho sim!", media=None, external_id=f"out-{number}", car_ids=(3,),
        decision=decision, error=None, arrived_at=None, stored_at=_after(1505),
        sent_at=_after(1540) if status != "pendente" else None,
    )  # fmt: skip


def _line(event: str, at_ms: int, **more: object) -> dict[str, object]:
    return {"event": event, "timestamp": _after(at_ms).isoformat(), "ms": 2.5, **more}


_CAR = Car(
    id=3, marca="Chevrolet", modelo="Onix", ano=2020, ano_modelo=2021, preco=Decimal(60000), km=1,
    cor="Azul", combustivel="Flex", cambio="Manual", descricao=None,
)  # fmt: skip
_LOG = [
    _line("webhook taken", 7, gateway="cloud_api", message_ids=["in-1"]),
    _line("drain done", 20, turns=0),
    _line("drain done", 1510, turns=0),
    _line("drain done", 1520, turns=1),
    _line("webhook taken", 1550, gateway="cloud_api", message_ids=["out-2"]),
]


def test_a_turn_is_told_from_the_webhook_to_the_delivery() -> None:
    """Each step once, in the order of time, with what was understood and which cars were seen."""
    steps = steps_of([_asked(), _reply(2)], _LOG, [_CAR])

    assert [step.what for step in steps] == [
        "webhook recebido", "na fila (Redis)", "webhook respondido", "gravada no banco",
        "fim da espera", "entendeu", "considerou", "decidiu", "transação gravada",
        "entregue ao gateway", "confirmação do gateway",
    ]  # fmt: skip
    told = {step.what: step.detail for step in steps}
    assert told["entendeu"] == "search · color=azul"
    assert told["considerou"] == "Chevrolet Onix (id 3)"
    assert "search.found em 700 µs" in told["decidiu"]
    committed = next(step for step in steps if step.what == "transação gravada")
    assert committed.at == _after(1520)


def test_a_turn_without_an_answer_is_told_too() -> None:
    """The why of a silence, at the time of the decision."""
    why: dict[str, object] = {"rule": "quiet.human", "waited_ms": 1500, "decided_us": 9}
    steps = steps_of([_asked(decision=why)], _LOG[:1], [])
    assert (steps[-1].what, steps[-1].at) == ("decidiu", _after(1505))

    paused: dict[str, object] = {"rule": "silent", "why": "pausado por vendedor"}
    steps = steps_of([_asked(decision=paused)], _LOG[:1], [])
    assert (steps[-1].what, steps[-1].detail) == ("em silêncio", "pausado por vendedor")


def test_a_turn_on_its_way_is_told_as_far_as_it_came() -> None:
    """Nothing is shown that has not happened."""
    assert steps_of([], _LOG, []) == []
    steps = steps_of([_asked(), _reply(2, status="pendente")], _LOG[:2], [_CAR])
    assert steps[-1].what == "decidiu"


def test_a_turn_holds_its_own_messages_only() -> None:
    """Neither another turn's nor a withdrawn reply belongs to the answer."""
    rows = [_asked(), _reply(2, status="cancelada"), _reply(3), _reply(4, turn=2)]
    turn = turn_of(rows, "in-1")
    assert [row.id for row in turn] == [1, 2, 3]
    assert [row.id for row in replies_of(turn)] == [3]
    assert turn_of(rows, "unknown") == []
