"""Takes back reminders that are no longer right. Called by `agenda` and by the delivery.

A reminder is a reply; its row of `lucas_lembretes` keeps it from being written twice. One that did
not leave goes together with that row, so that the appointment may be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tenancy.lease import TenantConnection

# By way of the ids: see `messages`.
_OPEN = """
    SELECT m.id FROM lucas_lembretes l JOIN mensagens m ON m.id = l.mensagem_id
     WHERE l.agendamento_id = %(id)s AND m.status = 'pendente'
"""
_OPEN_IN = """
    SELECT m.id FROM mensagens m FORCE INDEX (idx_turno)
      JOIN lucas_lembretes l ON l.mensagem_id = m.id
     WHERE m.conversation_id = %(id)s AND m.status = 'pendente'
"""
_WITHDRAW = """
    UPDATE mensagens SET status = 'cancelada', erro = 'o lembrete deixou de valer antes do envio'
     WHERE id IN %(ids)s AND status = 'pendente'
"""
_WITHDRAW_OPEN = """
    UPDATE mensagens SET status = 'cancelada', erro = 'o lembrete deixou de valer antes do envio'
     WHERE id IN %(ids)s AND status IN ('pendente', 'enviando')
"""
_WITHDRAWN = "SELECT id FROM mensagens WHERE id IN %(ids)s AND status = 'cancelada' FOR UPDATE"
_AMONG = "SELECT mensagem_id FROM lucas_lembretes WHERE mensagem_id IN %(ids)s"
_FORGET = "DELETE FROM lucas_lembretes WHERE mensagem_id IN %(ids)s"


async def withdraw(conn: TenantConnection, agendamento_id: int) -> None:
    """An appointment is moved or cancelled: what speaks of it as it was does not go out."""
    await _withdraw(conn, await conn.fetch_all(_OPEN, {"id": agendamento_id}))


async def withdraw_in(conn: TenantConnection, conversation_id: int) -> None:
    """The buyer wants no notices: none of those on their way goes out."""
    await _withdraw(conn, await conn.fetch_all(_OPEN_IN, {"id": conversation_id}))


async def _withdraw(conn: TenantConnection, rows: Iterable[tuple[Any, ...]]) -> None:
    ids = [row[0] for row in rows]
    if not ids:
        return
    await conn.execute(_WITHDRAW, {"ids": ids})
    await _forget(conn, [row[0] for row in await conn.fetch_all(_WITHDRAWN, {"ids": ids})])


async def among(conn: TenantConnection, replies: Sequence[int]) -> set[int]:
    """Which of these replies are reminders."""
    return {row[0] for row in await conn.fetch_all(_AMONG, {"ids": list(replies)})}


async def take_anew(conn: TenantConnection, reminders: Sequence[int]) -> None:
    """What these say is no longer so: they are withdrawn, and written anew as it is now."""
    await conn.execute(_WITHDRAW_OPEN, {"ids": list(reminders)})
    await _forget(conn, reminders)


async def _forget(conn: TenantConnection, reminders: Sequence[int]) -> None:
    if reminders:
        await conn.execute(_FORGET, {"ids": list(reminders)})
