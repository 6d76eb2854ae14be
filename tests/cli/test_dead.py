"""`helix dead`: the whole of it, by processes of its own, against a real worker."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from redis.asyncio import Redis

from dev.stack import running_stack
from schema.events import Event, EventKind
from tenancy.channels import add_channel
from tenancy.names import database_of
from tests.cli.helix import Ran, helix
from tests.tenancy.installation import Installation
from worker.announce import announce
from worker.queue.dead_letters import DeadLetters
from worker.queue.inbox import Inbox
from worker.queue.keys import dead_letters

DEALERS = range(1, 6)
OF_EACH = 20
PHONE = "5511987654321"
SECRET_WORDS = "quero o carro da Marisa Andrade"


def message(number: int, text: str, *, empresa: int, **changes: Any) -> Event:
    """Each of another buyer; every fourth without an id, as some gateways send them."""
    values: dict[str, Any] = {
        "kind": EventKind.TEXT,
        "message_id": None if number % 4 == 0 else f"wamid.{empresa}.{number}.{text[:3]}",
        "phone": f"551198{number:07}",
        "channel": f"loja-{empresa}",
        "text": text,
        "timestamp": int(time.time()),
        "gateway": "evolution",
        "reply_to": f"551198{number:07}",
    }
    return Event(**{**values, **changes})


def failing(empresa: int) -> list[Event]:
    """Sixty events of a dealer: twenty by each of three causes."""
    events = []
    for number in range(OF_EACH):
        place = 1000 * (empresa % 1000) + number
        events += [
            message(place, f"proibido {number}", empresa=empresa),
            message(place + 100, "citando", empresa=empresa, quoted_id=f"wamid.LONG{number}"),
            message(place + 200, "outra loja", empresa=empresa, channel=f"nova-{empresa}"),
        ]
    return events


async def alter(installation: Installation, number: int, *changes: str) -> None:
    """As a person does, behind the product's back."""
    database = database_of(installation.empresa_id(number))
    for change in changes:
        await installation.sql(f"ALTER TABLE mensagens {change}", database=database)


async def add_channels(installation: Installation, redis: Redis, name: str) -> None:
    """`helix channel add` for each dealer, without credentials: nothing is sent here."""
    async with installation.tenancy() as tenancy:
        for number in DEALERS:
            empresa_id = installation.empresa_id(number)
            async with tenancy.central.transaction() as conn:
                await add_channel(
                    conn,
                    tenancy.keyring,
                    empresa_id=empresa_id,
                    gateway="evolution",
                    identifier=f"{name}-{empresa_id}",
                    credentials=None,
                )
            await announce(redis, empresa_id, 0)


async def stored(installation: Installation) -> list[tuple[int, int]]:
    """Of each dealer: rows, and different messages among them."""
    found = []
    for number in DEALERS:
        database = database_of(installation.empresa_id(number))
        rows = await installation.sql(
            "SELECT COUNT(*), COUNT(DISTINCT m.canal_id, m.external_id, c.phone)"
            " FROM mensagens m JOIN customers c ON c.id = m.customer_id",
            database=database,
        )
        found.append((rows[0][0], rows[0][1]))
    return found


