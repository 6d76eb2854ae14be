"""A buyer who leaves a mark on every road that his data can take. Used by the tests beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.stock import Stock
from bot.values import Dealer, Decision, Turn
from schema.events import Ad, Event, EventKind
from tests.worker.shop import Shop, echo, event
from tests.worker.test_media import PHOTO, sent
from worker.queue.dead_letters import DeadLetters
from worker.queue.inbox import as_json

PHONE = "5511987650001"
OLD_FORM = "551187650001"
LID = "88812345678901@lid"
OTHER_LID = "77712345678901@lid"
MARKS = {
    name: f"marca{name}zq"
    for name in (
        "name", "text", "caption", "file", "button", "quoted", "edited", "early", "status", "lead",
        "dead", "turn", "reply", "nobody", "body", "visit", "notes", "waiting", "merged", "ad",
        "other",
    )
}  # fmt: skip


def lucas(turn: Turn, *, stock: Stock, dealer: Dealer, now: Any) -> Decision:
    """Repeats what he is told, and fails where the test wants it."""
    if any(MARKS["turn"] in (message.text or "") for message in turn.messages):
        raise RuntimeError("a bug")
    return echo(turn, stock=stock, dealer=dealer, now=now)


@dataclass(slots=True)
class Buyer:
    """Whose data it is, at one shop."""

    shop: Shop
    first: Event
    waiting: Event


def said(text: str | None, **changes: Any) -> Event:
    """By the buyer, as a gateway tells it."""
    values: dict[str, Any] = {"phone": PHONE, "reply_to": OLD_FORM, "user_id": LID}
    return event(text, **{**values, **changes})


async def leave_marks(shop: Shop) -> Buyer:
    """All of them; the last message still stands on the inbox."""
    mark = MARKS
    # Before his number is known he is somebody else, who turns out to be he.
    await shop.handle(event(mark["merged"], phone=None, user_id=OTHER_LID, reply_to=OTHER_LID))
    first = said(f"oi {mark['text']}", push_name=mark["name"], user_id=OTHER_LID)
    await shop.handle(first)
    await shop.handle(said("nova identidade"))
    photo = PHOTO + mark["file"].encode()
    await shop.handle(
        sent(shop, photo, text=mark["caption"], phone=PHONE, reply_to=OLD_FORM,
             file_name=f"{mark['file']}.jpg")
    )  # fmt: skip
    await shop.fetch()
    await shop.handle(
        said(mark["button"], kind=EventKind.INTERACTIVE, button_id=mark["button"]),
        said(mark["quoted"], quoted_id=first.message_id),
        said("anúncio", ad=Ad(headline=mark["ad"])),
    )
    await shop.handle(
        said(mark["edited"], kind=EventKind.EDITED, message_id=first.message_id, user_id=None),
        said(mark["lead"], kind=EventKind.LEAD, reply_to=None, source="portal"),
    )
    await _early(shop)
    await _letters(shop)
    await _appointment(shop)
    waiting = said(mark["waiting"])
    await shop.push(waiting)
    return Buyer(shop, first, waiting)


async def _early(shop: Shop) -> None:
    """A change before its message; a status before the id of its send is known."""
    await shop.handle(
        said(MARKS["early"], kind=EventKind.EDITED, message_id="wamid.never", user_id=None)
    )
    await shop.push(said("para quem se envia"))
    await shop.drain()
    await shop.execute("UPDATE mensagens SET status = 'enviando' WHERE status = 'pendente'")
    await shop.push(
        said(None, kind=EventKind.STATUS, message_id="wamid.quick", status="failed",
             error_text=MARKS["status"], user_id=None)
    )  # fmt: skip
    await shop.drain()
    await shop.execute("UPDATE mensagens SET status = 'pendente' WHERE status = 'enviando'")


async def _letters(shop: Shop) -> None:
    letters = DeadLetters(shop.redis)
    await shop.handle(said(MARKS["dead"], channel="loja-de-ninguem"))
    await shop.push(said(MARKS["turn"]))
    await shop.drain()
    ((reply,),) = await shop.rows(
        "SELECT MAX(m.id) FROM mensagens m JOIN customers c ON c.id = m.customer_id"
        " WHERE m.tipo = 'enviada' AND c.phone = %s",
        (PHONE,),
    )
    await letters.keep_reply(
        shop.empresa_id, reply, error=f"refused: {MARKS['reply']}", cause="SendRefused 131026"
    )
    await letters.keep_unknown_channel(
        "cloud_api", "x", as_json(said(MARKS["nobody"])), canal_id=shop.channel.id
    )
    body = f'{{"from": "{OLD_FORM}", "text": "{MARKS["body"]}"'
    await letters.keep_unreadable(shop.channel.id, body.encode(), error="no JSON")


async def _appointment(shop: Shop) -> None:
    ((customer,),) = await shop.rows("SELECT id FROM customers WHERE phone = %s", (PHONE,))
    await shop.execute(
        "INSERT INTO agendamentos (customer_id, tipo, data_agendada, observacoes)"
        " VALUES (%s, 'visita', '2027-03-05 10:00:00', %s)",
        (customer, MARKS["visit"]),
    )
    await shop.execute(
        "INSERT INTO lucas_lembretes (agendamento_id, tipo, data_agendada, resultado, ate,"
        " criado_em) SELECT id, 'vespera', data_agendada, 'enviado', data_agendada,"
        " UTC_TIMESTAMP() FROM agendamentos WHERE customer_id = %s",
        (customer,),
    )
    await shop.execute("UPDATE customers SET notes = %s WHERE id = %s", (MARKS["notes"], customer))
