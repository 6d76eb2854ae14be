"""The commands that look after a number: test, disable, enable, rotate-secret."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from gateway.adapters import ADAPTERS
from gateway.errors import Forbidden
from gateway.evolution.standin import EvolutionStandin
from tenancy.channels import add_channel
from tests.cli.helix import Ran, helix
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop


@dataclass(slots=True)
class Numbers:
    """A dealer with a number at the Cloud API and one at Evolution, both stand-ins."""

    shop: Shop
    env: dict[str, str]
    evolution: EvolutionStandin
    evolution_id: int

    @property
    def cloud_id(self) -> str:
        """As the commands take it."""
        return str(self.shop.channel.id)

    async def helix(self, *args: str, given: str = "") -> Ran:
        """`helix channel ...`."""
        return await helix("channel", *args, env=self.env, given=given)

    async def accepts(self, secret: str) -> bool:
        """Whether the Evolution number's webhook takes this secret."""
        channel = await self.shop.tenancy.registry.channel_by_id(self.evolution_id)
        assert channel is not None
        headers = {"x-webhook-secret": secret}
        try:
            ADAPTERS["evolution"].verify(headers, b"{}", channel.credentials, now=0)
        except Forbidden:
            return False
        return True


@pytest.fixture
async def numbers(installation: Installation, redis_url: str) -> AsyncIterator[Numbers]:
    """Both are as they should be."""
    async with (
        open_shop(installation, redis_url) as shop,
        EvolutionStandin(apikey="the-key", webhook_secret="the-secret", channel="loja") as phone,
    ):
        async with shop.tenancy.central.transaction() as conn:
            channel = await add_channel(
                conn,
                shop.tenancy.keyring,
                empresa_id=shop.empresa_id,
                gateway="evolution",
                identifier="loja",
                credentials=phone.credentials(),
            )
        host = "https://helix.example"
        phone.webhook_url = f"{host}/webhook/evolution/{channel.webhook_token}"
        shop.phone.webhook_url = f"{host}/webhook/cloud_api/{shop.channel.webhook_token}"
        env = {**installation.environment(), "REDIS_URL": redis_url}
        yield Numbers(shop, env, phone, channel.id)


def _wrong(ran: Ran) -> Sequence[str]:
    return [each["what"] for each in ran.json["findings"] if each["ok"] is False]


async def test_a_number_that_is_as_it_should_be_passes(numbers: Numbers) -> None:
    """Exit code 0, a line for each thing that was looked at, no secret in any of them."""
    for number in (numbers.cloud_id, str(numbers.evolution_id)):
        ran = await numbers.helix("test", number)
        as_json = await numbers.helix("test", number, "--json")

        assert (ran.code, as_json.code) == (0, 0), ran.out + ran.err
        assert as_json.json["ok"] is True
        assert all(line.startswith("ok ") for line in ran.out.splitlines())
        for secret in ("the-key", "the-secret", "token "):
            assert secret not in as_json.out.replace("token is valid", "")


async def test_what_is_wrong_is_said_with_what_to_do(numbers: Numbers) -> None:
    """Exit code 1; people read the remedy below what is wrong."""
    numbers.shop.phone.graph.apps = []
    numbers.evolution.instance.state = "close"

    cloud = await numbers.helix("test", numbers.cloud_id, "--json")
    evolution = await numbers.helix("test", str(numbers.evolution_id))

    assert (cloud.code, evolution.code) == (1, 1)
    assert [what for what in _wrong(cloud) if "no app is subscribed" in what] == _wrong(cloud)
    assert "WRONG  the phone is not connected: close" in evolution.out
    assert "scan its QR code" in evolution.out


async def test_a_gateway_that_is_away_is_a_finding(numbers: Numbers) -> None:
    """No trace and no waiting: where to look."""
    await numbers.evolution.__aexit__()
    ran = await numbers.helix("test", str(numbers.evolution_id), "--timeout-s", "2")
    await numbers.evolution.__aenter__()

    assert ran.code == 1
    assert "no connection to the gateway" in ran.out
    assert "base_url" in ran.out


async def test_a_redis_gateway_is_looked_at_where_it_reads(numbers: Numbers, redis: Redis) -> None:
    """No stream; a reply that nobody takes; one that nobody reports; then all is well."""
    added = await numbers.helix(
        *("add", "--empresa", str(numbers.shop.empresa_id), "--gateway", "redis"),
        *("--identifier", "loja-r", "--json"),
    )
    number = str(added.json["id"])
    assert added.json["webhook"] is None
    await numbers.shop.inbox.register()

    stream, old = "helix:replies:loja-r", "1000-0"
    seen = [await numbers.helix("test", number, "--json")]
    await redis.xgroup_create(stream, "gateway", "0", mkstream=True)
    seen.append(await numbers.helix("test", number, "--json"))
    await redis.xadd(stream, {"reply": "{}"}, id=old)
    seen.append(await numbers.helix("test", number, "--json"))
    await redis.xreadgroup("gateway", "a", {stream: ">"})
    await redis.execute_command(  # type: ignore[no-untyped-call]
        "XCLAIM", stream, "gateway", "a", 0, old, "IDLE", 90_000
    )
    seen.append(await numbers.helix("test", number, "--json"))
    await redis.xack(stream, "gateway", old)
    seen.append(await numbers.helix("test", number, "--json"))

    assert [ran.code for ran in seen] == [1, 0, 1, 1, 0]
    none_there, none_taken, unreported = (_wrong(seen[place])[0] for place in (0, 2, 3))
    assert none_there == f"there is no stream {stream}: nobody reads it"
    assert none_taken == "1 repl(ies) wait and nobody takes them"
    assert unreported.endswith("s ago and is not reported")


