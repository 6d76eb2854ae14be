"""An erasure is whole, for one person at one dealer, and lets nobody come back by accident."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

from schema.events import Event, EventKind
from tenancy.names import database_of
from tests.lgpd.everywhere import everything, where
from tests.lgpd.roads import MARKS, PHONE, leave_marks, lucas, said
from tests.lgpd.test_marker import eraser_of, order_of
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from worker.lgpd.erase import certificate_of
from worker.lgpd.replay import replay_erasures
from worker.lgpd.requests import Requests
from worker.queue.dead_letters import DeadLetters
from worker.queue.keys import UNREADABLE, dead_letters

OTHER = "5511987650002"
RESTORED = ("customers", "conversations", "mensagens", "customer_identities", "_merges")


async def people(shop: Shop) -> list[str | None]:
    """The numbers of all customers."""
    return [phone for (phone,) in await shop.rows("SELECT phone FROM customers ORDER BY id")]


async def test_a_kill_after_any_step_is_made_good_by_running_it_again(
    installation: Installation, redis_url: str
) -> None:
    """One request, one certificate with everything that was found, nothing left."""
    steps = ("key", "leases", "request", "remembered", "redis", "files", "rows")
    async with open_shop(installation, redis_url, decide_turn=lucas, lease_s=1) as shop:
        buyer = await leave_marks(shop)
        before = (await eraser_of(shop).plan(order_of(shop))).counts
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.lgpd.killed",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "REDIS_URL": redis_url,
                 "MEDIA_STORE": str(shop.files), **installation.environment()},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for step in steps:
            process.stdin.write(f"{step} {shop.empresa_id} {PHONE}\n".encode())
            assert await process.stdout.readline() == b"-9\n", step
        process.stdin.close()
        assert await process.wait() == 0

        done = await eraser_of(shop).erase(order_of(shop))
        await shop.push(buyer.first, buyer.waiting)
        await shop.drain()

        erased = {place: count for place, count in done.counts.items() if count}
        assert erased.items() >= {p: n for p, n in before.items() if n}.items()
        assert len(await Requests(shop.tenancy.central).all(shop.empresa_id)) == 1
        assert where(await everything(shop), *MARKS.values(), PHONE) == set()


async def test_repetitions_do_not_bring_a_person_back_and_new_words_do(shop: Shop) -> None:
    """By whatever an old message comes again: stored, waiting or dead before, changed or seen."""
    first, waiting, dead = said("oi"), said("espero"), said("morta", channel="de-ninguem")
    nameless = said("sem id", message_id=None)
    await shop.handle(first, dead, nameless)
    ((origin,),) = await shop.rows(
        "SELECT external_id FROM mensagens WHERE external_id LIKE 'helix:%%'"
    )
    ((sent,),) = await shop.rows("SELECT external_id FROM mensagens WHERE autor = 'lucas'")
    await shop.push(waiting)
    await eraser_of(shop).erase(order_of(shop))

    edited = said("mudou", kind=EventKind.EDITED, message_id=first.message_id)
    read = said(None, kind=EventKind.STATUS, message_id=sent, status="read")
    again = said("sem id", message_id=origin)
    await shop.handle(first, waiting, edited, read, again)

    assert await people(shop) == []
    assert await shop.rows("SELECT * FROM _early_changes") == []
    await shop.handle(said("voltei"))
    assert await people(shop) == [PHONE]
    assert await shop.texts("recebida") == ["voltei"]
    assert shop.phone.outbox[-1].text == "eco: voltei"


async def test_a_person_is_erased_at_one_dealer_alone(
    installation: Installation, redis_url: str
) -> None:
    """The same number at another dealer, and others at the same one, lose nothing."""
    async with (
        open_shop(installation, redis_url, 1) as shop,
        open_shop(installation, redis_url, 2) as other,
    ):
        photo = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(64)
        for place, channel in ((shop, "loja-1"), (other, "loja-2")):
            media = place.phone.keep(photo, "image/jpeg")["id"]
            for phone in (PHONE, OTHER):
                await place.handle(
                    event("foto", phone=phone, reply_to=phone, channel=channel,
                          kind=EventKind.IMAGE, media_id_or_url=media)
                )  # fmt: skip
            await place.fetch()
            await place.push(event("espera", phone=PHONE, channel=channel))
        before = await other.rows("SELECT id, conteudo FROM mensagens ORDER BY id")

        await eraser_of(shop).erase(order_of(shop))

        assert await other.rows("SELECT id, conteudo FROM mensagens ORDER BY id") == before
        assert await other.waiting() == 1
        assert await people(other) == [PHONE, OTHER]
        assert await people(shop) == [OTHER]
        files = [path for path in shop.files.rglob("*") if path.is_file()]
        assert [path.read_bytes() for path in files] == [photo]


async def test_one_person_has_many_names(shop: Shop) -> None:
    """Without the ninth digit, as a dealer wrote it by hand, with the id of a talk without number;
    what nobody can tell is named, and taken along only when a person says so."""
    await shop.handle(said("oi", user_id="id-1"))
    await shop.execute(
        "INSERT INTO customers (phone, name) VALUES ('(11) 98765-0001', 'mão'),"
        " ('551187650001', 'antigo'), ('11987650001', 'talvez'), ('1187650001', 'velho')"
    )
    await shop.push(event("sem número", phone=None, user_id="id-2", reply_to="id-2"))
    await shop.drain()
    await shop.push(said("agora com número", user_id="id-2"))

    plan = await eraser_of(shop).plan(order_of(shop))
    assert len(plan.person.customers) == 4
    assert len(plan.person.maybe) == 2
    await eraser_of(shop).erase(order_of(shop, also=sorted(plan.person.maybe)))
    assert await people(shop) == []


async def test_a_dealers_own_tables_are_left_alone(shop: Shop) -> None:
    """A row that they refer to stays, emptied of all that says who it was."""
    await shop.handle(said("oi", push_name="Fulana"), event("fico", phone=OTHER))
    database = database_of(shop.empresa_id)
    await shop.installation.sql(
        "CREATE TABLE propostas (id INT PRIMARY KEY, cliente INT NOT NULL,"
        " FOREIGN KEY (cliente) REFERENCES customers (id))",
        database=database,
    )
    await shop.installation.sql(
        "INSERT INTO propostas SELECT 1, id FROM customers WHERE phone = %s", (PHONE,),
        database=database,
    )  # fmt: skip

    done = await eraser_of(shop).erase(order_of(shop))

    found = await everything(shop)
    assert where(found, PHONE, "Fulana") == set()
    assert await shop.rows("SELECT phone, name FROM customers ORDER BY id") == [
        (None, None),
        (OTHER, None),
    ]
    assert done.kept["tables_of_the_dealer"] == [
        {"table": "propostas", "column": "cliente", "rows": 1}
    ]
    assert (await shop.rows("SELECT responder_em FROM conversations ORDER BY id"))[0] == (None,)


async def test_counts_of_appointments_may_stay(shop: Shop) -> None:
    """LGPD, art. 16: a figure by month, kind and outcome, of nobody."""
    await shop.handle(said("oi"))
    await shop.execute(
        "INSERT INTO agendamentos (customer_id, tipo, data_agendada, status)"
        " SELECT id, 'visita', '2027-03-05 10:00:00', 'realizado' FROM customers"
    )

    done = await eraser_of(shop).erase(order_of(shop, count_visits=True))

    counts = await shop.rows("SELECT CAST(mes AS CHAR), tipo, status, total FROM"
                             " _agendamentos_apagados")  # fmt: skip
    assert counts == [("2027-03-01", "visita", "realizado", 1)]
    assert await shop.rows("SELECT id FROM agendamentos") == []
    assert done.kept["appointment_counts"] is True


async def test_a_drain_at_work_is_waited_for_and_then_kept_out(shop: Shop) -> None:
    """Whoever slept past its lease writes nothing more; what comes meanwhile waits on the inbox."""
    await shop.handle(said("oi"))
    steps: list[str] = []
    arrived: list[asyncio.Task[None]] = []

    def reached(step: str) -> None:
        steps.append(step)
        if step == "leases":
            arrived.append(asyncio.create_task(shop.drain()))

    await eraser_of(shop, reached=reached).erase(order_of(shop))
    await arrived[0]

    assert await people(shop) == []
    ((epoch,),) = await shop.rows("SELECT epoca FROM _leases WHERE nome = 'drain_inbox'")
    keys = await shop.redis.get(f"helix:{{{shop.empresa_id}}}:drain_inbox:epoch")
    assert int(keys) >= epoch
    assert steps[-1] == "end"


async def test_a_paused_dealers_buyer_can_be_erased(shop: Shop) -> None:
    """The jobs leave him alone and come back for ever: that keeps nobody's data."""
    await shop.handle(said("oi"))
    key = f"helix:{{{shop.empresa_id}}}:drain_inbox:lease"
    await shop.redis.set(key, "waiting", px=600_000)

    await eraser_of(shop).erase(order_of(shop))

    assert await people(shop) == []


