"""Tells our own sends, as gateways bring them back, from what a seller typed. Called by intake.

All gateways echo what went out through their API, some of them before they answer the request, and
some when they never answer it. Such an echo settles the reply: it is out, and this is its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.fallback import as_text
from gateway.phone import canonical_phone
from schema.events import Event, EventKind
from schema.replies import Reply, ReplyKind
from tenancy.lease import TenantConnection
from worker.details import details_of
from worker.drain import messages
from worker.drain.arrival import Arrival
from worker.drain.people import identities_of

# Handed to the gateway, and no id known: under way, of unknown result, or withdrawn or given up
# meanwhile. Only the last turns: what is older than that has long been decided.
_WITHOUT_ID = """
    SELECT m.id, m.canal_id, m.endereco, m.conteudo, m.tipo_conteudo, cu.phone,
           m.detalhes
      FROM (SELECT id FROM customers WHERE phone IN %(phones)s
             UNION SELECT customer_id FROM customer_identities
                    WHERE (gateway, tipo, valor) IN %(identities)s) who
      JOIN customers cu ON cu.id = who.id
      JOIN conversations co ON co.customer_id = cu.id
      JOIN mensagens m ON m.conversation_id = co.id AND m.turno >= co.turno - 3
     WHERE m.tipo = 'enviada' AND m.autor = 'lucas' AND m.external_id IS NULL
       AND m.tentativas > 0 AND m.status IN ('enviando', 'cancelada', 'falhou')
     ORDER BY m.id
"""
_SETTLE = """
    UPDATE mensagens
       SET external_id = %(external_id)s, status = 'enviada', tentar_em = NULL, erro = NULL,
           enviada_em = COALESCE(enviada_em, UTC_TIMESTAMP(3))
     WHERE id = %(id)s AND external_id IS NULL
"""
_NOBODY = ("", "", "")


@dataclass(slots=True)
class _Open:
    """A reply that was handed to the gateway and has no id yet."""

    id: int
    canal_id: int | None
    address: str | None
    texts: frozenset[str]
    """All ways in which a gateway may have put it; '' where it has no words."""
    kind: str | None
    phone: str | None

    def is_this(self, arrival: Arrival) -> bool:
        """The same words to the same buyer on the same channel."""
        event = arrival.event
        if arrival.canal_id != self.canal_id or _words(event.text) not in self.texts:
            return False
        if not _words(event.text) and not event.is_api_echo and not _is_of_kind(event, self.kind):
            return False  # a seller's photo without words is no photo of ours
        if event.phone is not None and event.phone in (self.phone, canonical_phone(self.address)):
            return True
        return self.address is not None and self.address in (event.reply_to, event.user_id)


async def settle(
    conn: TenantConnection, arrivals: Sequence[Arrival], new: Sequence[Arrival]
) -> list[Arrival]:
    """What of `new` is left once our own sends are taken out of it; those are settled.

    `arrivals` has the echoes that the gateway itself calls ours; `new` may have others, which look
    like a seller's words.
    """
    named = [a for a in arrivals if a.event.is_api_echo and a.event.message_id]
    looks_human = [a for a in new if a.event.kind is EventKind.HUMAN_ECHO]
    named = await _unrecorded(conn, named)
    if not named and not looks_human:
        return list(new)
    waiting = await _without_id(conn, [a.event for a in (*named, *looks_human)])
    ours: set[tuple[int, str]] = set()
    for arrival in (*named, *looks_human):
        found = next((reply for reply in waiting if reply.is_this(arrival)), None)
        if found is not None:
            waiting.remove(found)
            told = {"id": found.id, "external_id": arrival.external_id}
            await conn.execute(_SETTLE, told)
            ours.add(arrival.key)
    return [arrival for arrival in new if arrival.key not in ours]


async def _unrecorded(conn: TenantConnection, echoes: Sequence[Arrival]) -> list[Arrival]:
    """Without those whose id is known from the answer to the send: they say nothing new."""
    ids: dict[int, list[str]] = {}
    for arrival in echoes:
        ids.setdefault(arrival.canal_id, []).append(arrival.external_id)
    known = await messages.stored_ids(conn, ids) if ids else set()
    return list({a.key: a for a in echoes if a.key not in known}.values())


async def _without_id(conn: TenantConnection, events: Sequence[Event]) -> list[_Open]:
    phones = sorted({event.phone for event in events if event.phone is not None})
    identities = sorted({identity for event in events for identity in identities_of(event)})
    asked = {"phones": phones or [""], "identities": identities or [_NOBODY]}
    return [
        _Open(row[0], row[1], row[2], _texts(row[3], row[4], row[6]), row[4], row[5])
        for row in await conn.fetch_all(_WITHOUT_ID, asked)
    ]


def _texts(text: str | None, kind: str | None, details: str | None) -> frozenset[str]:
    """The row's words; options as numbered text, a place by its name or with its address."""
    told = details_of(details)
    said = [text]
    if kind in {ReplyKind.BUTTONS, ReplyKind.LIST} and told.options:
        options = Reply(to="-", text=text or "", options=told.options)
        said.append(as_text(options.model_copy(update={"kind": ReplyKind(kind)})))
    if kind == ReplyKind.LOCATION and told.location is not None:
        name, address = told.location.name, told.location.address
        said += [name, address, ", ".join(part for part in (name, address) if part)]
    return frozenset(map(_words, said))


def _is_of_kind(event: Event, kind: str | None) -> bool:
    return kind is not None and (event.mime_type or "").partition("/")[0] == kind


def _words(text: str | None) -> str:
    """A text as it can be compared: gateways trim it and break its lines in their own way."""
    return " ".join((text or "").split())