async def test_a_number_that_is_switched_off_sends_nothing_and_loses_nothing(
    numbers: Numbers,
) -> None:
    """What waits is said; what comes is a dead letter; switched on again the replies go out."""
    shop = numbers.shop
    await shop.push(event("tem onix?"))
    await shop.drain()

    off = await numbers.helix("disable", numbers.cloud_id, "--json")
    await shop.deliver()
    await shop.push(event("e argo?"))
    await shop.drain()
    tested = await numbers.helix("test", numbers.cloud_id, "--json")

    assert (off.code, off.json["active"], off.json["replies_waiting"]) == (0, False, 1), off.err
    assert off.json["oldest_reply_utc"] is not None
    assert shop.phone.outbox == []
    assert "switched off" in (await shop.dead())[0]["error"]
    assert json.loads((await shop.dead())[0]["event"])["text"] == "e argo?"
    assert _wrong(tested) == ["the channel is switched off"]

    on = await numbers.helix("enable", numbers.cloud_id, "--json")
    await shop.execute("UPDATE mensagens SET tentar_em = NULL")
    await shop.deliver()

    assert (on.json["active"], on.json["dead_letters"]) == (True, 1)
    assert [sent.text for sent in shop.phone.outbox] == ["eco: tem onix?"]


async def test_a_dealer_whose_database_is_away_can_be_switched_off(
    numbers: Numbers, installation: Installation
) -> None:
    """The switch is in the registry; how much waits is then not known, and that is said."""
    await installation.central(
        "UPDATE empresas SET db_port = 1 WHERE id = %s", (numbers.shop.empresa_id,)
    )

    off = await numbers.helix("disable", numbers.cloud_id, "--json")

    assert (off.code, off.json["active"], off.json["replies_waiting"]) == (0, False, None)
    assert "not known" in off.err


async def test_a_secret_is_changed_and_no_event_is_refused(numbers: Numbers) -> None:
    """Both are good until --finish; the made one is shown once, to be entered at the gateway."""
    number = str(numbers.evolution_id)

    begun = await numbers.helix("rotate-secret", number, "--json")
    new = begun.json["secret"]
    assert (begun.code, begun.json["key"], begun.json["accepted"]) == (0, "webhook_secret", 2)
    assert [await numbers.accepts(secret) for secret in ("the-secret", new)] == [True, True]
    again = await numbers.helix("rotate-secret", number)
    assert again.code == 1
    assert "--finish" in again.err

    finished = await numbers.helix("rotate-secret", number, "--finish", "--json")
    assert (finished.code, finished.json["accepted"]) == (0, 1), finished.err
    assert [await numbers.accepts(secret) for secret in ("the-secret", new)] == [False, True]
    assert new not in finished.out + finished.err
    over = await numbers.helix("rotate-secret", number, "--finish")
    assert over.code == 1


async def test_a_given_secret_comes_by_stdin_and_is_shown_nowhere(numbers: Numbers) -> None:
    """Meta makes its app secret: it is given, never made here."""
    made = await numbers.helix("rotate-secret", numbers.cloud_id)
    given = await numbers.helix(
        "rotate-secret", numbers.cloud_id, "--secret-from", "-", "--json", given="new-secret\n"
    )
    bad = await numbers.helix(
        "rotate-secret", numbers.cloud_id, "--secret-from", "-", given="two words-secret"
    )

    assert made.code == 1
    assert "--secret-from" in made.err
    assert (given.code, given.json["accepted"]) == (0, 2), given.err
    assert bad.code == 2
    assert "secret\n" not in given.out
    assert "new-secret" not in given.out + given.err
    assert "words-secret" not in bad.out + bad.err
    channel = await numbers.shop.tenancy.registry.channel_by_id(numbers.shop.channel.id)
    assert channel is not None
    assert channel.credentials["app_secret"] == "new-secret,secret"


async def test_a_number_that_nobody_has_is_named(numbers: Numbers) -> None:
    """All four commands say so in the same words."""
    for command in ("test", "disable", "enable", "rotate-secret"):
        ran = await numbers.helix(command, "2147483647")
        assert ran.code == 1
        assert "there is no channel 2147483647" in ran.err