async def test_9_three_hundred_dead_events_are_grouped_mended_and_replayed_by_two_at_once(
    installation: Installation, redis_url: str
) -> None:
    """Right groups and counts; after two replays side by side 300 rows, none of them twice."""
    env = {**installation.environment(), "REDIS_URL": redis_url, "WORKER_SWEEP_S": "0.2"}
    await asyncio.gather(*(installation.create(number) for number in DEALERS))
    await installation.central("UPDATE empresas SET bot_ativo = 0")
    for number in DEALERS:
        await alter(
            installation,
            number,
            "ADD CONSTRAINT sem_palavra CHECK (conteudo NOT LIKE 'proibido%')",
            "MODIFY COLUMN citada VARCHAR(5)",
        )
    ids = [installation.empresa_id(number) for number in DEALERS]
    async with Redis.from_url(redis_url) as redis, running_stack(env) as stack:
        await add_channels(installation, redis, "loja")
        for empresa_id in ids:
            await Inbox(redis).push(empresa_id, failing(empresa_id))
        await stack.worker()

        async def dead(count: int) -> bool:
            letters = sum([await redis.xlen(dead_letters(empresa_id)) for empresa_id in ids])
            return bool(letters == count)

        await stack.until(lambda: dead(300))
        listed = await helix("dead", "list", "--json", env=env)
        assert groups(listed) == {
            "BadData: a check of the table fails (4025)": 100,
            "BadData: a text is too long in citada (1406)": 100,
            "channel … of gateway … is not one of empresa … … shows its channels": 100,
        }
        assert [row["per_empresa"] for row in listed.json] == [
            {str(empresa_id): OF_EACH for empresa_id in ids}
        ] * 3
        assert await stored(installation) == [(0, 0)] * 5

        for number in DEALERS:
            await alter(installation, number, "DROP CONSTRAINT sem_palavra",
                        "MODIFY COLUMN citada VARCHAR(255)")  # fmt: skip
        await add_channels(installation, redis, "nova")
        replays = await asyncio.gather(
            *(helix("dead", "replay", "--all", "--rate", "400", "--json", env=env) for _ in "12")
        )

        async def all_stored() -> bool:
            return await stored(installation) == [(60, 60)] * 5

        await stack.until(all_stored)
        counts = [Counter(ran.json["outcomes"]) for ran in replays]
        assert sum(count["replayed"] for count in counts) == 300, [ran.err for ran in replays]
        assert (await helix("dead", "list", "--json", env=env)).json == []


async def test_the_audit_says_who_did_what_and_plans_change_nothing(
    installation: Installation, redis_url: str
) -> None:
    """A plan leaves all as it is; a discard needs a reason; each action is a row."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    empresa, other = (await installation.create(1)).id, (await installation.create(2)).id
    async with Redis.from_url(redis_url) as redis:
        await keep(redis, empresa, "BadData: a text is too long in midia (1406)", count=3)
        await keep(redis, other, "not an event: 3 errors", count=2)

        planned = await helix("dead", "replay", "--all", "--plan", "--json", env=env)
        slip = await helix("dead", "replay", env=env)
        no_reason = await helix("dead", "discard", "--empresa", str(other), env=env)
        some = await helix(
            *("dead", "replay", "--cause", "too long", "--since", "2020-11-24T00:00-03:00"),
            *("--stop-after", "2", "--json"),
            env=env,
        )
        discarded = await helix(
            *(
                "dead",
                "discard",
                "--empresa",
                str(other),
                "--reason",
                "ruído",
                "--as",
                "ana",
                "--json",
            ),
            env=env,
        )
        left = await helix("dead", "list", "--each", "--json", env=env)
        audit = await helix("dead", "audit", "--json", env=env)

        assert (planned.json["found"], planned.json["outcomes"]) == (5, {"replayed": 5})
        assert (slip.code, no_reason.code) == (2, 2)
        assert "--reason" in no_reason.err
        assert some.json["outcomes"] == {"replayed": 2}, some.err
        assert discarded.json["outcomes"] == {"discarded": 2}
        assert [row["empresa"] for row in left.json] == [empresa]
        assert [(row["action"], row["counts"], row["reason"]) for row in audit.json] == [
            ("discard", {"discarded": 2}, "ruído"),
            ("replay", {"replayed": 2}, None),
        ]
        assert audit.json[0]["who"].startswith("ana (")
        assert (audit.json[1]["filter"], audit.json[1]["found"]) == (
            "cause=too long since=2020-11-24T03:00:00+00:00",
            3,
        )
        assert all(row["ended"] for row in audit.json)


async def test_nobody_reads_a_buyers_words_by_the_way(
    installation: Installation, redis_url: str
) -> None:
    """No list and no plan shows them, `show` only when told to, and then the audit knows."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    empresa = (await installation.create()).id
    event = message(1, SECRET_WORDS, empresa=empresa, phone=PHONE, push_name="Marisa")
    async with Redis.from_url(redis_url) as redis:
        keep_letters = DeadLetters(redis)
        await keep_letters.keep_event(
            empresa,
            event.model_dump_json(exclude_defaults=True).encode(),
            at_ms=1,
            origin="1-0",
            error=f"ValueError: cannot read {SECRET_WORDS} of {PHONE}",
        )
        await keep_letters.keep_unreadable(1, f"<{SECRET_WORDS} {PHONE}>".encode(), error="no JSON")
        (letter, body) = [
            row["id"] for row in (await helix("dead", "list", "--each", "--json", env=env)).json
        ]

        quiet = await asyncio.gather(
            *(
                helix(*args, env=env)
                for args in (
                    ("dead", "list"),
                    ("dead", "list", "--each"),
                    ("dead", "show", letter),
                    ("dead", "show", body, "--json"),
                    ("dead", "replay", "--all", "--plan"),
                )
            )
        )
        told = await helix("dead", "show", letter, "--personal", "--json", env=env)
        audit = await helix("dead", "audit", "--json", env=env)

        for ran in quiet:
            assert ran.code == 0, ran.err
            for secret in ("Marisa", PHONE, "quero"):
                assert secret not in ran.out + ran.err
        assert told.json["event"]["text"] == SECRET_WORDS
        assert PHONE in told.json["error"]
        assert [(row["action"], row["filter"]) for row in audit.json] == [("show_personal", letter)]
        assert (await helix("dead", "show", f"{empresa}:1-1", env=env)).code == 1
        assert (await helix("dead", "show", PHONE, env=env)).code == 2


