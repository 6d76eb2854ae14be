"""The whole way to a gateway on loopback: throughput, and the time from the webhook on.

Called by `bench.__main__` as a part of `messages` and of `latency`. The stand-ins of the Cloud API
are in this process, on the same processors as all else. Channels have the throughput that Meta
gives to large numbers, and no status webhooks come back.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from bench.checks import WrongResult
from bench.contest import Result, get_ready, measure, pipes, started, stop, wiped
from bench.contestants import helix
from bench.ground import GATEWAY, Ground, channel_of, give_channels
from bench.latency import Latency, buyers, emptied, pace, summed_up
from bench.load import phone_of
from bench.queues import InboxAndOutbox
from bench.sizes import Shape, Steady
from bench.webhook import web_process
from gateway.cloud_api.standin import CloudStandin

_LIMITS = {"per_second": 1000.0, "pair_every_s": None}
_ARRIVES_S = 60.0


async def sent(ground: Ground, shape: Shape) -> Result:
    """Lucas's answers to a full queue, until the gateway has them all. Raises WrongResult."""
    async with _stand_ins(ground):
        result = await measure(ground, helix("lucas", sends=True), shape)
    if result.outcome.pending:
        raise WrongResult(f"{result.outcome.pending} replies were not sent")
    return result


async def whole_way(ground: Ground, rate: int, plan: Steady) -> Latency:
    """Milliseconds from a buyer's webhook to the first answer at the stand-in."""
    shape = plan.shape(rate)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(wiped(ground))
        phones = await stack.enter_async_context(_stand_ins(ground))
        port, _ = await stack.enter_async_context(web_process(ground))
        for phone, token in phones.values():
            phone.webhook_url = f"http://127.0.0.1:{port}/webhook/{GATEWAY}/{token}"
        process = await stack.enter_async_context(
            started(ground, helix("lucas", sends=True).command)
        )
        await get_ready(process)
        pipes(process)[0].write(b"go\n")
        wrote = await _write(ground, shape, rate, phones)
        await _all_answered(phones, shape)
        await emptied(InboxAndOutbox(ground, redis).left)
        await stop(process)
    return _summed_up(rate, wrote, phones, plan)


Phones = Mapping[int, tuple[CloudStandin, str]]
"""By empresa: its stand-in, and the last part of its webhook's address."""


@asynccontextmanager
async def _stand_ins(ground: Ground) -> AsyncIterator[Phones]:
    async with AsyncExitStack() as stack:
        phones = {
            empresa_id: await stack.enter_async_context(
                CloudStandin(
                    access_token=secrets.token_hex(16),
                    app_secret=secrets.token_hex(16),
                    channel=channel_of(empresa_id),
                    statuses=(),
                )
            )
            for empresa_id in ground.empresa_ids
        }
        credentials = {empresa_id: phone.credentials() for empresa_id, phone in phones.items()}
        channels = await give_channels(ground, credentials, limits=_LIMITS)
        yield {id_: (phone, channels[id_].webhook_token) for id_, phone in phones.items()}


async def _write(
    ground: Ground, shape: Shape, rate: int, phones: Phones
) -> dict[tuple[int, str], float]:
    """When each buyer's webhook set off, in seconds of the wall clock."""
    wrote: dict[tuple[int, str], float] = {}

    async def write(empresa_id: int, conversation: int) -> None:
        buyer = phone_of(conversation)
        wrote[empresa_id, buyer] = time.time()
        await phones[empresa_id][0].buyer_writes(buyer, "oi, tem onix até 70 mil?")

    await pace(buyers(ground, shape), rate, write)
    return wrote


async def _all_answered(phones: Phones, shape: Shape) -> None:
    for phone, _ in phones.values():
        try:
            await phone.wait_for(
                lambda outbox: len({one.to for one in outbox}) >= shape.conversations, _ARRIVES_S
            )
        except TimeoutError:
            raise WrongResult(f"not all buyers were answered within {_ARRIVES_S} s") from None


def _summed_up(
    rate: int, wrote: Mapping[tuple[int, str], float], phones: Phones, plan: Steady
) -> Latency:
    came: dict[tuple[int, str], float] = {}
    for empresa_id, (phone, _) in phones.items():
        for one in phone.outbox:
            came.setdefault((empresa_id, one.to), one.at)
    return summed_up("helix, webhook to gateway", rate, wrote, came, skip=plan.empresas)
