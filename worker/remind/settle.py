"""Settles one reminder: writes it as a reply, or says why there is none. Called by `writer`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import structlog

from bot.agenda.reminders import Due, ReminderKind
from bot.reminding import Occasion, Said, remind
from bot.state import load
from bot.values import Dealer, VisitKind
from bot.wording_time import at_clock, dated
from tenancy.lease import TenantConnection
from worker.details import Details
from worker.drain import conversations, messages
from worker.drain.conversations import Conversation
from worker.drain.messages import NewMessage
from worker.drain.replies import facts_of
from worker.drain.silence import end_pause
from worker.remind import rows
from worker.remind.rows import Talk, Visit

log = structlog.get_logger()

_ON_ITS_WAY = timedelta(minutes=30)
"""So long after its time a written reminder may still leave: queues, limits, an outage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What all reminders of one transaction are written with."""

    conn: TenantConnection
    dealer: Dealer
    is_on: bool
    """Whether this dealer's Lucas speaks at all."""
    now: datetime
    local: datetime
    """The same in the dealer's zone."""


async def settle(round_: Round, visit: Visit, due: Due, talk: Talk | None) -> bool | None:
    """True when a reply was written, False when none is to be, None when it has to wait."""
    if talk is None:
        return await _leave(round_, visit, due, "sem_conversa")
    conversation = await conversations.by_id(round_.conn, talk.conversation_id)
    if conversation.bot_pausado_ate is not None and conversation.bot_pausado_ate <= round_.now:
        end_pause(conversation)
    why = _why_not(round_, conversation, talk)
    if why is not None:
        return await _leave(round_, visit, due, why)
    if conversation.sem_resposta_desde is not None or await rows.is_in_mid_talk(
        round_.conn, conversation.id
    ):
        return None  # the answer that he waits for comes first
    kind = ReminderKind.GONE if _is_gone(visit, conversation) else due.kind
    if kind in visit.done:
        return await _leave(round_, visit, due, "carro_avisado")
    said = _said(round_, visit, kind, conversation)
    if said is None:
        return await _leave(round_, visit, due, "erro")
    reply = await _write(round_, visit, due, kind, conversation, said)
    for settled in {kind, due.kind}:
        await _mark(round_, visit, due, settled, reply=reply, result=kind.value)
    return True


async def _leave(round_: Round, visit: Visit, due: Due, why: str) -> bool:
    """Nothing is said, and this reminder is not looked at again."""
    log.info("reminder left out", empresa_id=round_.conn.empresa_id, agendamento_id=visit.id,
             kind=due.kind.value, why=why)  # fmt: skip
    await _mark(round_, visit, due, due.kind, reply=None, result=why)
    return False


async def _mark(
    round_: Round, visit: Visit, due: Due, kind: ReminderKind, *, reply: int | None, result: str
) -> None:
    until = due.until + _ON_ITS_WAY
    await rows.mark(
        round_.conn, visit, kind, reply=reply, result=result, until=until, now=round_.now
    )


def _why_not(round_: Round, conversation: Conversation, talk: Talk) -> str | None:
    """What keeps Lucas from reminding this buyer; None when nothing does."""
    if not round_.is_on:
        return "lucas_desligado"
    if talk.no_notices:
        return "sem_avisos"
    if conversation.status == "perdido":
        return "perdido"
    paused = conversation.bot_pausado_ate
    quiet = load(orjson.loads(conversation.estado or "{}")).quiet
    if quiet is not None or (paused is not None and paused > round_.now):
        return "pessoa"
    if conversation.canal_id is None or conversation.endereco is None:
        return "sem_canal"
    return None


def _is_gone(visit: Visit, conversation: Conversation) -> bool:
    """Whether the car is somebody else's by now. Who fetches his car, or has closed the deal, has
    it sold or reserved for himself."""
    his_own = visit.appointment.kind is VisitKind.ENTREGA or conversation.status == "fechado"
    return visit.car is not None and visit.car.status != "available" and not his_own


def _said(
    round_: Round, visit: Visit, kind: ReminderKind, conversation: Conversation
) -> Said | None:
    occasion = Occasion(
        kind=kind,
        appointment=visit.appointment,
        confirmed=visit.confirmed,
        car=visit.listing,
        buyer_name=conversation.customer_name,
        state=orjson.loads(conversation.estado or "{}"),
    )
    try:
        return remind(occasion, dealer=round_.dealer, now=round_.local)
    except Exception:  # a bug must stop one reminder, not a dealer's
        log.exception("reminder failed", empresa_id=round_.conn.empresa_id,
                      agendamento_id=visit.id)  # fmt: skip
        return None


async def _write(
    round_: Round,
    visit: Visit,
    due: Due,
    kind: ReminderKind,
    conversation: Conversation,
    said: Said,
) -> int:
    """A turn of its own, that nothing undoes; returns the id of the reply."""
    conversation.turno_anterior = None
    turn = conversation.take_turn_number()
    conversation.estado = orjson.dumps(said.state).decode()
    conversation.last_message = messages.fitting(said.bubble.text)
    conversation.last_interaction = round_.now
    if kind is ReminderKind.GONE:
        conversation.call_a_person(_for_the_seller(visit), now=round_.now)
    reply = NewMessage(
        conversation_id=conversation.id,
        customer_id=conversation.customer_id,
        tipo="enviada",
        conteudo=said.bubble.text,
        at=round_.now,
        external_id=None,
        canal_id=conversation.canal_id,
        autor="lucas",
        status="pendente",
        tipo_conteudo=said.bubble.kind.value,
        endereco=conversation.endereco,
        turno=turn,
        fatos=facts_of(said.bubble),
        decisao=_decision(visit, due, kind),
        gravada_em=round_.now,
        detalhes=Details(reminder=said.words).to_json(),
    )
    await messages.insert(round_.conn, [reply])
    number = round_.conn.last_id
    await conversations.save(round_.conn, [conversation])
    log.info("reminder written", empresa_id=round_.conn.empresa_id, agendamento_id=visit.id,
             mensagem_id=number, kind=kind.value)  # fmt: skip
    return number


def _decision(visit: Visit, due: Due, kind: ReminderKind) -> str:
    return orjson.dumps(
        {
            "rule": f"reminder.{kind}",
            "agendamento_id": visit.id,
            "data_agendada": f"{visit.appointment.at:%Y-%m-%d %H:%M}",
            "car_id": visit.appointment.car_id,
            "due": due.at.isoformat(),
        }
    ).decode()


def _for_the_seller(visit: Visit) -> str:
    at, car = visit.appointment.at, visit.car
    what = "carro" if car is None else f"{car.marca} {car.modelo}".strip()
    return (
        f"{what[:100]} não está mais disponível e o comprador vem {dated(at.date())}"
        f" {at_clock(at.time())}: combine outro carro ou horário"
    )
