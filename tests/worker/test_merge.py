"""Two customers who turn out to be one: one row, one history, nothing lost, the talk goes on."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.settings import LucasSettings
from schema.events import Event, EventKind
from tests.tenancy.installation import Installation
from tests.worker.shop import BUYER, Shop, event, open_shop
from tests.worker.test_agenda import booker
from tests.worker.test_invariants_in import time_passes
from tests.worker.test_people import BSUID, LID
from tests.worker.test_silence import human
from worker.drain import conversations
from worker.drain.references import CUSTOMER, survivor

WAITING = LucasSettings(quiet_complete_s=30, quiet_fragment_s=30, quiet_greeting_s=30)


def lead(text: str, **changes: Any) -> Event:
    """A buyer of whom only the gateway's id is told."""
    return event(text, **{"phone": None, "user_id": BSUID, "reply_to": BSUID, **changes})


def known(text: str, **changes: Any) -> Event:
    """The same buyer with number and id."""
    return event(text, **{"user_id": BSUID, **changes})


async def test_one_customer_one_history(shop: Shop) -> None:
    """The number turns up after both have talked: one row, one conversation, all its messages."""
    await shop.handle(event("um", push_name="Ana"))
    await shop.handle(lead("dois"))
    ((old,),) = await shop.rows("SELECT id FROM customers WHERE phone IS NULL")

    await shop.handle(known("três"))
    await shop.handle(lead("quatro"))

    ((new, phone, name),) = await shop.rows("SELECT id, phone, name FROM customers")
    assert (phone, name) == (BUYER, "Ana")
    assert len(await shop.rows("SELECT id FROM conversations")) == 1
    assert await shop.rows("SELECT DISTINCT customer_id FROM mensagens") == [(new,)]
    assert await shop.texts("recebida") == ["um", "dois", "três", "quatro"]
    assert [sent.text for sent in shop.phone.outbox] == [
        "eco: um", "eco: dois", "eco: três", "eco: quatro",
    ]  # fmt: skip
    async with shop.tenancy.pools.connection(shop.empresa_id) as conn:
        assert await survivor(conn, CUSTOMER, old) == new
    ((kept,),) = await shop.rows("SELECT dados FROM _merges WHERE tipo = 'customer'")
    assert orjson.loads(kept)["id"] == old


async def test_turns_are_numbered_once(shop: Shop) -> None:
    """No two turns of the joined conversation have one number, and each answer keeps its own."""
    await shop.handle(event("um"), event("outro", phone="5511980000009"))
    await shop.handle(event("dois"))
    await shop.handle(lead("três"))
    await shop.handle(known("quatro"))

    rows = await shop.rows(
        "SELECT m.turno, GROUP_CONCAT(m.conteudo ORDER BY m.id SEPARATOR '; ') FROM mensagens m"
        " JOIN customers c ON c.id = m.customer_id WHERE c.phone = %s GROUP BY m.turno"
        " ORDER BY MIN(m.id)",
        (BUYER,),
    )
    assert [texts for _, texts in rows] == [
        "um; eco: um", "dois; eco: dois", "três; eco: três", "quatro; eco: quatro",
    ]  # fmt: skip
    assert len({turn for turn, _ in rows}) == 4


@pytest.mark.parametrize("first", [True, False])
async def test_what_sellers_were_told_goes_along(
    installation: Installation, redis_url: str, first: bool
) -> None:
    """Summary, call and opt-out of notices, in whichever conversation they were noted."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        noted = [event("CALL"), event("NOTICES")]
        other = [lead("?")]
        for told in [*noted, *other] if first else [*other, *noted]:
            await shop.handle(told)
        await shop.handle(known("?"))

        rows = await shop.rows(
            "SELECT resumo, chamado_por, chamado_em, sem_avisos FROM conversations"
        )

        ((summary, why, at, quiet),) = rows
        assert (summary, why, quiet) == ("Quem: Rui\nQuer: um carro", "schedule", 1)
        assert at is not None


async def test_what_neither_has_been_answered_is_one_turn(
    installation: Installation, redis_url: str
) -> None:
    """Both wait when they turn out to be one: one answer to all of it, in order."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        await shop.push(event("um"), lead("dois"))
        await shop.drain()
        await shop.push(known("três"))
        await shop.drain()
        await shop.execute("UPDATE conversations SET responder_em = '2020-01-01'")

        await shop.drain()

        assert await shop.texts("enviada") == ["eco: um | dois | três"]


