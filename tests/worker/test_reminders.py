"""A buyer is reminded of his appointment, truly and once, by rows of his dealer's own database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from redis.exceptions import RedisError

from bot.lucas import decide
from schema.errors import DuplicateKey
from tests.tenancy.installation import Installation
from tests.worker.reminding import (
    EVENING,
    TWO_HOURS,
    VISIT,
    add_car,
    book,
    noon_zone,
    remind,
    results,
    send,
    written,
)
from tests.worker.shop import BY_THE_TEST, Shop, event, open_shop
from tests.worker.test_agenda import booker
from worker.queue.bell import Bell
from worker.queue.keys import Task, TaskKeys
from worker.queue.lease import LeaseLost
from worker.remind.writer import Reminded
from worker.sweep import sweep_all


async def test_the_evening_before_and_two_hours_before(shop: Shop) -> None:
    """Nothing earlier, nothing later, and the job knows when the next one is due."""
    await add_car(shop)
    await book(shop, car=7, status="confirmado")
    early = EVENING.replace(hour=17, minute=59)
    first = (await remind(shop, early)).next_at
    assert await written(shop) == []
    assert first is not None
    assert early < first <= EVENING

    done = await remind(shop, EVENING)
    await send(shop)
    assert (done.written, done.next_at) == (1, TWO_HOURS)
    assert "amanhã, quinta-feira, 08/01, às 15h" in (shop.phone.outbox[-1].text or "")
    assert "Fiat Argo" in (shop.phone.outbox[-1].text or "")

    done = await remind(shop, TWO_HOURS)
    await send(shop)
    assert (done.written, done.next_at) == (1, None)
    assert "às 15h" in (shop.phone.outbox[-1].text or "")
    assert await results(shop) == [("vespera", "vespera"), ("duas_horas", "duas_horas")]


async def test_the_row_tells_all_that_a_reply_tells(shop: Shop) -> None:
    """By Lucas, of a turn of its own, with the car among its facts and the reason for it."""
    await add_car(shop)
    number = await book(shop, car=7)
    await remind(shop, EVENING)

    ((author, status, turn, facts, why),) = await shop.rows(
        "SELECT autor, status, turno, fatos, decisao FROM mensagens ORDER BY id DESC LIMIT 1"
    )
    assert (author, status, turn) == ("lucas", "pendente", 2)
    assert [(fact["car_id"], fact["status"]) for fact in orjson.loads(facts)] == [(7, "available")]
    decision = orjson.loads(why)
    assert (decision["rule"], decision["agendamento_id"]) == ("reminder.vespera", number)


async def test_a_second_look_writes_nothing(shop: Shop) -> None:
    """Neither a replay of the job nor another minute of the same evening."""
    await book(shop)
    for minutes in (0, 0, 1):
        await remind(shop, EVENING + timedelta(minutes=minutes))
        await send(shop)

    assert len(await written(shop)) == 1
    assert len(shop.phone.outbox) == 2


async def test_the_database_refuses_a_second_one(shop: Shop) -> None:
    """Whatever a worker believes: one row by appointment, kind and time."""
    await book(shop)
    await remind(shop, EVENING)

    with pytest.raises(DuplicateKey):
        await shop.execute(
            "INSERT INTO lucas_lembretes"
            " (agendamento_id, tipo, data_agendada, resultado, ate, criado_em)"
            " SELECT agendamento_id, tipo, data_agendada, resultado, ate, criado_em"
            " FROM lucas_lembretes"
        )


async def test_two_workers_at_once_write_one(shop: Shop) -> None:
    """Both have a lease, one of them an old one: the fence and the unique key see to it."""
    await book(shop)
    desk = shop.desk()
    old = await desk.take(Task.REMIND, shop.empresa_id, job_id="a")
    await shop.redis.delete(TaskKeys(shop.empresa_id, Task.REMIND).lease)
    new = await desk.take(Task.REMIND, shop.empresa_id, job_id="b")
    assert old is not None
    assert new is not None

    writer = shop.jobs.reminder.writer
    ran = await asyncio.gather(
        writer.run(old, now=EVENING), writer.run(new, now=EVENING), return_exceptions=True
    )

    assert len(await written(shop)) == 1
    assert [result for result in ran if not isinstance(result, Reminded | LeaseLost)] == []


async def test_a_worker_that_dies_before_it_rings_is_made_good(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written and committed, the delivery never heard of it: the next look rings, and writes no
    second one."""
    zone = noon_zone()
    await shop.execute("INSERT INTO lucas_ajustes (nome, valor) VALUES ('fuso', %s)", (zone.key,))
    await book(shop, datetime.now(zone) + timedelta(hours=1.9))
    await shop.redis.delete("arq:queue:deliver")  # of the talk before

    async def die(*_: object) -> bool:
        raise RedisError("the worker is gone")

    with monkeypatch.context() as dying:
        dying.setattr(Bell, "ring", die)
        await shop.jobs.reminder.remind(shop.empresa_id, BY_THE_TEST)
    assert len(await written(shop)) == 1

    assert await shop.queued(Task.DELIVER) == []

    await shop.next_job_may_run(Task.REMIND)
    await shop.jobs.reminder.remind(shop.empresa_id, BY_THE_TEST)

    assert len(await shop.queued(Task.DELIVER)) == 1
    assert len(await written(shop)) == 1


