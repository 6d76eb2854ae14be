"""Keeps Lucas from talking over a person, and brings him back. Called by intake and changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import orjson

from bot.state import load, resumed
from tenancy.lease import TenantConnection
from worker.drain.arrival import IntakeRules
from worker.drain.conversations import Conversation

BOT_OFF = "bot_ativo=0"
_CALL = "#lucas"
_LOST_ITS_HOLD = "human"
"""What the buyer asked for was a person; one came, and has left. An opt-out or a complaint stands
until somebody says otherwise."""
_SINCE_THE_LAST_WORD = """
    SELECT m.id FROM mensagens m
     WHERE m.conversation_id = %(id)s AND m.tipo = 'recebida' AND m.turno IS NOT NULL
       AND m.apagada_em IS NULL AND m.timestamp > %(after)s
       AND m.id > (SELECT COALESCE(MAX(s.id), 0) FROM mensagens s
                    WHERE s.conversation_id = %(id)s AND s.tipo = 'enviada'
                      AND s.turno IS NOT NULL AND COALESCE(s.status, '') <> 'cancelada')
"""
_ANSWER = "UPDATE mensagens SET turno = %(turn)s, decisao = NULL WHERE id IN %(ids)s"


def silent(reason: str) -> str:
    """Why nobody answers, as JSON for `mensagens.decisao`."""
    return orjson.dumps({"rule": "silent", "why": reason}).decode()


def why_silent(conversation: Conversation, rules: IntakeRules, now: datetime) -> str | None:
    """What keeps Lucas from answering this buyer now; None when nothing does."""
    if not rules.dealer.bot_ativo:
        return BOT_OFF
    paused = conversation.bot_pausado_ate
    if paused is not None and paused > now:
        by = conversation.bot_pausado_por or "uma pessoa"
        return f"pausado por {by} até {paused:%d/%m/%Y %H:%M} UTC"
    return None


def human_sign(conversation: Conversation, at: datetime, rules: IntakeRules) -> int:
    """A person acts by hand at `at`: what the buyer asked is his now. Returns his turn's number.

    The caller withdraws the replies that are not yet out.
    """
    turn = conversation.take_turn_number()
    conversation.turno_anterior = None
    conversation.fresh = None
    conversation.atencao = conversation.atencao_em = None
    until = rules.paused_until(at)
    conversation.bot_pausado_ate = max(until, conversation.bot_pausado_ate or until)
    conversation.bot_pausado_por = "vendedor"
    return turn


def calls_lucas(text: str | None) -> bool:
    """Whether a seller's words give the conversation back."""
    return (text or "").strip().casefold() == _CALL


def give_back(conversation: Conversation) -> None:
    """Lucas may speak again at once, whatever kept him quiet."""
    conversation.bot_pausado_ate = conversation.bot_pausado_por = None
    conversation.atencao = conversation.atencao_em = None
    if conversation.estado:
        conversation.estado = _dumped(resumed(orjson.loads(conversation.estado)))


def end_pause(conversation: Conversation) -> None:
    """The pause has run out: a buyer who had asked for a person is Lucas's again."""
    if conversation.bot_pausado_ate is None or not conversation.estado:
        return
    state = orjson.loads(conversation.estado)
    if load(state).quiet == _LOST_ITS_HOLD:
        conversation.estado = _dumped(resumed(state))
        conversation.bot_pausado_ate = conversation.bot_pausado_por = None


async def answer_the_waiting(
    conn: TenantConnection,
    conversations: Iterable[Conversation],
    *,
    rules: IntakeRules,
    now: datetime,
) -> None:
    """What these buyers wrote since the last word of the shop gets its turn at once."""
    for conversation in conversations:
        after = now - timedelta(hours=rules.lucas.too_old_h)
        rows = await conn.fetch_all(_SINCE_THE_LAST_WORD, {"id": conversation.id, "after": after})
        if not rows or why_silent(conversation, rules, now) is not None:
            continue
        told = {"turn": conversation.turno + 1, "ids": [row[0] for row in rows]}
        await conn.execute(_ANSWER, told)
        conversation.fresh = None
        conversation.sem_resposta_desde = conversation.sem_resposta_desde or now
        conversation.responder_em = conversation.responder_em or now


def _dumped(state: dict[str, object]) -> str:
    return orjson.dumps(state).decode()
