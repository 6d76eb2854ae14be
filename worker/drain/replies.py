"""What becomes of a decision: the conversation moves on, replies get rows, the turn is explained.

Called by `worker.drain.turns`; nothing here asks the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from bot.values import AgendaChange, Bubble, Decision, Incoming
from worker.clock import to_ms
from worker.details import Details
from worker.drain.conversations import Conversation
from worker.drain.messages import NewMessage, fitting
from worker.drain.pieces import pieces
from worker.drain.undo import remember_turn


def why_of(
    decision: Decision,
    conversation: Conversation,
    told: Sequence[Incoming],
    took_us: tuple[int, int],
    now: datetime,
) -> str:
    """The turn's explanation, as JSON for `mensagens.decisao`. `took_us`: loading, deciding."""
    since = conversation.sem_resposta_desde
    change = decision.agenda
    return orjson.dumps(
        {
            "rule": decision.rule,
            "understood": decision.understood,
            "considered": decision.considered,
            "fell_out": decision.fell_out,
            "asks": decision.asks,
            "handoff": decision.handoff,
            "agenda": None if change is None else _agenda(change),
            "opt_out": decision.opt_out,
            "messages": len(told),
            "waited_ms": None if since is None else to_ms(now) - to_ms(since),
            "loaded_us": took_us[0],
            "decided_us": took_us[1],
        }
    ).decode()


def _agenda(change: AgendaChange) -> dict[str, object]:
    wanted = change.appointment
    return {
        "action": change.action,
        "tipo": wanted.kind,
        "data_agendada": f"{wanted.at:%Y-%m-%d %H:%M}",
        "car_id": wanted.car_id,
    }


def apply(
    decision: Decision, conversation: Conversation, why: str, now: datetime
) -> list[NewMessage]:
    """Moves the conversation on and makes the rows of its replies."""
    memory = remember_turn(conversation, leaves=decision.status)
    conversation.turno_anterior = memory if decision.bubbles else None
    turn = conversation.take_turn_number()
    conversation.estado = orjson.dumps(decision.state).decode()
    if conversation.status != decision.status:
        conversation.status = conversation.status_anotado = decision.status
    bubbles = [piece for bubble in decision.bubbles for piece in pieces(bubble)]
    for bubble in bubbles:
        conversation.last_message = fitting(bubble.text or f"[{bubble.kind}]")
        conversation.last_interaction = now
    return [
        NewMessage(
            conversation_id=conversation.id,
            customer_id=conversation.customer_id,
            tipo="enviada",
            conteudo=bubble.text,
            at=now,
            external_id=None,
            canal_id=conversation.canal_id,
            autor="lucas",
            status="pendente",
            tipo_conteudo=bubble.kind.value,
            midia=bubble.media_url,
            endereco=conversation.endereco,
            turno=turn,
            fatos=facts_of(bubble),
            decisao=why if place == 0 else None,
            gravada_em=now,
            detalhes=_details(bubble),
        )
        for place, bubble in enumerate(bubbles)
    ]


def _details(bubble: Bubble) -> str | None:
    if not (bubble.options or bubble.button or bubble.location or bubble.file_name):
        return None  # nearly all of them
    return Details(
        options=bubble.options,
        button=bubble.button,
        location=bubble.location,
        file_name=bubble.file_name,
    ).to_json()


def facts_of(bubble: Bubble) -> str | None:
    """What a bubble states, as JSON for `mensagens.fatos`."""
    if not bubble.facts:
        return None
    facts: list[dict[str, Any]] = [
        {
            "car_id": fact.car_id,
            "preco": None if fact.preco is None else str(fact.preco),
            "status": fact.status,
            "ano": fact.ano,
            "ano_modelo": fact.ano_modelo,
            "km": fact.km,
        }
        for fact in bubble.facts
    ]
    return orjson.dumps(facts).decode()