async def test_the_turn_that_books_rings_and_the_job_waits_for_its_time(
    installation: Installation, redis_url: str
) -> None:
    """One arq job at the time of the first reminder; nobody looks in between."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("BOOK 2037-01-08T15:00"))
        assert len(await shop.queued(Task.REMIND)) == 1

        ((job, _),) = await shop.queued(Task.REMIND)
        await shop.redis.zrem("arq:queue", job)
        await shop.jobs.reminder.remind(shop.empresa_id, BY_THE_TEST)

        ((_, at_ms),) = await shop.queued(Task.REMIND)
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        assert VISIT - timedelta(days=2) == at  # then its reminders come near
        due = await shop.redis.zscore("helix:due:remind_buyers", str(shop.empresa_id))
        assert due == at_ms


async def test_after_a_loss_of_redis_the_sweep_finds_the_appointments(shop: Shop) -> None:
    """As well as those that a dealer's panel wrote without telling anybody."""
    await book(shop)
    await shop.redis.flushdb()

    async def active() -> list[int]:
        return [shop.empresa_id]

    await sweep_all(shop.redis, Bell(shop.redis), active)

    assert len(await shop.queued(Task.REMIND)) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("sem_avisos = 1", "sem_avisos"),
        ("status = 'perdido'", "perdido"),
        ("bot_pausado_ate = '2037-01-09'", "pessoa"),
        ("""estado = '{"quiet": "human"}'""", "pessoa"),
        ("""estado = '{"quiet": "complaint"}', bot_pausado_ate = '2026-01-01'""", "pessoa"),
        ("endereco = NULL", "sem_canal"),
    ],
)
async def test_who_is_left_in_peace(shop: Shop, change: str, why: str) -> None:
    """After an opt-out, and while a person has the conversation; the reason is kept."""
    await book(shop)
    await shop.execute(f"UPDATE conversations SET {change}")  # noqa: S608 - our own cases
    await remind(shop, EVENING)

    assert await written(shop) == []
    assert await results(shop) == [("vespera", why)]


async def test_after_a_persons_pause_he_is_reminded_again(shop: Shop) -> None:
    """Also who had asked for a person: one came and has left."""
    await book(shop)
    await shop.execute(
        """UPDATE conversations SET estado = '{"quiet": "human"}', bot_pausado_ate = '2026-01-01'"""
    )
    await remind(shop, EVENING)

    assert len(await written(shop)) == 1


