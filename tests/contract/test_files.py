"""A file that came through a gateway without HTTP: the row tells the truth about it."""

from __future__ import annotations

import time

from tests.contract.conftest import CHANNEL, Settled
from tests.worker.shop import BUYER


async def test_a_file_of_a_gateway_without_http_is_not_fetched(settled: Settled) -> None:
    """Stored and answered; the reason is not that its channel were gone."""
    await settled.gateway.push(
        {"kind": "image", "gateway": "redis", "channel": CHANNEL, "message_id": "F1",
         "phone": BUYER, "reply_to": BUYER, "timestamp": int(time.time()),
         "media_id_or_url": "https://gateway.example/f/1"}
    )  # fmt: skip
    await settled.shop.drain()
    await settled.shop.fetch()

    rows = await settled.shop.rows(
        "SELECT midia_erro, midia_em FROM mensagens WHERE midia IS NOT NULL"
    )
    assert rows == [("files of gateway redis are not fetched", None)]
