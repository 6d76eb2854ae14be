"""The benchmark's own promises: it runs, and a wrong result never passes for a fast one."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bench import node_program
from bench.checks import WrongResult, check
from bench.contest import Result, measure
from bench.contestants import bullmq, helix, limit, plain_arq
from bench.ground import Ground, prepared, run
from bench.messages import contests, with_node
from bench.redis_database import own_database
from bench.report import lines
from bench.sizes import FULL, QUICK, Shape, plan_of
from dev.servers import Servers
from tenancy.names import database_of

_BURSTS = Shape(name="bursts", empresas=2, conversations=3, messages=4, burst=2)
_SPREAD = Shape(name="spread", empresas=2, conversations=7, messages=1)


@pytest.mark.parametrize("answer", ["trivial", "lucas"])
async def test_the_product_answers_every_conversation(ground: Ground, answer: str) -> None:
    """What was preloaded is stored once, in order, and answered; contests share a ground."""
    bursts = await measure(ground, helix(answer), _BURSTS)
    spread = await measure(ground, helix(answer), _SPREAD)

    assert bursts.outcome.disordered == 0
    assert bursts.outcome.turns >= 6
    assert spread.outcome.turns == 14
    assert spread.outcome.withdrawn == 0
    assert bursts.per_second > 0
    assert bursts.cpu_s > 0


@pytest.mark.parametrize("cached", [True, False])
async def test_the_baseline_does_the_same_work(ground: Ground, cached: bool) -> None:
    """It is worth beating: every message is stored once, and each has an answer of its own."""
    result = await measure(ground, plain_arq("trivial", cached=cached, max_jobs=8), _BURSTS)

    assert result.outcome.turns == 24
    assert result.outcome.pending == 24


async def test_the_rival_in_node_does_the_same_work(ground: Ground) -> None:
    """The rows are as the baseline's; where npm has no way out, the rival is left out."""
    said: list[str] = []
    if not await with_node(said.append):
        assert said[0].startswith("BullMQ is left out: ")
        return
    for cached in (True, False):
        result = await measure(ground, bullmq(cached=cached, max_jobs=8), _BURSTS)

        assert result.outcome.turns == 24
        assert result.outcome.pending == 24
        assert result.cpu_s > 0


async def test_a_machine_without_npm_leaves_the_rival_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says why, leaves no half of an installation behind, and the others go on."""
    monkeypatch.setattr(node_program, "_LOCAL", tmp_path / "node")
    monkeypatch.setattr(node_program, "_NPM", tmp_path / "nothing.js")
    said: list[str] = []

    assert not await with_node(said.append)

    assert "npm cannot install the packages" in said[0]
    assert list((tmp_path / "node").iterdir()) == []
    assert not [who for who, _ in contests(QUICK, node=False) if who.name.startswith("BullMQ")]


async def test_the_limit_writes_the_rows_of_the_product(ground: Ground) -> None:
    """Else it would be no limit: same messages, same answers to the same conversations."""
    await measure(ground, helix("trivial"), _SPREAD)
    ours = await _written(ground)
    await measure(ground, limit(4), _SPREAD)

    assert await _written(ground) == ours
    assert (await measure(ground, limit(5), _BURSTS)).outcome.disordered == 0


async def _written(ground: Ground) -> list[list[tuple[object, ...]]]:
    """What both must write alike, of each dealer."""
    return [await ground.rows(empresa_id, _WRITTEN) for empresa_id in ground.empresa_ids]


_WRITTEN = """
    SELECT m.external_id, r.conteudo, r.status, r.autor, m.autor, m.conteudo, m.turno, r.turno,
           r.canal_id = m.canal_id, c.status, c.turno, c.last_message, c.endereco, cu.phone, cu.name
      FROM mensagens m
      JOIN mensagens r ON r.conversation_id = m.conversation_id AND r.tipo = 'enviada'
      JOIN conversations c ON c.id = m.conversation_id
      JOIN customers cu ON cu.id = m.customer_id
     WHERE m.tipo = 'recebida' ORDER BY cu.phone