@pytest.mark.parametrize(("made", "reminded"), [("13:01", 0), ("13:00", 1)])
async def test_an_appointment_just_made_is_not_reminded_of(
    shop: Shop, made: str, reminded: int
) -> None:
    """Agreed on less than three hours before the reminder (16:00 UTC): it would be a nuisance."""
    await book(shop, made=f"2037-01-08 {made}")
    await remind(shop, TWO_HOURS)

    assert len(await written(shop)) == reminded


async def test_a_moved_appointment_counts_as_just_made(
    installation: Installation, redis_url: str
) -> None:
    """Lucas notes when a time was agreed on, also when it takes the place of another."""
    async with open_shop(installation, redis_url, decide_turn=booker) as shop:
        await shop.handle(event("BOOK 2037-01-08T10:00"))
        await shop.execute("UPDATE agendamentos SET marcado_em = '2026-01-01'")
        await shop.handle(event("MOVE 2037-01-08T15:00"))

        ((since_s,),) = await shop.rows(
            "SELECT TIMESTAMPDIFF(SECOND, marcado_em, UTC_TIMESTAMP()) FROM agendamentos"
        )
        assert 0 <= since_s < 60


async def test_a_waiting_answer_comes_first(shop: Shop) -> None:
    """While a reply is still to go out, the reminder waits for a minute."""
    await book(shop)
    await shop.push(event("tem onix?"))
    await shop.drain()
    done = await remind(shop, EVENING)
    assert (done.written, done.next_at) == (0, EVENING + timedelta(minutes=1))

    await send(shop)
    await remind(shop, EVENING + timedelta(minutes=1))

    assert len(await written(shop)) == 1


async def test_the_dealers_settings_hold(shop: Shop) -> None:
    """Another hour in another zone; or none at all."""
    await book(shop)
    await shop.execute(
        "INSERT INTO lucas_ajustes (nome, valor) VALUES"
        " ('lembrete_vespera_h', '16'), ('fuso', 'America/Manaus')"
    )
    four = datetime(2037, 1, 7, 16 + 4, tzinfo=UTC)
    await remind(shop, four - timedelta(minutes=1))
    assert await written(shop) == []
    await shop.execute("INSERT INTO lucas_ajustes (nome, valor) VALUES ('lembretes', 'não')")
    await remind(shop, four + timedelta(minutes=95))
    assert await written(shop) == []
    await shop.execute("DELETE FROM lucas_ajustes WHERE nome = 'lembretes'")
    await remind(shop, four + timedelta(minutes=95))

    assert len(await written(shop)) == 1


async def test_the_lucas_of_the_talk_understands_the_answer(
    installation: Installation, redis_url: str
) -> None:
    """A wish after a reminder is about that appointment: the reminder is part of the talk."""
    async with open_shop(installation, redis_url, decide_turn=decide) as shop:
        await shop.installation.central(
            "UPDATE empresas SET horario = 'seg a sab 9h-18h' WHERE id = %s", (shop.empresa_id,)
        )
        await book(shop)
        await remind(shop, EVENING)
        await send(shop)
        await shop.handle(event("preciso cancelar a visita"))

        assert await shop.rows("SELECT status FROM agendamentos") == [("cancelado",)]


async def test_outside_the_window_it_goes_the_way_of_any_reply(shop: Shop) -> None:
    """The buyer wrote days ago and there is no template: a person takes over, and knows why."""
    await book(shop)
    await shop.execute(
        "UPDATE mensagens SET timestamp = UTC_TIMESTAMP() - INTERVAL 3 DAY WHERE tipo = 'recebida'"
    )
    await remind(shop, EVENING)
    await send(shop)

    assert len(shop.phone.outbox) == 1
    rows = await shop.rows("SELECT status, erro FROM mensagens ORDER BY id DESC LIMIT 1")
    assert rows[0][0] == "falhou"
    assert "janela de 24 horas" in rows[0][1]
    assert len(await shop.dead()) == 1
