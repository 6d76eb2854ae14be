"""Makes a broken connection to Redis an outage like any other. Called by `process` and `web.app`.

uvloop answers a write to a connection that has been reset with RuntimeError, where asyncio has an
OSError; redis-py lets it through. It would end a worker, and a webhook would get 500 for 503.
"""

from __future__ import annotations

from typing import Any

from redis.asyncio import ConnectionPool
from redis.exceptions import ConnectionError as Disconnected


class _Reporting:
    """Laid over a class of connections; the error that broke one is chained."""

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        """Writes a command. Raises redis-py's ConnectionError, by then the connection is closed."""
        try:
            await super().send_packed_command(*args, **kwargs)  # type: ignore[misc]
        except RuntimeError as error:
            raise Disconnected("the connection broke while it was written to") from error


def reporting(pool: ConnectionPool) -> ConnectionPool:
    """The same pool, before its first use: what its connections raise is a RedisError."""
    plain = pool.connection_class
    pool.connection_class = type(plain.__name__, (_Reporting, plain), {})
    return pool
