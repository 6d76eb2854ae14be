"""One buyer, two dealers at once: each dealer sees and answers what was written to him."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.tenancy.installation import Installation
from tests.worker.test_processes import Dealer, open_city

BUYER = "551198000777"
SAID = (["tem argo?", "aceita troca?"], ["tem onix?", "qual o endereço?"])


@pytest.mark.parametrize("gateways", [("cloud_api", "evolution"), ("cloud_api", "waha")])
async def test_8_the_same_buyer_writes_to_two_dealers_at_once(
    installation: Installation, redis_url: str, gateways: tuple[str, str]
) -> None:
    """Real processes, one number, other words to each: rows and answers are each dealer's own."""
    async with open_city(installation, redis_url, gateways=gateways) as city:
        await city.stack.worker()
        for words in zip(*SAID, strict=True):
            pairs = zip(city.dealers, words, strict=True)
            await asyncio.gather(*(one.phone.buyer_writes(BUYER, text) for one, text in pairs))

        for number, dealer in enumerate(city.dealers):
            await city.stack.until(partial(_all_is_answered, dealer))
            assert list((await dealer.received()).values()) == [SAID[number]]
            told = " ".join(sent.text or "" for sent in dealer.phone.outbox)
            assert f"da Loja {number + 1}." in told
            assert f"Loja {2 - number}" not in told
            sent = await dealer.count("autor = 'lucas' AND status IN ('enviada','entregue','lida')")
            assert sent == len(dealer.phone.outbox)


async def _all_is_answered(dealer: Dealer) -> bool:
    waiting = await dealer.count("status IN ('pendente', 'enviando')")
    return bool(dealer.phone.outbox) and await dealer.unanswered() == 0 and waiting == 0