"""

_DAMAGE = {
    "lost": "DELETE FROM mensagens WHERE tipo = 'recebida' ORDER BY id DESC LIMIT 1",
    "renamed": """
        UPDATE mensagens SET external_id = CONCAT(external_id, '9')
         WHERE tipo = 'recebida' ORDER BY id DESC LIMIT 1
    """,
    "unanswered": "DELETE FROM mensagens WHERE tipo = 'enviada' ORDER BY id DESC LIMIT 1",
    "waiting": "UPDATE conversations SET responder_em = NOW(3) LIMIT 1",
    "in another's": """
        UPDATE mensagens
           SET conversation_id = IF(conversation_id = (SELECT MIN(id) FROM conversations),
                                    (SELECT MAX(id) FROM conversations),
                                    (SELECT MIN(id) FROM conversations))
         WHERE tipo = 'recebida' ORDER BY id DESC LIMIT 1
    """,
    "double": """
        INSERT INTO mensagens (conversation_id, customer_id, tipo, external_id, canal_id)
        SELECT conversation_id, customer_id, tipo, external_id, 0 FROM mensagens
         WHERE tipo = 'recebida' ORDER BY id DESC LIMIT 1
    """,
}


@pytest.mark.parametrize("damage", _DAMAGE.values(), ids=_DAMAGE.keys())
async def test_a_wrong_result_fails(ground: Ground, damage: str) -> None:
    """Whatever is wrong with one message or one conversation."""
    await measure(ground, helix("trivial"), _BURSTS)
    await run(ground.mariadb, damage, database=database_of(ground.empresa_ids[-1]))

    with pytest.raises(WrongResult):
        await check(ground, _BURSTS, ordered=True)


_SWAP = tuple(
    f"UPDATE mensagens SET external_id = REPLACE(external_id, '.0.{old}', '.0.{new}')"  # noqa: S608
    f" WHERE external_id LIKE '%.0.{old}'"
    for old, new in (("0", "x"), ("3", "0"), ("x", "3"))
)
"""The first and the last message of the first buyer change places."""


async def test_order_is_asked_of_the_product_alone(ground: Ground) -> None:
    """Plain arq promises no order: there it is counted, for the product it is an error."""
    await measure(ground, helix("trivial"), _BURSTS)
    await run(ground.mariadb, *_SWAP, database=database_of(ground.empresa_ids[0]))

    assert (await check(ground, _BURSTS, ordered=False)).disordered == 1
    with pytest.raises(WrongResult, match="out of order"):
        await check(ground, _BURSTS, ordered=True)


async def test_a_contestant_that_ends_is_no_winner(ground: Ground) -> None:
    """What it said last comes along with the error."""
    broken = replace(
        helix("trivial"), command=(sys.executable, "-m", "bench.product", "none", "keeps")
    )

    with pytest.raises(WrongResult) as caught:
        await measure(ground, broken, _SPREAD)

    assert "KeyError: 'none'" in "".join(caught.value.__notes__)


async def test_nothing_stays_behind(servers: Servers) -> None:
    """Databases, users and the Redis database are those of one run alone."""
    async with prepared(servers, empresas=1, cars=1) as ground:
        central, redis_url = ground.settings.db_name, ground.redis_url
        name = database_of(ground.empresa_ids[0])

    found = await run(servers.mariadb, "SELECT schema_name FROM information_schema.schemata")
    assert not {central, name} & {row[0] for row in found}
    users = await run(servers.mariadb, "SELECT user FROM mysql.user")
    assert f"e{ground.empresa_ids[0]}_app" not in {row[0] for row in users}
    async with Redis.from_url(redis_url) as redis:
        assert await redis.dbsize() == 0


async def test_two_runs_never_share_a_redis_database(servers: Servers) -> None:
    """A database that holds anything is somebody's."""
    async with own_database(servers.redis_url) as one, own_database(servers.redis_url) as other:
        assert one != other


def test_rivals_are_measured_on_the_same_load() -> None:
    """Every figure of the product has a baseline beside it, with the same answer."""
    held = [(who.answer, who.ours, shape.name) for who, shape in contests(QUICK, node=False)]

    ours = {(answer, shape) for answer, product, shape in held if product}
    theirs = {(answer, shape) for answer, product, shape in held if not product}
    assert ours == theirs
    assert len(ours) == 6


async def test_the_ratio_is_that_of_the_medians(ground: Ground) -> None:
    """One lucky round makes no figure."""
    outcome = (await measure(ground, helix("trivial"), _SPREAD)).outcome

    def result(contestant: str, seconds: float) -> Result:
        return Result(contestant=contestant, answer="trivial", shape=_SPREAD, seconds=seconds,
                      cpu_s=0.1, outcome=outcome)  # fmt: skip

    made = lines(
        [result("helix", s) for s in (1.0, 2.0, 9.0)]
        + [result("plain", s) for s in (10.0, 20.0, 30.0)]
    )

    assert [line.ratio for line in made] == [1.0, 10.0]


@pytest.mark.parametrize(
    ("environment", "expected", "rounds"),
    [({}, FULL, 1), ({"BENCH_QUICK": "0"}, FULL, 1), ({"BENCH_QUICK": "1"}, QUICK, 1),
     ({"BENCH_ROUNDS": "3"}, FULL, 3)],
)  # fmt: skip
def test_sizes_come_from_the_environment(
    environment: dict[str, str], expected: object, rounds: int
) -> None:
    """As the page on benchmarks says."""
    plan = plan_of(environment)

    assert plan.rounds == rounds
    assert plan.spread == getattr(expected, "spread", None)