async def test_what_was_answered_before_is_not_answered_again(
    installation: Installation, redis_url: str
) -> None:
    """Both have turns behind them and something open: only what is open is answered."""
    async with open_shop(installation, redis_url, lucas=WAITING) as shop:
        for told in ((event("a"), lead("b")), (event("c"), lead("d")), (known("e"),)):
            await shop.push(*told)
            await shop.drain()
            if told[0].text == "c":
                continue
            await time_passes(shop)
            await shop.handle()

        assert [sent.text for sent in shop.phone.outbox] == ["eco: a", "eco: b", "eco: c | d | e"]


async def test_an_answer_that_did_not_leave_is_taken_anew(shop: Shop) -> None:
    """The unsent answers of both are withdrawn: the buyer gets one for all that he asked."""
    await shop.push(event("um"), lead("dois"))
    await shop.drain()

    await shop.handle(known("três"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: um | dois | três"]


@pytest.mark.parametrize("newer_is_the_lead", [True, False])
async def test_the_newer_memory_is_kept(shop: Shop, newer_is_the_lead: bool) -> None:
    """Lucas remembers what was spoken of last; a pause by a person holds for both."""
    await shop.handle(event("um"))
    await shop.handle(lead("dois"), lead("dois e meio"))
    await shop.execute(
        "UPDATE conversations co JOIN customers c ON c.id = co.customer_id SET"
        " co.last_interaction = NOW() + INTERVAL 1 HOUR WHERE (c.phone IS NULL) = %s",
        (newer_is_the_lead,),
    )
    await shop.execute(
        "UPDATE conversations co JOIN customers c ON c.id = co.customer_id SET"
        " co.estado = JSON_OBJECT('turns', IF(c.phone IS NULL, 50, 70))"
    )
    await shop.handle(known("três"))

    ((state,),) = await shop.rows("SELECT JSON_VALUE(estado, '$.turns') FROM conversations")
    assert state == ("51" if newer_is_the_lead else "71")


async def test_an_opt_out_is_not_lost(shop: Shop) -> None:
    """Who wanted no more of Lucas has said so for both, whichever memory is newer."""
    await shop.handle(event("um"))
    await shop.execute("UPDATE conversations SET estado = JSON_OBJECT('quiet', 'opt_out')")
    await shop.execute("UPDATE conversations SET last_interaction = '2020-01-01'")
    await shop.handle(lead("dois"))

    await shop.push(known("três"))
    await shop.drain()

    rows = await shop.rows("SELECT turno_anterior FROM conversations")
    assert orjson.loads(orjson.loads(rows[0][0])["estado"])["quiet"] == "opt_out"


async def test_a_persons_pause_holds_for_both(shop: Shop) -> None:
    """A seller who has written to the lead has written to the customer."""
    await shop.handle(event("um"))
    await shop.handle(human("oi", phone=None, user_id=BSUID, reply_to=BSUID))

    await shop.handle(known("dois"))

    assert [sent.text for sent in shop.phone.outbox] == ["eco: um"]


async def test_nothing_of_the_dealers_is_lost(shop: Shop) -> None:
    """Appointments, notes, a dealer's own tables and columns: all is the remaining customer's."""
    await shop.handle(event("um"))
    await shop.handle(lead("dois", push_name="Ana"))
    ((new,),) = await shop.rows("SELECT id FROM customers WHERE phone IS NOT NULL")
    ((old,),) = await shop.rows("SELECT id FROM customers WHERE phone IS NULL")
    await _own_tables(shop, old, new)
    await as_dealer(
        shop,
        "ALTER TABLE customers ADD COLUMN apelido VARCHAR(20), ADD UNIQUE (cpf),"
        " ADD COLUMN rotulo VARCHAR(30) AS (CONCAT('cliente ', COALESCE(email, ''))) STORED",
    )
    await shop.execute("UPDATE customers SET notes = 'nota nova' WHERE id = %s", (new,))
    await shop.execute(
        "UPDATE customers SET notes = 'nota velha', email = 'a@b.c', cpf = '1', apelido = 'Aninha'"
        " WHERE id = %s",
        (old,),
    )

    await shop.handle(known("três"))

    ((id_, *rest),) = await shop.rows("SELECT id, name, email, cpf, notes, apelido FROM customers")
    assert id_ == new
    assert rest == ["Ana", "a@b.c", "1", "nota nova\nnota velha", "Aninha"]
    for table, column in [("agendamentos", "customer_id"), ("favoritos", "cliente"),
                          ("compras", "customer_id")]:  # fmt: skip
        sql = f"SELECT DISTINCT {column} FROM {table}"  # noqa: S608
        assert await shop.rows(sql) == [(new,)], table


async def test_a_table_that_cannot_follow_keeps_the_old_row(shop: Shop) -> None:
    """One row for each customer: the second stays where it is, with the customer that it names;
    what only looks like a reference is left alone."""
    await shop.handle(event("um"))
    await shop.handle(lead("dois"))
    ((new,),) = await shop.rows("SELECT id FROM customers WHERE phone IS NOT NULL")
    ((old,),) = await shop.rows("SELECT id FROM customers WHERE phone IS NULL")
    await as_dealer(
        shop,
        "CREATE TABLE fidelidade (customer_id INT PRIMARY KEY, pontos INT,"
        " FOREIGN KEY (customer_id) REFERENCES customers(id) ON DELETE CASCADE)",
    )
    await shop.execute("INSERT INTO fidelidade VALUES (%s, 5), (%s, 7)", (old, new))
    await as_dealer(shop, "CREATE TABLE erp (customer_id INT, x INT)")
    await shop.execute("INSERT INTO erp VALUES (%s, 1), (999999, 2)", (old,))

    await shop.handle(known("três"))

    assert await shop.rows("SELECT pontos FROM fidelidade ORDER BY 1") == [(5,), (7,)]
    assert await shop.rows("SELECT customer_id FROM erp ORDER BY x") == [(old,), (999999,)]
    assert await shop.rows("SELECT id FROM customers WHERE id = %s", (old,)) == [(old,)]
    assert await shop.rows("SELECT DISTINCT customer_id FROM mensagens") == [(new,)]


async def test_a_merge_that_the_database_refuses_holds_up_no_message(shop: Shop) -> None:
    """A dealer's own trigger says no: two customers they stay, and the buyer is answered."""
    await shop.handle(event("um"))
    await shop.handle(lead("dois"))
    await shop.installation.sql(
        "CREATE TRIGGER no BEFORE UPDATE ON agendamentos FOR EACH ROW"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'",
        database=f"empresa_{shop.empresa_id}_db",
    )
    ((old,),) = await shop.rows("SELECT id FROM customers WHERE phone IS NULL")
    await shop.execute(
        "INSERT INTO agendamentos (customer_id, tipo, data_agendada)"
        " VALUES (%s, 'visita', '2030-01-01')",
        (old,),
    )

    await shop.handle(known("três"))
    await shop.handle(lead("quatro"))

    assert [sent.text for sent in shop.phone.outbox][-2:] == ["eco: três", "eco: quatro"]
    assert len(await shop.rows("SELECT id FROM customers")) == 2
    assert await shop.dead() == []
    rows = await shop.rows("SELECT c.phone FROM mensagens m JOIN customers c"
                           " ON c.id = m.customer_id WHERE m.conteudo = 'quatro'")  # fmt: skip
    assert rows == [(BUYER,)]


async def test_a_merged_conversation_is_found_by_its_old_id(shop: Shop) -> None:
    """Whoever noted the id before, a delivery say, is led to the one that goes on."""
    await shop.handle(event("um"))
    await shop.handle(lead("dois"))
    before = [row[0] for row in await shop.rows("SELECT id FROM conversations ORDER BY id")]

    await shop.handle(known("três"))

    ((after,),) = await shop.rows("SELECT id FROM conversations")
    async with shop.tenancy.pools.transaction(shop.empresa_id) as conn:
        found = [(await conversations.by_id(conn, id_)).id for id_ in before]
    assert found == [after, after]


async def test_a_merge_is_done_once(shop: Shop) -> None:
    """The same event again, and again with more of the same: nothing changes any more."""
    await shop.handle(event("um"))
    await shop.handle(lead("dois"))
    joins = known("três")
    await shop.handle(joins, joins)
    before = await shop.rows("SELECT * FROM _merges ORDER BY antigo_id")

    await shop.handle(joins)
    await shop.handle(known("quatro"))

    assert await shop.rows("SELECT * FROM _merges ORDER BY antigo_id") == before
    assert len(await shop.rows("SELECT id FROM customers")) == 1


PARTS = (
    event("a"), lead("b"), known("c"),
    lead("d", user_id=LID, reply_to=LID, message_id="w.d", gateway="cloud_api"),
    known("e", user_id=LID, message_id="w.e", push_name="Ana"),
)  # fmt: skip


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(PARTS),
    cuts=st.sets(st.integers(min_value=1, max_value=4)),
)
async def test_in_any_order_and_in_any_batches_the_end_is_the_same(
    shop: Shop, order: list[Event], cuts: set[int]
) -> None:
    """One customer with name, number and ids; one conversation with every message, all answered."""
    for table in ("mensagens", "conversations", "customer_identities", "customers", "_merges"):
        await shop.execute(f"DELETE FROM {table}")  # noqa: S608
    ends = [*sorted(cuts), len(order)]
    for begin, end in zip([0, *ends], ends, strict=False):
        await shop.push(*order[begin:end])
        await shop.drain()
        await shop.deliver()

    assert await shop.rows("SELECT phone, name FROM customers") == [(BUYER, "Ana")]
    assert await shop.rows("SELECT COUNT(*) FROM conversations") == [(1,)]
    identities = await shop.rows("SELECT valor FROM customer_identities ORDER BY valor")
    assert identities == [(LID,), (BSUID,)]
    assert sorted(await shop.texts("recebida")) == ["a", "b", "c", "d", "e"]
    answered = " | ".join(text.removeprefix("eco: ") for text in await shop.texts("enviada"))
    assert sorted(answered.split(" | ")) == ["a", "b", "c", "d", "e"]
    assert await shop.dead() == []


async def test_a_number_change_is_followed(shop: Shop) -> None:
    """WhatsApp's own message about it: the next words come from the same customer."""
    await shop.handle(event("um"))
    moved = event(
        None, kind=EventKind.IGNORED, phone="5511980000002", reply_to="5511980000002",
        user_id="BR.2", former_phone=BUYER, reason="system: user_changed_number",
    )  # fmt: skip

    await shop.handle(moved, moved)
    await shop.handle(event("dois", phone="5511980000002"))
    await shop.handle(lead("três", user_id="BR.2", reply_to="BR.2"))

    assert await shop.rows("SELECT phone FROM customers") == [("5511980000002",)]
    assert await shop.texts("recebida") == ["um", "dois", "três"]


async def test_a_status_may_tell_who_it_is(shop: Shop) -> None:
    """Number and id of one buyer stand side by side in it: two rows of his become one. Of a
    stranger it tells nothing that anybody asked for."""
    told = event(None, kind=EventKind.STATUS, status="sent", user_id=BSUID, from_me=True)
    await shop.handle(told)
    assert await shop.rows("SELECT id FROM customers") == []
    await shop.handle(event("um"))
    await shop.handle(lead("dois"))

    await shop.handle(told)

    assert await shop.rows("SELECT phone FROM customers") == [(BUYER,)]
    assert len(await shop.rows("SELECT id FROM conversations")) == 1


async def _own_tables(shop: Shop, old: int, new: int) -> None:
    await shop.execute(
        "INSERT INTO agendamentos (customer_id, tipo, data_agendada)"
        " VALUES (%s, 'visita', '2030-01-01')",
        (old,),
    )
    await as_dealer(
        shop, "CREATE TABLE favoritos (cliente INT, FOREIGN KEY (cliente) REFERENCES customers(id))"
    )
    await shop.execute("INSERT INTO favoritos VALUES (%s)", (old,))
    await as_dealer(shop, "CREATE TABLE compras (customer_id INT)")
    await shop.execute("INSERT INTO compras VALUES (%s), (%s)", (old, new))


async def as_dealer(shop: Shop, sql: str) -> None:
    """A dealer changes his own database, which our user may not."""
    await shop.installation.sql(sql, database=f"empresa_{shop.empresa_id}_db")