async def _for_each_table(shop: Shop, *statements: str) -> None:
    """As administrator, # being the table's name."""
    database = database_of(shop.empresa_id)
    async with (
        shop.installation.server.connect(database) as connection,
        connection.cursor() as cursor,
    ):
        await cursor.execute("SET foreign_key_checks = 0")
        for table in RESTORED:
            for statement in statements:
                await cursor.execute(statement.replace("#", table))


async def test_a_restored_backup_is_cleaned_of_whoever_was_erased(shop: Shop) -> None:
    """By the list alone, which names nobody; those who came anew after their erasure stay."""
    await shop.handle(said("oi", push_name="Fulana"), event("fico", phone=OTHER))
    await _for_each_table(shop, "CREATE TABLE copia_# AS SELECT * FROM #")
    await eraser_of(shop).erase(order_of(shop))
    await _for_each_table(
        shop, "DELETE FROM #", "INSERT INTO # SELECT * FROM copia_#", "DROP TABLE copia_#"
    )
    await shop.execute("DELETE FROM _apagadas")
    later = datetime(2030, 1, 1, tzinfo=UTC)
    await shop.execute(
        "INSERT INTO customers (phone, created_at) VALUES ('551187650001', %s)", (later,)
    )

    for customers in (1, 0):
        async with shop.tenancy.pools.transaction(shop.empresa_id) as conn:
            done = await replay_erasures(
                shop.empresa_id, conn, central=shop.tenancy.central, keyring=shop.tenancy.keyring
            )
        assert (done.erasures, done.customers) == (1, customers)

    assert await people(shop) == [OTHER, "551187650001"]
    assert await shop.texts("recebida") == ["fico"]
    assert await shop.rows("SELECT COUNT(*) > 1 FROM _apagadas") == [(1,)]


