"""Sends one reply and records what became of it. Called by `worker.deliver.job`.

Before the gateway is asked, the row says `enviando` and is committed. What a crash leaves there is
sent again: this is the one window in which a buyer may get a reply twice; none is ever dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import aiohttp
import structlog
from pydantic import ValidationError

from gateway.adapters import Adapter
from schema.channels import Channel
from schema.errors import (
    ChannelRefused,
    NotConfigured,
    SendLater,
    SendRefused,
    SendUnknown,
    Transient,
    TryAgain,
)
from schema.replies import Reply, ReplyKind, Sent
from tenancy.start import Tenancy
from worker.deliver.outbox import OpenReply, Outbox
from worker.drain.statuses import our_ref
from worker.log import short_id
from worker.queue.causes import cause_of
from worker.queue.dead_letters import DeadLetters
from worker.queue.lease import Lease

log = structlog.get_logger()

T = TypeVar("T")

_LONGEST_WAIT_S = 300.0
_CHANNEL_WAIT_S = 60.0
_UNKNOWN_WAIT_S = 30.0
_RECORD_TRIES = 5
_LOCK_TRIES = 3
_MARGIN_S = 1.0
_UNKNOWN_TWICE = "result unknown, twice"


class Sender:
    """Speaks to the gateways. One per process."""

    def __init__(
        self,
        *,
        tenancy: Tenancy,
        session: aiohttp.ClientSession,
        adapters: Mapping[str, Adapter],
        dead_letters: DeadLetters,
        timeout_s: float,
    ) -> None:
        self._pools = tenancy.pools
        self._registry = tenancy.registry
        self._session = session
        self._adapters = adapters
        self._dead_letters = dead_letters
        self._timeout_s = timeout_s

    async def send(self, lease: Lease, reply: OpenReply, *, now: datetime) -> bool:
        """True when the conversation's next reply may follow; False when this one holds it up.

        A send that has begun is brought to its end even when the task is cancelled meanwhile.
        """
        return await _to_its_end(self._send(lease, reply, now))

    async def _send(self, lease: Lease, reply: OpenReply, now: datetime) -> bool:
        empresa_id = lease.empresa_id
        until = now + timedelta(seconds=self._timeout_s + _MARGIN_S)
        if not await self._on_outbox(lease, lambda outbox: outbox.claim(reply, until=until)):
            return False  # withdrawn meanwhile, and so is what would follow
        try:
            channel = await self._channel(reply)
            sent = await self._adapters[channel.gateway].send(
                self._session, channel, _message(empresa_id, reply), timeout_s=self._timeout_s
            )
        except SendLater as error:
            wait_s = min(_LONGEST_WAIT_S, max(error.retry_after_s or 0, 2.0 ** min(reply.tries, 9)))
            await self._put_back(lease, reply, error, now + timedelta(seconds=wait_s))
        except (ChannelRefused, NotConfigured) as error:  # for a person to mend; it waits
            log.warning("channel refused", empresa_id=empresa_id, canal_id=reply.canal_id,
                        reason=str(error))  # fmt: skip
            await self._put_back(lease, reply, error, now + timedelta(seconds=_CHANNEL_WAIT_S))
        except SendRefused as error:
            await self._fail(lease, reply, str(error), cause_of(error))
            return True
        except (SendUnknown, TimeoutError) as error:
            await self._unknown(lease, reply, error, now)
        except Transient:
            await self._put_back(lease, reply, SendLater("registry"), now + timedelta(seconds=2))
            raise
        except Exception as error:  # a bug of an adapter: it must not repeat for ever
            log.exception("send failed", empresa_id=empresa_id, mensagem_id=reply.id)
            await self._unknown(lease, reply, error, now)
        else:
            await self._record(lease, reply, sent)
            return True
        return False

    async def _channel(self, reply: OpenReply) -> Channel:
        channel = None
        if reply.canal_id is not None:
            channel = await self._registry.channel_by_id(reply.canal_id)
        if channel is None or channel.gateway not in self._adapters:
            raise SendRefused("the channel that this reply should take is gone")
        if not channel.active:
            raise ChannelRefused("the channel is switched off")
        return channel

    async def _record(self, lease: Lease, reply: OpenReply, sent: Sent) -> None:
        """Tries for some seconds: the row is all that keeps this reply from going out again."""
        for wait_s in (*[2.0**n / 4 for n in range(_RECORD_TRIES)], None):
            try:
                await self._on_outbox(lease, lambda outbox: outbox.record(reply, sent))
            except Transient:
                if wait_s is None:
                    log.exception("sent but not recorded", empresa_id=lease.empresa_id,
                                  mensagem_id=reply.id)  # fmt: skip
                    raise
                await asyncio.sleep(wait_s)
            else:
                log.info("reply sent", empresa_id=lease.empresa_id, mensagem_id=reply.id,
                         message_id=short_id(sent.message_id))  # fmt: skip
                return

    async def _put_back(
        self, lease: Lease, reply: OpenReply, error: Exception, at: datetime
    ) -> None:
        log.warning("reply waits", empresa_id=lease.empresa_id, mensagem_id=reply.id,
                    tries=reply.tries + 1, reason=str(error))  # fmt: skip
        await self._on_outbox(lease, lambda o: o.put_back(reply, error=str(error), at=at))

    async def _unknown(
        self, lease: Lease, reply: OpenReply, error: Exception, now: datetime
    ) -> None:
        if reply.status == "enviando":  # so it was when we began: it may be out twice by now
            await self._fail(lease, reply, f"{_UNKNOWN_TWICE}: {error}", _UNKNOWN_TWICE)
            return
        log.warning("reply may be out", empresa_id=lease.empresa_id, mensagem_id=reply.id)
        at = now + timedelta(seconds=_UNKNOWN_WAIT_S)
        await self._on_outbox(lease, lambda o: o.leave_unknown(reply, error=str(error), at=at))

    async def _fail(self, lease: Lease, reply: OpenReply, error: str, cause: str) -> None:
        await self._on_outbox(lease, lambda outbox: outbox.fail(reply, error=error))
        await self._dead_letters.keep_reply(lease.empresa_id, reply.id, error=error, cause=cause)

    async def _on_outbox(self, lease: Lease, call: Callable[[Outbox], Awaitable[T]]) -> T:
        for tries_left in reversed(range(_LOCK_TRIES)):
            try:
                async with self._pools.connection(lease.empresa_id) as conn:
                    return await call(Outbox(conn, lease.epoch))
            except TryAgain:
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")


def _message(empresa_id: int, reply: OpenReply) -> Reply:
    try:
        return Reply(
            to=reply.address or "",
            kind=ReplyKind(reply.kind),
            text=reply.text,
            media_url=reply.media_url,
            our_ref=our_ref(empresa_id, reply.id),
        )
    except ValidationError as error:
        what = error.errors(include_input=False, include_url=False, include_context=False)
        raise SendRefused(f"this row is no message that can be sent: {what[0]['msg']}") from None
    except ValueError:
        raise SendRefused(f"a message of kind {reply.kind!r} cannot be sent") from None


async def _to_its_end(work: Awaitable[T]) -> T:
    """Waits for `work` even when the task is cancelled meanwhile; then lets the cancel go on."""
    doing, cancelled = asyncio.ensure_future(work), None
    while not doing.done():
        try:
            await asyncio.wait({doing})
        except asyncio.CancelledError as error:
            cancelled = error
    result = doing.result()
    if cancelled is not None:
        raise cancelled
    return result
