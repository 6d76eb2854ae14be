"""A worker that is told to stop: what it has begun to send is sent once. Real processes."""

from __future__ import annotations

from tests.tenancy.installation import Installation
from tests.worker.test_processes import BUYERS, open_city


async def test_6_a_send_that_is_under_way_is_finished_before_the_stop(
    installation: Installation, redis_url: str
) -> None:
    """SIGTERM while the gateway takes its time: the answer is awaited and recorded."""
    async with open_city(installation, redis_url) as city:
        worker = await city.stack.worker()
        city.one.phone.statuses = ()  # which would settle what a cut leaves open
        city.one.phone.answer_delay_s = 1.5
        await city.one.phone.buyer_writes(BUYERS[0], "tem argo?")
        await city.one.phone.wait_for(1)

        assert await worker.stop() == 0
        await city.stack.worker()

        async def sent() -> bool:
            return await city.one.count("status IN ('enviada', 'entregue', 'lida')") == 1

        await city.stack.until(sent)
        assert len(city.one.phone.outbox) == 1
