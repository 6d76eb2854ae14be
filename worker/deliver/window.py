"""What becomes of a reply that comes after the 24-hour window has shut. Called by `sender`.

Example: a dealer's database was away for a day. Free text would be refused; a template that Meta
has approved may go out in its place, once; else a person is asked to take the buyer over.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.traits import Traits
from schema.replies import Template
from tenancy.lease import TenantConnection
from worker.deliver.outbox import OpenReply
from worker.details import Details, details_of
from worker.fence import after_the_drain

SHUT = (
    "fora da janela de 24 horas: o comprador não escreve há mais de um dia e o WhatsApp"
    " só aceita modelos aprovados; fale com ele por outro meio"
)
_BEHIND = "fora da janela de 24 horas: enviamos o modelo aprovado no lugar"
_BY = "janela de 24 h"
_MARGIN = timedelta(minutes=1)
"""Meta's clock decides, not ours."""

_NEVER = datetime(1971, 1, 1, tzinfo=UTC)

_ASKED = """
    SELECT EXISTS (SELECT 1 FROM mensagens FORCE INDEX (idx_turno)
                    WHERE conversation_id = %(conversation)s AND canal_id = %(channel)s
                      AND tipo = 'enviada' AND tipo_conteudo = 'template'
                      AND status IN ('enviando', 'enviada', 'entregue', 'lida')
                      AND id <> %(id)s AND timestamp >= %(since)s)
"""
_REPLACE = """
    UPDATE mensagens
       SET tipo_conteudo = 'template', conteudo = %(name)s, midia = NULL, fatos = NULL,
           detalhes = %(details)s
     WHERE id = %(id)s AND status IN ('pendente', 'enviando')
"""
_OF_CONVERSATION = """
    SELECT id FROM mensagens FORCE INDEX (idx_turno)
     WHERE conversation_id = %(conversation)s AND status IN ('pendente', 'enviando')
"""
_FAIL = """
    UPDATE mensagens SET status = 'falhou', erro = %(error)s, tentar_em = NULL
     WHERE id = %(id)s AND status IN ('pendente', 'enviando')
"""
_WITHDRAW = """
    UPDATE mensagens SET status = 'cancelada', erro = %(error)s, tentar_em = NULL
     WHERE id IN %(ids)s AND status = 'pendente'
"""
_HAND_OVER = """
    UPDATE conversations
       SET bot_pausado_ate = GREATEST(COALESCE(bot_pausado_ate, %(until)s), %(until)s),
           bot_pausado_por = %(by)s, turno_anterior = NULL
     WHERE id = %(conversation)s
"""


def template_of_reminder(reply: OpenReply, template: Template | None) -> Template | None:
    """What goes out in place of a reminder, with its words; None for any other reply, or none set.

    Once for each reminder, however many templates the buyer has had: he has asked for the visit.
    """
    words = details_of(reply.details).reminder
    if template is None or not words:
        return None
    return template.model_copy(update={"parameters": words})


def is_open(reply: OpenReply, traits: Traits, *, now: datetime) -> bool:
    """Whether free text may be sent. Our own messages and a seller's open nothing."""
    if traits.window is None:
        return True
    wrote = reply.buyer_wrote_at
    return wrote is not None and now < wrote + traits.window - _MARGIN


async def was_asked(conn: TenantConnection, reply: OpenReply) -> bool:
    """Whether a template has gone out since the buyer last wrote: a second one is a nuisance."""
    row = await conn.fetch_one(
        _ASKED,
        {
            "conversation": reply.conversation_id,
            "channel": reply.canal_id,
            "id": reply.id,
            "since": reply.buyer_wrote_at or _NEVER,
        },
    )
    return row is not None and bool(row[0])


async def put_in_place(conn: TenantConnection, reply: OpenReply, template: Template) -> None:
    """From now on the reply is the template; what would have followed is withdrawn.

    In the caller's transaction, before the send: a crash afterwards finds what the buyer got.
    """
    await after_the_drain(conn)
    words = details_of(reply.details).reminder
    said = f" {', '.join(template.parameters)}" if template.parameters else ""
    says = {
        "name": f"[modelo {template.name}]{said}",
        "details": Details(template=template, reminder=words).to_json(),
    }
    await conn.execute(_REPLACE, {**says, "id": reply.id})
    await _withdraw_others(conn, reply, _BEHIND)


async def hand_over(conn: TenantConnection, reply: OpenReply, *, until: datetime) -> bool:
    """Neither goes out: the reply says why, and Lucas leaves the conversation to a person.

    In the caller's transaction. False when the reply was withdrawn meanwhile.
    """
    await after_the_drain(conn)
    if not await conn.execute(_FAIL, {"id": reply.id, "error": SHUT}):
        return False
    await _withdraw_others(conn, reply, SHUT)
    await conn.execute(
        _HAND_OVER, {"conversation": reply.conversation_id, "until": until, "by": _BY}
    )
    return True


async def _withdraw_others(conn: TenantConnection, reply: OpenReply, why: str) -> None:
    rows = await conn.fetch_all(_OF_CONVERSATION, {"conversation": reply.conversation_id})
    others = [row[0] for row in rows if row[0] != reply.id]
    if others:
        await conn.execute(_WITHDRAW, {"ids": others, "error": why})
