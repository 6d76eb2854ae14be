"""What a gateway does to a dealer's sending, on real processes: refused credentials, a hang."""

from __future__ import annotations

import time

from redis.asyncio import Redis

from gateway.cloud_api.standin import CloudStandin
from tenancy.channels import add_channel
from tests.tenancy.installation import Installation
from tests.worker.test_processes import BUYERS, open_city
from worker.announce import announce
from worker.deliver.gate import stopped


async def test_a_channel_with_renewed_credentials_sends_at_once(
    installation: Installation, redis_url: str, redis: Redis
) -> None:
    """The worker hears of the change and looks: long before the probe of a stopped channel."""
    async with open_city(installation, redis_url) as city:
        await city.stack.worker()
        phone = city.one.phone
        assert isinstance(phone, CloudStandin)
        phone.fail_next(code=190)
        await phone.buyer_writes(BUYERS[0], "tem argo?")

        async def is_stopped() -> bool:
            return await stopped(redis) == 1

        await city.stack.until(is_stopped)
        async with city.one.tenancy.central.transaction() as conn:
            await add_channel(
                conn,
                city.one.tenancy.keyring,
                empresa_id=city.one.empresa_id,
                gateway="cloud_api",
                identifier=phone.channel,
                credentials=phone.credentials(verify_token="another"),
            )
        ((versao,),) = await installation.central(
            "SELECT versao FROM empresas WHERE id = %s", (city.one.empresa_id,)
        )
        await announce(redis, city.one.empresa_id, versao)

        await phone.wait_for(1, timeout_s=10)


async def test_7_a_gateway_that_hangs_does_not_hold_up_the_storing_of_others(
    installation: Installation, redis_url: str
) -> None:
    """One place for each task: the hanging send takes that of the deliveries alone."""
    places = {"WORKER_MAX_JOBS": "1", "WORKER_MAX_DELIVERIES": "1", "GATEWAY_SEND_TIMEOUT_S": "8"}
    async with open_city(installation, redis_url, changes=places) as city:
        await city.stack.worker()
        city.one.phone.answer_delay_s = 3600
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)
        begun = time.monotonic()
        await city.two.phone.buyer_writes(BUYERS[1], "tem argo?")

        async def stored() -> bool:
            return await city.two.count("tipo = 'recebida'") == 1

        await city.stack.until(stored, timeout_s=20)
        assert time.monotonic() - begun < 4