async def test_ctrl_c_ends_between_two_and_the_same_command_goes_on(
    installation: Installation, redis_url: str
) -> None:
    """What was done is done and written down; the rest is there for the next run."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    empresa = (await installation.create()).id
    args = ("dead", "replay", "--all", "--json")
    async with Redis.from_url(redis_url) as redis:
        await keep(redis, empresa, "BadData: x", count=50)
        process = await start((*args, "--rate", "20"), env)
        while await redis.xlen(dead_letters(empresa)) > 45:
            await redis.xread({"nobody": "$"}, block=20)  # a pause

        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        first = orjson.loads(out)
        second = await helix(*args, env=env)
        audit = await helix("dead", "audit", "--json", env=env)

        assert process.returncode == 130, err
        assert first["interrupted"]
        assert 5 <= first["outcomes"]["replayed"] < 50
        assert first["outcomes"]["replayed"] + second.json["outcomes"]["replayed"] == 50
        assert [row["interrupted"] for row in audit.json] == [False, True]


async def test_without_redis_a_person_is_told_to_try_later(
    installation: Installation, unused_tcp_port: int
) -> None:
    """Exit code 3 and a plain word, no traceback; and a mistyped time is the caller's mistake."""
    env = {**installation.environment(), "REDIS_URL": f"redis://127.0.0.1:{unused_tcp_port}/0"}

    listed = await helix("dead", "list", env=env)
    mistyped = await helix("dead", "list", "--since", "ontem", env=env)

    assert (listed.code, mistyped.code) == (3, 2)
    assert "REDIS_URL" in listed.err
    assert "Traceback" not in listed.err + mistyped.err


async def keep(redis: Redis, empresa_id: int, error: str, *, count: int) -> None:
    """Dead events of one cause."""
    for number in range(count):
        raw = message(number, "oi", empresa=empresa_id).model_dump_json(exclude_defaults=True)
        await DeadLetters(redis).keep_event(
            empresa_id, raw.encode(), at_ms=1, origin=f"1-{number}", error=error
        )


async def start(args: Sequence[str], env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """A command that is still running when it returns."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", *args),
        env={"PATH": os.environ["PATH"], **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def groups(listed: Ran) -> dict[str, int]:
    """Letters by cause; no cause holds a number that is not a code."""
    causes = {row["cause"]: row["letters"] for row in listed.json}
    assert not [cause for cause in causes if re.search(r"(?<!\()\d", re.sub(r"\(\d+\)", "", cause))]
    return causes