async def test_the_same_erasure_twice_is_two_certificates(shop: Shop) -> None:
    """Of which the second says that there was nothing; the list has both."""
    await shop.handle(said("oi"))

    first = await eraser_of(shop).erase(order_of(shop))
    second = await eraser_of(shop).erase(order_of(shop))

    assert first.counts["customers"] == 1
    assert sum(second.counts.values()) == 0
    assert certificate_of(first)["subject"] == certificate_of(second)["subject"]


async def test_a_dead_letter_of_another_stays(shop: Shop) -> None:
    """Also one that holds the number as a part of a longer one, readable or not."""
    letters, body = DeadLetters(shop.redis), f'{{"from": "{PHONE}'
    for end in ('77"', '"'):
        await letters.keep_unreadable(shop.channel.id, (body + end).encode(), error="no JSON")
    await letters.keep_unreadable(shop.channel.id + 1, body.encode(), error="of another dealer")
    await shop.handle(
        event("fica", phone=OTHER, channel="x"), said("vai", channel="x"), _longer(PHONE)
    )

    await eraser_of(shop).erase(order_of(shop))

    left = await shop.redis.xrange(dead_letters(shop.empresa_id))
    assert len(left) == 2
    bodies = [fields[b"body"] for _, fields in await shop.redis.xrange(UNREADABLE)]
    assert bodies == [(body + '77"').encode(), body.encode()]


def _longer(phone: str) -> Event:
    return event("fica", phone=f"{phone}77", reply_to=f"{phone}77", channel="x")
