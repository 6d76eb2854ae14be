"""An event is replayed safely at any time, any number of times, by two people at once."""

from __future__ import annotations

from datetime import datetime

from tenancy.channels import add_channel
from tenancy.names import database_of
from tests.dead.acts import forget_rings, letters, outcomes, replay
from tests.tenancy.installation import Installation
from tests.worker.shop import Shop, event, open_shop
from worker.dead.letter import Kind
from worker.dead.results import Outcome
from worker.queue.dead_letters import DeadLetters

LONG_AGO_MS = 1_700_000_000_000


async def refuse_x(shop: Shop) -> None:
    """From now on the dealer's table takes no text with an x."""
    await alter(shop, "ADD CONSTRAINT sem_x CHECK (conteudo NOT LIKE '%x%')")


async def mend(shop: Shop) -> None:
    """The table takes all texts again."""
    await alter(shop, "DROP CONSTRAINT sem_x")


async def alter(shop: Shop, change: str) -> None:
    """As an administrator, behind the product's back."""
    database = database_of(shop.empresa_id)
    await shop.installation.sql(f"ALTER TABLE mensagens {change}", database=database)


async def give_channel(shop: Shop, to: Shop, identifier: str, credentials: dict[str, str]) -> None:
    """`helix channel add`."""
    async with shop.tenancy.central.transaction() as conn:
        await add_channel(
            conn,
            shop.tenancy.keyring,
            empresa_id=to.empresa_id,
            gateway="cloud_api",
            identifier=identifier,
            credentials=credentials,
        )


async def test_9_an_event_goes_back_to_the_inbox_once_whoever_asks_how_often(shop: Shop) -> None:
    """Twenty replays at once move it once, ring for a worker, and it is stored and answered."""
    await refuse_x(shop)
    await shop.handle(event("xis"), event("tem argo?", phone="5511980000002"))
    await mend(shop)
    (letter,) = await letters(shop)
    await forget_rings(shop)

    results = await replay(shop, *[letter] * 20)

    assert outcomes(results) == {Outcome.REPLAYED: 1, Outcome.GONE: 19}
    assert (await shop.waiting(), len(await shop.queued())) == (1, 1)
    await shop.drain()
    await shop.deliver()
    assert await shop.texts("recebida") == ["tem argo?", "xis"]
    assert sorted(str(sent.text) for sent in shop.phone.outbox) == ["eco: tem argo?", "eco: xis"]
    assert await letters(shop) == []


async def test_2_an_event_without_an_id_keeps_its_identity_over_replays(shop: Shop) -> None:
    """It fails twice, is delivered again by a copy of its letter, and is one row all the same."""
    await refuse_x(shop)
    await shop.handle(event("xis", message_id=None))
    (first,) = await shop.redis.xrange(f"helix:{{{shop.empresa_id}}}:dead")
    await replay(shop, *await letters(shop))
    await shop.drain()
    (second,) = await shop.redis.xrange(f"helix:{{{shop.empresa_id}}}:dead")
    await shop.redis.xadd(f"helix:{{{shop.empresa_id}}}:dead", second[1])
    await mend(shop)

    results = await replay(shop, *await letters(shop))
    await shop.drain()

    assert (first[1][b"id"], first[0]) == (second[1][b"id"], first[0])
    assert outcomes(results) == {Outcome.REPLAYED: 2}
    assert await shop.rows(
        "SELECT conteudo, external_id FROM mensagens WHERE tipo = 'recebida'"
    ) == [("xis", f"helix:{first[1][b'id'].decode()}")]


async def test_a_replayed_event_is_as_old_as_it_is(shop: Shop) -> None:
    """What decides by a message's age sees when it first came, not when it was replayed."""
    keep = DeadLetters(shop.redis)
    raw = event("oi").model_dump_json(exclude_defaults=True).encode()
    await keep.keep_event(
        shop.empresa_id, raw, at_ms=LONG_AGO_MS, origin="1700000000000-0", error="BadData: x"
    )

    await replay(shop, *await letters(shop))
    await shop.drain()

    ((arrived,),) = await shop.rows("SELECT recebida_em FROM mensagens WHERE tipo = 'recebida'")
    assert arrived == datetime(2023, 11, 14, 22, 13, 20)  # noqa: DTZ001 as the column has it


async def test_an_unknown_channels_event_goes_to_whom_the_channel_is_given(shop: Shop) -> None:
    """Before `helix channel add` it stays; after it, it is stored at that dealer."""
    raw = event("oi", channel="loja-9", message_id=None).model_dump_json(exclude_defaults=True)
    await DeadLetters(shop.redis).keep_unknown_channel(
        "cloud_api", "loja-9", raw.encode(), canal_id=shop.channel.id
    )
    (letter,) = await letters(shop, kind=Kind.UNKNOWN_CHANNEL)
    (early,) = await replay(shop, letter)
    await give_channel(shop, shop, "loja-9", shop.phone.credentials())

    results = await replay(shop, letter, letter)
    await shop.drain()

    assert early.outcome is Outcome.STAYS
    assert outcomes(results) == {Outcome.REPLAYED: 1, Outcome.GONE: 1}
    assert await shop.texts("recebida") == ["oi"]
    assert await shop.rows("SELECT external_id FROM mensagens WHERE tipo = 'recebida'") == [
        (f"helix:unknown-channel:{letter.id.stream_id}",)
    ]


async def test_8_a_dealers_secret_brings_nothing_into_another_dealers_database(
    installation: Installation, redis_url: str
) -> None:
    """Replayed only when the channel's own secret is that of the sender: one Meta app for both."""
    async with (
        open_shop(installation, redis_url, 1) as one,
        open_shop(installation, redis_url, 2) as two,
    ):
        for channel in ("own", "shared"):
            raw = event("oi", channel=channel).model_dump_json(exclude_defaults=True)
            await DeadLetters(one.redis).keep_unknown_channel(
                "cloud_api", channel, raw.encode(), canal_id=one.channel.id
            )
        own = {**two.phone.credentials(), "app_secret": "of-two-alone"}
        await give_channel(one, two, "own", own)
        await give_channel(one, two, "shared", one.phone.credentials())

        results = await replay(one, *await letters(one))

        assert [result.outcome for result in results] == [Outcome.STAYS, Outcome.REPLAYED]
        assert (await one.waiting(), await two.waiting()) == (0, 1)


async def test_an_event_of_a_dealer_that_is_no_more_stays(shop: Shop) -> None:
    """Nobody would ever drain that inbox; the letter can be looked at, and discarded."""
    raw = event("oi").model_dump_json(exclude_defaults=True).encode()
    nobody = shop.installation.empresa_id(60)
    await DeadLetters(shop.redis).keep_event(nobody, raw, at_ms=1, origin="1-0", error="BadData: x")

    (result,) = await replay(shop, *await letters(shop))

    assert (result.outcome, len(await letters(shop))) == (Outcome.STAYS, 1)
