"""Sends one reply and records what became of it. Called by `worker.deliver.job`.

Before the gateway is asked, the row says `enviando` and is committed. What a crash leaves there is
sent again: this is the one window in which a buyer may get a reply twice; none is ever dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import aiohttp
import structlog

from gateway.adapters import Outlet, Recalling
from schema.channels import Channel
from schema.errors import ChannelRefused, NotConfigured, SendRefused
from schema.replies import Reply, ReplyKind
from tenancy.start import Tenancy
from worker.clock import from_ms, to_ms
from worker.deliver import metrics, window
from worker.deliver.gate import Admission, Gate
from worker.deliver.limits import limits_of, pace_of
from worker.deliver.message import reply_of
from worker.deliver.outbox import OpenReply
from worker.deliver.results import Results, Send
from worker.deliver.rows import Rows
from worker.deliver.steps import HELD, NEXT, STALE, Step, held_channel
from worker.drain.statuses import our_ref
from worker.queue.causes import cause_of
from worker.queue.lease import Lease

log = structlog.get_logger()

T = TypeVar("T")

_CHANNEL_WAIT_S = 60.0
_WAIT_HERE_S = 0.1
"""A shorter wait is not worth a way through the database and the queue."""
_WAITS_HERE = 3
_MARGIN_S = 1.0
_WINDOW_SHUT = 131047
_REPORT_WAIT_S = 15.0
"""A report wakes the delivery by itself; this is for one that does not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The channel that a reply takes, and how it is spoken to."""

    channel: Channel
    adapter: Outlet


class Sender:
    """Speaks to the gateways. One per process."""

    def __init__(
        self,
        *,
        tenancy: Tenancy,
        session: aiohttp.ClientSession,
        adapters: Mapping[str, Outlet],
        gate: Gate,
        rows: Rows,
        results: Results,
        timeout_s: float,
    ) -> None:
        self._registry = tenancy.registry
        self._session = session
        self._adapters = adapters
        self._gate = gate
        self._rows = rows
        self._results = results
        self._timeout_s = timeout_s

    async def send(self, lease: Lease, reply: OpenReply, *, now: datetime) -> Step:
        """One reply, or the wait that it needs; the step says what its conversation does next.

        A send that has begun is brought to its end even when the task is cancelled meanwhile.
        """
        return await _to_its_end(self._send(lease, reply, now))

    async def recall(self, lease: Lease, reply: OpenReply, *, now: datetime) -> bool:
        """Whether its turn may be taken anew: False while a gateway has it and has not reported.

        Then it puts itself off: what is to follow depends on the report.
        """
        if reply.status != "enviando":
            return True
        try:
            way = await self._way(reply)
        except (SendRefused, ChannelRefused):
            return True
        if not isinstance(way.adapter, Recalling):
            return True
        if await way.adapter.recall(way.channel, our_ref(lease.empresa_id, reply.id)):
            return True
        at = now + timedelta(seconds=_REPORT_WAIT_S)
        await self._rows.change(lease, lambda outbox: outbox.put_off(reply, at=at))
        return False

    async def _send(self, lease: Lease, reply: OpenReply, now: datetime) -> Step:
        try:
            way = await self._way(reply)
            limits = limits_of(way.channel, way.adapter.traits)
        except SendRefused as error:
            await self._rows.give_up(lease, reply, str(error), cause=cause_of(error))
            return NEXT
        except (ChannelRefused, NotConfigured) as error:  # for a person to mend; all of it waits
            log.error("channel not usable", empresa_id=lease.empresa_id,  # noqa: TRY400 no bug
                      canal_id=reply.canal_id, reason=str(error))  # fmt: skip
            return held_channel(now + timedelta(seconds=_CHANNEL_WAIT_S))
        send = Send(lease=lease, reply=reply, channel=way.channel, limits=limits)
        if way.adapter.traits.reports and reply.status == "enviando":
            looked_at = Admission(wait_s=0, cause=None, at_ms=to_ms(now))
            return await self._hand_over_to(way, replace(send, admission=looked_at))
        unsettled = await self._results.unsettled(lease, reply, now)
        if unsettled is not None:
            return unsettled
        if not window.is_open(reply, way.adapter.traits, now=now):
            template = window.template_of_reminder(reply, limits.reminder_template)
            if template is None:
                if limits.window_template is None or await self._rows.was_asked(lease, reply):
                    return await self._results.hand_over(send, now)
                template = limits.window_template
            send = replace(send, template=template)
        admission = await self._admission(send, now)
        if admission.cause is not None:
            return await self._results.wait(send, admission)
        return await self._hand_over_to(way, replace(send, admission=admission))

    async def _hand_over_to(self, way: Way, send: Send) -> Step:
        now = from_ms(send.admission.at_ms)
        until = now + timedelta(seconds=self._timeout_s + _MARGIN_S)
        if send.template is not None:
            await self._rows.replace(send.lease, send.reply, send.template)
        if not await self._results.claim(send, until=until):
            return STALE if await self._results.has_moved(send) else HELD
        try:
            with metrics.timed(send.channel.gateway):
                sent = await way.adapter.send(
                    self._session, way.channel, _content(send), timeout_s=self._timeout_s
                )
        except SendRefused as error:
            if error.code == _WINDOW_SHUT and send.template is None:
                return await self._send(send.lease, await self._results.shut(send, error), now)
            return await self._results.refused(send, error)
        except Exception as error:  # noqa: BLE001 - sorted there; a bug must not repeat for ever
            return await self._results.not_sent(send, error, way.adapter.traits)
        return await self._results.sent(send, sent)

    async def _way(self, reply: OpenReply) -> Way:
        channel = None
        if reply.canal_id is not None:
            channel = await self._registry.channel_by_id(reply.canal_id)
        if channel is None or channel.gateway not in self._adapters:
            raise SendRefused("the channel that this reply should take is gone")
        if not channel.active:
            raise ChannelRefused("the channel is switched off")
        return Way(channel=channel, adapter=self._adapters[channel.gateway])

    async def _admission(self, send: Send, now: datetime) -> Admission:
        reply = send.reply
        pace = pace_of(
            send.limits, reply_id=reply.id, length=len(reply.text or ""), is_first=reply.is_first
        )
        written_ms = to_ms(reply.written_at or now)
        for _ in range(_WAITS_HERE):
            admission = await self._gate.ask(
                send.channel, reply.address or "", pace, written_ms=written_ms
            )
            if admission.cause is None or admission.wait_s > _WAIT_HERE_S:
                break
            await asyncio.sleep(admission.wait_s)
        return admission


def _content(send: Send) -> Reply:
    if send.template is None:
        return reply_of(send.lease.empresa_id, send.reply)
    return Reply(
        to=send.reply.address or "",
        kind=ReplyKind.TEMPLATE,
        template=send.template,
        our_ref=our_ref(send.lease.empresa_id, send.reply.id),
    )


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
