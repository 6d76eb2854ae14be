"""The whole way under trouble: webhooks twice and late, sends that fail or lose their answer.

LOAD_EVENTS=1000 is the full form, whose figures stand in docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from functools import partial

import pytest
import structlog

from gateway.standin.trouble import Trouble
from gateway.standin.values import Outgoing
from tests.tenancy.installation import Installation
from tests.worker.test_processes import Dealer, doubled, in_order, open_city

log = structlog.get_logger()

_EVENTS = int(os.environ.get("LOAD_EVENTS", "120"))
_A_BUYER = 10
_BUYERS = [f"55119810{number:05}" for number in range(_EVENTS // _A_BUYER)]
_PACED = {"gap_s": [0.005, 0.015], "typing_per_s": 1000, "new_contacts_per_min": 1000}
_SETTINGS = {"WORKER_UNKNOWN_WAIT_S": "4", "GATEWAY_SEND_TIMEOUT_S": "5"}


@pytest.mark.parametrize("gateways", [("cloud_api", "evolution"), ("cloud_api", "waha")])
async def test_1_2_3_6_under_trouble_each_is_stored_once_and_answered_once_and_in_order(
    installation: Installation, redis_url: str, gateways: tuple[str, str]
) -> None:
    """10 % twice, 10 % late, 5 % errors, 2 % lost answers and 1 % cut connections, limits on, two
    workers: only a lost answer may bring a buyer a message twice."""
    async with open_city(
        installation, redis_url, changes=_SETTINGS, gateways=gateways, paced=_PACED
    ) as city:
        for number, dealer in enumerate(city.dealers):
            dealer.phone.trouble = Trouble(
                seed=number, repeated=0.1, late=0.1, failed=0.05, lost=0.02, cut=0.01
            )
        await asyncio.gather(city.stack.worker(), city.stack.worker())
        begun = time.monotonic()
        await asyncio.gather(*(_talk(dealer, buyer) for dealer in city.dealers
                               for buyer in _BUYERS))  # fmt: skip

        async def all_answered() -> bool:
            waiting = [
                await dealer.unanswered() + await dealer.count("status IN ('pendente', 'enviando')")
                for dealer in city.dealers
            ]
            return await city.stored() == 2 * len(_BUYERS) * _A_BUYER and sum(waiting) == 0

        await city.stack.until(all_answered, timeout_s=50 + _EVENTS / 5)

        for dealer in city.dealers:
            texts = await dealer.received()
            assert {buyer: sorted(got) for buyer, got in texts.items()} == {
                buyer: sorted(_texts()) for buyer in _BUYERS
            }
            assert {decisions for _, _, decisions in await dealer.sent_turns()} == {1}
            assert await dealer.count("status = 'falhou'") == 0
            assert await in_order(dealer)
            trouble = dealer.phone.trouble
            assert trouble is not None
            twice = await doubled(dealer)
            assert twice <= trouble.counts["lost"]
            log.info("load", gateway=type(dealer.phone).__name__, trouble=dict(trouble.counts),
                     sent=len(dealer.phone.outbox), doubled=twice,
                     seconds=round(time.monotonic() - begun, 1))  # fmt: skip


async def _talk(dealer: Dealer, buyer: str) -> None:
    """Most wait for each answer, so that there are many; some write all at once."""
    hasty = buyer.endswith("0")
    for number, text in enumerate(_texts(), start=1):
        await dealer.phone.buyer_writes(buyer, text)
        if not hasty:
            await dealer.phone.wait_for(partial(_has, buyer, number), timeout_s=60 + _EVENTS / 5)


def _has(buyer: str, count: int, outbox: Sequence[Outgoing]) -> bool:
    return sum(sent.to.startswith(buyer) for sent in outbox) >= count


def _texts() -> list[str]:
    return [f"tem argo até {number} mil?" for number in range(60, 60 + _A_BUYER)]
