"""A deleted dealer is gone from every place, and nobody else is touched."""

from __future__ import annotations

import shutil
from typing import Any

import orjson
import pytest

from schema.errors import BackupDamaged, NotConfigured, NotConfirmed, TryAgain
from tenancy.channels import add_channel
from tenancy.empresas import Profile
from tenancy.life import backup, delete
from tenancy.life.abandon import abandon
from tenancy.names import user_of
from tenancy.provision import Provisioner
from tests.tenancy.life.ground import TRICKY, Ground
from worker.alarm.book import ALARMS
from worker.alarm.channels import USUAL
from worker.alarm.heard import HEARD
from worker.alarm.waits import KNOWN_WAITS
from worker.media.settings import MediaSettings
from worker.media.store import digest_of, key_of, open_store
from worker.queue.keys import (
    NEW_DEAD_LETTERS,
    QUEUE,
    STOPPED_CHANNELS,
    UNKNOWN_CHANNEL,
    UNREADABLE,
    WAIT_FOR_LUCAS,
    WAIT_FOR_PERSON,
    Task,
    TaskKeys,
    arq_job,
    channel_state,
    dead_letters,
    gateway_state,
    held,
    ignored,
    inbox,
    pair_state,
)

MARK = "marca-{}-do-comprador"


async def spread(ground: Ground, number: int) -> int:
    """Puts a mark of the dealer into every place outside his database; returns his channel's id."""
    empresa_id, mark = ground.installation.empresa_id(number), MARK.format(number)
    async with ground.installation.tenancy() as tenancy, tenancy.central.transaction() as conn:
        channel = await add_channel(
            conn,
            tenancy.keyring,
            empresa_id=empresa_id,
            gateway="redis",
            identifier=mark,
            credentials={},
        )
    redis: Any = ground.redis  # typed as if it were synchronous
    for stream in (inbox, dead_letters, ignored):
        await redis.xadd(stream(empresa_id), {"event": mark})
    await redis.hset(held(empresa_id), "events", 1)
    await redis.hset(channel_state(empresa_id, channel.id), "pace", mark)
    await redis.hset(pair_state(empresa_id, channel.id, "d1"), "pace", mark)
    await redis.xadd(f"helix:replies:{mark}", {"reply": mark})
    for task in Task:
        keys = TaskKeys(empresa_id, task)
        await redis.set(keys.epoch, mark)
        await redis.zadd(keys.due, {str(empresa_id): 1})
        await redis.set(arq_job(keys.ring), mark)
        await redis.zadd(QUEUE, {keys.ring: 1})
    for key in (WAIT_FOR_LUCAS, WAIT_FOR_PERSON):
        await redis.zadd(key, {str(empresa_id): 1})
    await redis.hset(KNOWN_WAITS, str(empresa_id), mark)
    await redis.sadd(STOPPED_CHANNELS, channel.id)
    await redis.zadd(HEARD, {str(channel.id): 1})
    await redis.hset(USUAL, str(channel.id), mark)
    await redis.hset(ALARMS, f"buyer_waits:{empresa_id}",
                     orjson.dumps({"empresa_id": empresa_id, "text": mark}))  # fmt: skip
    await redis.hset(ALARMS, f"channel_silent:{channel.id}", orjson.dumps({"text": mark}))
    await redis.xadd(NEW_DEAD_LETTERS, {"empresa_id": empresa_id, "kind": mark})
    await redis.xadd(UNKNOWN_CHANNEL, {"gateway": "redis", "channel": mark, "event": mark})
    await redis.xadd(UNREADABLE, {"canal_id": channel.id, "body": mark})
    store = open_store(MediaSettings(store=str(ground.files)))
    await store.put(key_of(empresa_id, digest_of(mark.encode())), mark.encode())
    return channel.id


async def in_redis(ground: Ground) -> str:
    """All of it, as one text."""
    redis: Any = ground.redis
    found = []
    async for key in redis.scan_iter():
        kind = (await redis.type(key)).decode()
        content = {
            "string": lambda k: redis.get(k),
            "hash": lambda k: redis.hgetall(k),
            "set": lambda k: redis.smembers(k),
            "zset": lambda k: redis.zrange(k, 0, -1),
            "stream": lambda k: redis.xrange(k),
        }[kind](key)
        found.append(f"{key!r} {await content!r}")
    return "\n".join(found)


