"""What becomes of a reply after the question to the gate or the send. Called by `sender`.

Changes the row, tells the gate, and says what the conversation does next. Errors are met by class;
a result that nobody knows is decided by rule, see docs/architecture.md, "Unknown results".
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from redis.exceptions import RedisError

from gateway.traits import Traits
from schema.channels import Channel
from schema.errors import (
    AwaitReport,
    ChannelBusy,
    ChannelRefused,
    GatewayAway,
    GatewaySilent,
    NotConfigured,
    PairBusy,
    SendLater,
    SendRefused,
    SendUnknown,
)
from schema.replies import Sent, Template
from worker.clock import from_ms, to_ms
from worker.deliver import metrics
from worker.deliver.facts import Statement
from worker.deliver.gate import Admission, Change, Gate, Outcome
from worker.deliver.limits import Limits
from worker.deliver.outbox import OpenReply
from worker.deliver.rows import Rows
from worker.deliver.steps import HELD, NEXT, Step, held_channel
from worker.log import short_id
from worker.queue.causes import cause_of
from worker.queue.inbox import Inbox
from worker.queue.lease import Lease

log = structlog.get_logger()

_INBOX_LAG_MS = 500
"""A drain that keeps up leaves nothing on the inbox for longer."""
_INBOX_WAIT_S = 2.0
_MOST_UNKNOWN = 2
_MOST_CRASHES = 5
"""A reply that was under way in so many crashes may be what kills the workers."""
_LONGEST_WAIT_S = 300.0
_UNREPORTED = "o gateway ainda não relatou o envio"
_JITTER = 0.2
_CRASHES = "workers ended while sending it"
_UNKNOWN, _UNKNOWN_TWICE = "result unknown", "result unknown, twice"
"""Causes, as dead letters are grouped by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One reply on its way to the gateway."""

    lease: Lease
    reply: OpenReply
    channel: Channel
    limits: Limits
    template: Template | None = None
    """Goes out in place of the reply."""
    admission: Admission = field(default_factory=lambda: Admission(wait_s=0, cause=None, at_ms=0))

    @property
    def ids(self) -> dict[str, int]:
        """For log lines."""
        return {"empresa_id": self.lease.empresa_id, "mensagem_id": self.reply.id}


class Results:
    """Decides what follows from each answer, and from none. One per process."""

    def __init__(
        self,
        *,
        rows: Rows,
        gate: Gate,
        inbox: Inbox,
        pause_after_human: timedelta,
        unknown_wait: timedelta,
    ) -> None:
        """`unknown_wait`: how long statuses and echoes of a message may take to come."""
        self._rows = rows
        self._gate = gate
        self._inbox = inbox
        self._pause = pause_after_human
        self._unknown_wait = unknown_wait

    # --- before the send

    async def unsettled(self, lease: Lease, reply: OpenReply, now: datetime) -> Step | None:
        """What to do first about a reply that may be out already; None: send it (again)."""
        if reply.status != "enviando":
            return None
        oldest_ms = await self._inbox.oldest_ms(lease.empresa_id, default_ms=to_ms(now))
        if oldest_ms < to_ms(now) - _INBOX_LAG_MS:  # what would settle it may be waiting there
            await self._rows.change(
                lease, lambda o: o.put_off(reply, at=now + timedelta(seconds=_INBOX_WAIT_S))
            )
            return HELD
        if reply.error is None:  # a crash: sent again
            if reply.unknown < _MOST_CRASHES:
                return None
            await self._rows.give_up(
                lease, reply, f"{reply.unknown} workers ended while sending it", cause=_CRASHES
            )
            return NEXT
        if reply.unknown < _MOST_UNKNOWN:
            log.warning("no sign of it: sent once more", empresa_id=lease.empresa_id,
                        mensagem_id=reply.id)  # fmt: skip
            return None
        error = f"{_UNKNOWN_TWICE}: {reply.error}"
        await self._rows.give_up(lease, reply, error, cause=_UNKNOWN_TWICE)
        return NEXT

    async def wait(self, send: Send, admission: Admission) -> Step:
        """The gate says not now: the reply puts itself off, unless its whole channel waits."""
        if admission.cause is None:
            raise ValueError("this reply may go")
        metrics.waits(admission.cause)
        at = from_ms(admission.at_ms) + timedelta(seconds=admission.wait_s)
        if admission.holds_channel:
            return held_channel(at)
        await self._rows.change(send.lease, lambda o: o.put_off(send.reply, at=at))
        return HELD

    async def claim(self, send: Send, *, until: datetime) -> bool:
        """See `Outbox.claim`. A template states nothing about cars."""
        reply = send.reply
        if send.template is not None:
            reply = replace(reply, states=Statement())
        return await self._rows.change(send.lease, lambda o: o.claim(reply, until=until))

    async def has_moved(self, send: Send) -> bool:
        """Whether a reply could not be claimed because what it states is no longer so."""
        moved = await self._rows.change(send.lease, lambda o: o.moved_facts([send.reply]))
        return bool(moved)

    async def hand_over(self, send: Send, now: datetime) -> Step:
        """The window is shut and there is nothing to send: a person takes over."""
        if await self._rows.hand_over(send.lease, send.reply, until=now + self._pause):
            metrics.outcome(send.channel.gateway, "handed_over")
        return HELD  # what would have followed is withdrawn

    async def shut(self, send: Send, error: SendRefused) -> OpenReply:
        """The gateway says that the window is shut. Returns the reply as it stands now."""
        now = from_ms(send.admission.at_ms)
        await self._tell(send, Outcome.TAKEN)
        await self._rows.change(
            send.lease, lambda o: o.put_back(send.reply, error=str(error), at=now)
        )
        return replace(
            send.reply, status="pendente", tries=send.reply.tries + 1, buyer_wrote_at=None
        )

    # --- after the send

    async def sent(self, send: Send, sent: Sent) -> Step:
        """The gateway took it."""
        await self._rows.record(send.lease, send.reply, sent)
        metrics.outcome(send.channel.gateway, "template" if send.template else "sent")
        metrics.age(send.channel.gateway, send.reply.written_at, from_ms(send.admission.at_ms))
        await self._tell(send, Outcome.TAKEN)
        log.info("reply sent", **send.ids, message_id=short_id(sent.message_id))
        return NEXT if send.template is None else HELD

    async def refused(self, send: Send, error: SendRefused) -> Step:
        """For what this message is: the next one may follow."""
        metrics.outcome(send.channel.gateway, "refused")
        await self._rows.give_up(send.lease, send.reply, str(error), cause=cause_of(error))
        await self._tell(send, Outcome.TAKEN)
        return NEXT

    async def not_sent(self, send: Send, error: Exception, traits: Traits) -> Step:
        """Everything else that an adapter raises."""
        if isinstance(error, ChannelRefused | NotConfigured):
            return await self._stopped(send, error)
        if isinstance(error, SendLater):
            return await self._later(send, error)
        if isinstance(error, AwaitReport):
            return await self._handed_over(send, error)
        if not isinstance(error, SendUnknown | TimeoutError):
            log.error("send failed", **send.ids, exc_info=error)  # a bug of an adapter
        return await self._unknown(send, error, traits)

    async def _stopped(self, send: Send, error: ChannelRefused | NotConfigured) -> Step:
        metrics.outcome(send.channel.gateway, "stopped")
        change, wait_s = await self._tell(send, Outcome.STOPPED)
        if change is Change.STOPPED:
            # One alarm, not one per reply: until a probe passes nothing else reaches the gateway.
            log.critical("channel stopped", empresa_id=send.lease.empresa_id,
                         canal_id=send.channel.id, gateway=send.channel.gateway,
                         reason=str(error), probe_in_s=round(wait_s))  # fmt: skip
        now = from_ms(send.admission.at_ms)
        await self._put_back(send, error, at=now)
        return held_channel(now + timedelta(seconds=wait_s))

    async def _later(self, send: Send, error: SendLater) -> Step:
        metrics.outcome(send.channel.gateway, "later")
        outcome = _outcome_of(error)
        _, wait_s = await self._tell(send, outcome, error.retry_after_s)
        now = from_ms(send.admission.at_ms)
        if outcome is Outcome.BUSY:
            await self._put_back(send, error, at=now)
            return held_channel(now + timedelta(seconds=wait_s))
        if outcome is not Outcome.PAIR:
            wait_s = _backoff_s(send.reply, error.retry_after_s)
        await self._put_back(send, error, at=now + timedelta(seconds=wait_s))
        return HELD

    async def _handed_over(self, send: Send, error: AwaitReport) -> Step:
        if send.reply.status == "pendente":
            metrics.outcome(send.channel.gateway, "handed_to_gateway")
            await self._tell(send, Outcome.TAKEN)
        at = from_ms(send.admission.at_ms) + timedelta(seconds=error.retry_after_s)
        await self._rows.change(
            send.lease, lambda o: o.await_report(send.reply, error=_UNREPORTED, at=at)
        )
        return HELD

    async def _unknown(self, send: Send, error: Exception, traits: Traits) -> Step:
        metrics.outcome(send.channel.gateway, "unknown")
        silent = isinstance(error, GatewaySilent | TimeoutError)
        await self._tell(send, Outcome.SILENT if silent else Outcome.ANSWERED)
        if not traits.tells or traits.reports:
            await self._rows.give_up(send.lease, send.reply, f"{_UNKNOWN}: {error}", cause=_UNKNOWN)
            return NEXT
        log.warning("reply may be out", **send.ids)
        at = from_ms(send.admission.at_ms) + self._unknown_wait
        reason = str(error) or type(error).__name__
        await self._rows.change(
            send.lease, lambda o: o.leave_unknown(send.reply, error=reason, at=at)
        )
        return HELD

    async def _put_back(self, send: Send, error: Exception, *, at: datetime) -> None:
        log.warning("reply waits", **send.ids, tries=send.reply.tries + 1, reason=str(error))
        await self._rows.change(
            send.lease, lambda o: o.put_back(send.reply, error=str(error), at=at)
        )

    async def _tell(
        self, send: Send, outcome: Outcome, retry_after_s: float | None = None
    ) -> tuple[Change, float]:
        """Redis away: limits are not told, the row is what matters; the job ends of it anyway."""
        try:
            change, wait_s = await self._gate.tell(
                send.channel,
                send.reply.address or "",
                outcome,
                admitted=send.admission,
                retry_after_s=retry_after_s,
            )
        except RedisError as error:
            log.warning("gate not told", **send.ids, reason=str(error))
            return Change.NONE, retry_after_s or 1.0
        if change is not Change.NONE:
            metrics.channel(send.channel.gateway, change)
            log.warning("channel changes", empresa_id=send.lease.empresa_id,
                        canal_id=send.channel.id, change=change.value,
                        wait_s=round(wait_s, 1))  # fmt: skip
        return change, wait_s


def _outcome_of(error: SendLater) -> Outcome:
    if isinstance(error, ChannelBusy):
        return Outcome.BUSY
    if isinstance(error, PairBusy):
        return Outcome.PAIR
    return Outcome.SILENT if isinstance(error, GatewayAway) else Outcome.ANSWERED


def _backoff_s(reply: OpenReply, asked_s: float | None) -> float:
    """Doubles with each try, never below the gateway's own wish; spread, so that all that failed
    of one thing do not come back together."""
    wait_s = max(asked_s or 0, min(_LONGEST_WAIT_S, 2.0 ** min(reply.tries, 9)))
    return wait_s * random.uniform(1, 1 + _JITTER)
