"""Posts notices to the operator's webhook, signed, until they are taken. Called by the watcher."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import time
from typing import Any

import aiohttp
import structlog
from redis.asyncio import Redis

from worker.alarm.book import NOTICES

log = structlog.get_logger()

_AT_ONCE = 50
_BATCHES = 2
"""Of one call; the rest waits for the next."""
_TIMEOUT_S = 3.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 5.0, 300.0


class Poster:
    """The webhook of one installation. What it does not take stays in Redis, in its order."""

    def __init__(
        self, redis: Redis, session: aiohttp.ClientSession, *, url: str, secret: str
    ) -> None:
        self._redis = redis
        self._session = session
        self._url = url
        self._secret = secret.encode()
        self._failures = 0
        self._not_before = 0.0

    async def post(self) -> int:
        """What is queued, not for too long, unless the last try has just failed. Returns how many
        were taken. Who receives them goes by their ids: one may come twice, none is lost."""
        taken = 0
        for _ in range(_BATCHES):
            if time.monotonic() < self._not_before:
                break
            # Typed as if a synchronous client might have been given.
            asked: Any = self._redis.lrange(NOTICES, 0, _AT_ONCE - 1)
            notices: list[bytes] = await asked
            if not notices:
                break
            problem = await self._send(notices)
            if problem is not None:
                self._failed(problem)
                break
            self._failures = 0
            taken += len(notices)
            # By what they say, not by their place: another watcher may have posted them as well.
            async with self._redis.pipeline(transaction=True) as pipe:
                for notice in notices:
                    pipe.lrem(NOTICES, 1, notice.decode())
                await pipe.execute()
        return taken

    async def _send(self, notices: list[bytes]) -> str | None:
        """None when they were taken, else what was wrong: no address, it may hold a token."""
        body = b'{"version":1,"notices":[' + b",".join(notices) + b"]}"
        try:
            async with (
                asyncio.timeout(_TIMEOUT_S),
                self._session.post(
                    self._url,
                    data=body,
                    headers={
                        "Content-Type": "application/json",
                        "Helix-Signature": signature(self._secret, body, int(time.time())),
                    },
                    allow_redirects=False,
                ) as answer,
            ):
                return None if answer.ok and answer.status < 300 else f"HTTP {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return type(error).__name__

    def _failed(self, problem: str) -> None:
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**self._failures) * random.uniform(0.8, 1.2)
        self._failures = min(self._failures + 1, 10)
        self._not_before = time.monotonic() + wait_s
        log.error("alarm webhook refused", problem=problem, again_in_s=round(wait_s, 1))


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: an old post cannot be played again."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"
