"""What is older than its dealer wants is gone after the night, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from arq.worker import Worker

from tests.lgpd.everywhere import all_files
from tests.worker.shop import Shop, event
from tests.worker.test_media import PHOTO, sent
from worker.arq_queues import back_up, erase_old, make_worker
from worker.lgpd.settings import PrivacySettings
from worker.lgpd.terms import set_terms
from worker.queue.dead_letters import DeadLetters
from worker.queue.keys import QUEUE, Task, dead_letters
from worker.retention import Retention

NOTHING = dict.fromkeys(
    ("count_visits", "messages_days", "media_days", "dead_letters_days", "decisions_days"), None
)
AGE = "UPDATE mensagens SET timestamp = UTC_TIMESTAMP() - INTERVAL %s DAY WHERE {}"
COUNT = "SELECT COUNT(*) FROM mensagens WHERE {}"
FIRST, SECOND = "5511980000001", "5511980000002"


def retention_of(shop: Shop, **defaults: int) -> Retention:
    """With these defaults; all else is kept."""
    off = {"dead_letters_days": 0, "decisions_days": 0}
    return Retention(
        tenancy=shop.tenancy,
        redis=shop.redis,
        store=shop.jobs.retention.store,
        desk=shop.desk(),
        defaults=PrivacySettings.model_validate({**off, **defaults}),
    )


async def count(shop: Shop, what: str) -> int:
    """Of rows of `mensagens`."""
    ((found,),) = await shop.rows(COUNT.format(what))
    return int(found)


async def test_by_default_messages_and_files_stay() -> None:
    """A dealer's history is his; dead letters and decisions nobody needs for ever."""
    defaults = PrivacySettings()
    days = (defaults.messages_days, defaults.media_days)
    assert days == (0, 0)
    assert (defaults.dead_letters_days, defaults.decisions_days) == (90, 180)


async def test_old_messages_go_with_files_and_memory(shop: Shop) -> None:
    """The talk's memory, too, once it has been silent for so long; what is newer stays whole."""
    await shop.handle(sent(shop, PHOTO, phone=FIRST, text="velho"))
    await shop.handle(sent(shop, PHOTO, phone=SECOND, text="novo"))
    await shop.fetch()
    await shop.execute(AGE.format("customer_id = (SELECT MIN(id) FROM customers)"), (40,))
    await shop.execute(
        "UPDATE conversations SET last_interaction = UTC_TIMESTAMP() - INTERVAL 40 DAY"
        " WHERE customer_id = (SELECT MIN(id) FROM customers)"
    )

    gone = await retention_of(shop, messages_days=30).run()

    assert gone == Counter(messages=2)
    assert await shop.texts("recebida") == ["novo"]
    talks = await shop.rows("SELECT last_message IS NULL, estado IS NULL FROM conversations"
                            " ORDER BY id")  # fmt: skip
    assert talks == [(1, 1), (0, 0)]
    assert PHOTO in all_files(shop.files)
    await shop.execute(AGE.format("1 = 1"), (40,))
    await retention_of(shop, messages_days=30).run()
    assert all_files(shop.files) == b""


async def test_what_waits_to_be_sent_is_not_old(shop: Shop) -> None:
    """However long a gateway or a file has kept it waiting."""
    await shop.push(sent(shop, PHOTO, text="foto"))
    await shop.drain()
    await shop.execute(AGE.format("1 = 1"), (40,))

    await retention_of(shop, messages_days=30, media_days=30).run()

    assert await count(shop, "status = 'pendente' OR midia_em IS NOT NULL") == 2


async def test_old_files_and_decisions_go_and_messages_stay(shop: Shop) -> None:
    """The row says why there is no file; a second night finds nothing more to do."""
    await shop.handle(sent(shop, PHOTO, text="veja"))
    await shop.fetch()
    await shop.execute(AGE.format("1 = 1"), (40,))
    await shop.execute('UPDATE mensagens SET decisao = \'{"rule": "x"}\'')
    retention = retention_of(shop, media_days=30, decisions_days=30)

    first, second = await retention.run(), await retention.run()

    assert (first, second) == (Counter(files=1, decisions=2), Counter())
    assert all_files(shop.files) == b""
    assert await count(shop, "midia_erro LIKE '%retenção%' AND midia_onde IS NULL") == 1
    assert await count(shop, "decisao IS NOT NULL") == 0
    assert await shop.texts("recebida") == ["veja"]


async def test_a_dealers_own_days_count(shop: Shop) -> None:
    """0 is without end, also where the default is not."""
    await shop.handle(event("velho"))
    await shop.execute(AGE.format("1 = 1"), (40,))
    own = {**NOTHING, "messages_days": 0}
    await set_terms(shop.tenancy.central, shop.empresa_id, own)
    await retention_of(shop, messages_days=30).run()
    assert await shop.texts("recebida") == ["velho"]

    own = {**NOTHING, "messages_days": 39}
    await set_terms(shop.tenancy.central, shop.empresa_id, own)
    await retention_of(shop).run()
    assert await shop.texts("recebida") == []


async def test_old_dead_letters_go(shop: Shop) -> None:
    """By Redis's own ids, which are times; the newer ones stay."""
    stream = dead_letters(shop.empresa_id)
    await shop.redis.xadd(stream, {"kind": "reply", "mensagem_id": 1, "error": "x"}, id="1000-0")
    await DeadLetters(shop.redis).keep_reply(shop.empresa_id, 2, error="y")

    gone = await retention_of(shop, dead_letters_days=90).run()

    assert gone == Counter(dead_letters=1)
    assert [letter["mensagem_id"] for letter in await shop.dead()] == ["2"]


async def test_one_process_at_a_time(shop: Shop) -> None:
    """The others have nothing to do that night; a dead one lets go."""
    await shop.redis.set("helix:retention", "another", px=30_000)
    stream = dead_letters(shop.empresa_id)
    await shop.redis.xadd(stream, {"kind": "reply"}, id="1000-0")
    assert await retention_of(shop, dead_letters_days=90).run() == Counter()
    assert await shop.redis.xlen(stream) == 1

    await shop.redis.delete("helix:retention")
    assert await retention_of(shop, dead_letters_days=90).run() == Counter(dead_letters=1)


async def test_a_dealer_who_cannot_be_served_is_left_for_the_next_night(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And named; it ends the night for nobody else."""
    await shop.installation.central("UPDATE empresas SET db_name = 'nowhere'")
    shop.tenancy.registry.stale()

    gone = await retention_of(shop, decisions_days=1).run()

    assert gone == Counter(dealers_left_out=1)


async def test_every_worker_knows_the_nightly_jobs(shop: Shop) -> None:
    """One queue has it, at night by the dealers' clock; a run leaves its place in the queue."""
    worker: Worker = make_worker(shop.settings.worker, shop.redis, shop.jobs, Task.DRAIN)
    night, backups = worker.cron_jobs
    other = make_worker(shop.settings.worker, shop.redis, shop.jobs, Task.DELIVER)
    assert not other.cron_jobs
    assert (night.hour, night.minute, str(worker.timezone)) == (3, 17, "America/Sao_Paulo")
    assert (backups.hour, backups.minute) == (None, {4, 14, 24, 34, 44, 54})

    ctx: dict[str, Any] = {"jobs": shop.jobs, "job_id": "the-night"}
    for job in (erase_old, back_up):
        await shop.redis.zadd(QUEUE, {"the-night": 1})
        await job(ctx)
        assert await shop.redis.zscore(QUEUE, "the-night") is None