async def test_nothing_of_a_deleted_dealer_is_left_and_all_of_the_other(ground: Ground) -> None:
    """A mark in every place: the first dealer's is found nowhere, the second's everywhere."""
    first, second = await ground.dealer(1), await ground.dealer(2)
    first_channel, _ = await spread(ground, 1), await spread(ground, 2)
    redis: Any = ground.redis
    await redis.hset(gateway_state("shared"), "troubles", 1)
    places = (await in_redis(ground)).count(MARK.format(2))
    async with ground.tools() as tools:
        made = await backup.back_up(tools, first.id)
        copies = ground.folder / "copies"
        shutil.copytree(ground.folder / "backups", copies)
        plan = await delete.plan(tools, ground.forget(), first.id)
        assert (plan.rows["customers"], plan.backups, len(plan.channels)) == (5, 1, 1)
        assert plan.redis_keys >= 10

        done = await delete.delete(
            tools, ground.forget(), first.id, confirmed="Loja 1", export_to=ground.folder / "out"
        )

        text = await in_redis(ground)
        assert MARK.format(1) not in text
        assert str(first.id) not in text
        assert text.count(MARK.format(2)) == places
        assert await redis.sismember(STOPPED_CHANNELS, first_channel) == 0
        # A copy of a backup that was taken elsewhere does not open any more.
        shutil.copytree(copies, ground.folder / "backups", dirs_exist_ok=True)
        with pytest.raises(BackupDamaged, match="destroyed"):
            await backup.manifest_of(tools, first.id, made.name)
    assert done.media_files == 1
    assert [path.read_text() for path in ground.files.rglob("*") if path.is_file()] == [
        MARK.format(2)
    ]
    user = await ground.installation.sql(
        "SELECT user FROM mysql.user WHERE user = %s", (user_of(first.id),)
    )
    assert user == []
    assert (await ground.names(2))[-1] == TRICKY
    dump = (ground.folder / "out" / "dump.sql").read_text()
    assert "dealer 1 customer 0" in dump
    assert "dealer 2" not in dump
    assert second.id != first.id
    central = await ground.installation.central("SELECT * FROM passos_operacao")
    assert "5511980000" not in str(central)


async def test_an_id_is_never_used_again(ground: Ground) -> None:
    """Neither by create nor by adopt; the certificate can be read for ever."""
    row = await ground.dealer()
    async with ground.tools() as tools:
        done = await delete.delete(tools, ground.forget(), row.id, confirmed="Loja 1")
        again = await delete.delete(tools, ground.forget(), row.id, confirmed="anything")
        assert again == done == await delete.certificate(tools, row.id)

    with pytest.raises(NotConfigured, match="never used again"):
        await Provisioner(ground.installation.settings).create(row.id, Profile(nome="Outra"))
    status = await ground.row()
    assert (status["status"], status["database"]) == ("excluido", None)


@pytest.mark.parametrize("name", ["", "loja 1", "Loja 2", "Loja 1 "])
async def test_only_the_dealers_own_name_confirms(ground: Ground, name: str) -> None:
    """Anything else changes nothing, and says what to type."""
    row = await ground.dealer()
    before = await ground.row()
    async with ground.tools() as tools:
        with pytest.raises(NotConfirmed, match="--confirm 'Loja 1'"):
            await delete.delete(tools, ground.forget(), row.id, confirmed=name)

    assert await ground.row() == before


async def test_a_deletion_that_cannot_come_to_rest_destroys_nothing(ground: Ground) -> None:
    """While a worker is at it he stays suspended, whole; enabled he is served again."""
    row = await ground.dealer()
    await ground.redis.set(TaskKeys(row.id, Task.DELIVER).lease, "9")
    async with ground.tools(patience_s=0.2) as tools:
        with pytest.raises(TryAgain, match="deliver_replies"):
            await delete.delete(tools, ground.forget(), row.id, confirmed="Loja 1")
        assert (await ground.row())["status"] == "suspenso"
        with pytest.raises(NotConfigured, match="nothing was begun"):
            await abandon(tools, row.id)
        await tools.central.execute("UPDATE empresas SET status = 'ativo' WHERE id = %s", (row.id,))

    assert len(await ground.names()) == 5
