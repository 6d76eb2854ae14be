"""Takes what gateways push: checks, parses, puts events on inboxes, and only then says 200.

Called by `worker.web.app`. Which status a gateway gets decides whether it tries again: our own
trouble is 503; what is authentic but cannot be used is 200 and kept as a dead letter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from gateway.adapters import Adapter
from gateway.errors import BadCredentials, Forbidden, NotJson, Unauthenticated
from gateway.json import loads
from gateway.settings import GatewaySettings
from schema.channels import Channel
from schema.errors import CentralUnavailable, HelixError, InboxFull, NotConfigured
from schema.events import Event
from tenancy.registry import Registry
from worker.log import short_id
from worker.media.inline import InlineFiles
from worker.media.store import StoreUnavailable
from worker.queue.dead_letters import DeadLetters
from worker.queue.ignored import Ignored
from worker.queue.inbox import LARGEST_EVENT, Inbox, as_json
from worker.settings import WebSettings
from worker.web.body import BodyRefused, read_body
from worker.web.counters import EVENTS, REQUESTS
from worker.web.full import FullInboxes

log = structlog.get_logger()

_TRY_AGAIN_S = 5.0
_MALFORMED = "malformed:"


class Webhook:
    """One endpoint for all gateways: `/webhook/<gateway>/<webhook_token>`."""

    def __init__(
        self,
        *,
        registry: Registry,
        inbox: Inbox,
        dead_letters: DeadLetters,
        ignored: Ignored,
        adapters: Mapping[str, Adapter],
        settings: WebSettings,
        gateways: GatewaySettings,
        files: InlineFiles,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds, for what is not to be logged each time."""
        self._registry = registry
        self._inbox = inbox
        self._dead_letters = dead_letters
        self._ignored = ignored
        self._adapters = adapters
        self._settings = settings
        self._gateways = gateways
        self._files = files
        self._full = FullInboxes(clock)

    async def handshake(self, request: Request) -> Response:
        """GET: the Cloud API asks whether this address is meant for it."""
        try:
            adapter, channel = await self._addressed(request)
        except _Refused as refused:
            return refused.answer()
        try:
            challenge = adapter.challenge(dict(request.query_params), channel.credentials)
        except (Forbidden, Unauthenticated, BadCredentials) as error:
            return _Refused(403, str(error), adapter.kind, channel).answer()
        if challenge is None:
            return _Refused(405, "only POST", adapter.kind, channel).answer()
        REQUESTS.labels(adapter.kind, "200").inc()
        return PlainTextResponse(challenge)

    async def receive(self, request: Request) -> Response:
        """POST: events. 200 means that Redis has them all."""
        started = time.perf_counter()
        try:
            adapter, channel = await self._addressed(request)
            headers = _headers(request)
            raw = await self._authentic_body(request, headers, adapter, channel)
            events, files = await self._parse(adapter, channel, raw)
            body = _Body(adapter, channel, headers, raw)
            stored = await self._store(body, events, files)
        except _Refused as refused:
            return refused.answer()
        except InboxFull as error:
            self._full.refuse(channel, error)
            return _answer(503, adapter.kind, retry_after_s=error.retry_after_s)
        except (RedisError, CentralUnavailable, NotConfigured, StoreUnavailable) as error:
            return _Refused(
                503, f"{type(error).__name__}: try again", request.path_params["gateway"]
            ).answer()
        REQUESTS.labels(adapter.kind, "200").inc()
        log.info("webhook taken", gateway=adapter.kind, canal_id=channel.id,
                 empresa_id=channel.empresa_id, stored=stored, events=len(events),
                 message_ids=[short_id(event.message_id) for event in events[:3]],
                 ms=round((time.perf_counter() - started) * 1000, 2))  # fmt: skip
        return JSONResponse({"stored": stored})

    async def _addressed(self, request: Request) -> tuple[Adapter, Channel]:
        """The gateway and the channel that the address names."""
        kind, token = request.path_params["gateway"], request.path_params["token"]
        adapter = self._adapters.get(kind)
        if adapter is None:
            raise _Refused(404, "no such gateway", "other")
        try:
            channel = await self._registry.channel_by_token(token)
        except (CentralUnavailable, NotConfigured) as error:  # ours to mend: it shall come again
            raise _Refused(503, str(error), kind) from error
        if channel is None or channel.gateway != kind:
            raise _Refused(
                404, "no channel has this address; `helix channel list` shows them", kind
            )
        return adapter, channel

    async def _authentic_body(
        self, request: Request, headers: Mapping[str, str], adapter: Adapter, channel: Channel
    ) -> bytes:
        limit = self._gateways.body_limit(adapter.kind, adapter.max_body_bytes)
        try:
            raw = await read_body(request, limit=limit, timeout_s=self._settings.body_timeout_s)
            adapter.verify(headers, raw, channel.credentials, now=time.time())
        except BodyRefused as error:
            raise _Refused(error.status, error.reason, adapter.kind, channel) from error
        except Unauthenticated as error:
            raise _Refused(401, str(error), adapter.kind, channel) from error
        except Forbidden as error:
            raise _Refused(403, str(error), adapter.kind, channel) from error
        except BadCredentials as error:  # ours to mend: the gateway shall keep the event meanwhile
            raise _Refused(503, str(error), adapter.kind, channel) from error
        return raw

    async def _parse(
        self, adapter: Adapter, channel: Channel, raw: bytes
    ) -> tuple[Sequence[Event], Mapping[str, str]]:
        """The events, and files that came along: base64 by message id."""
        try:
            body = loads(raw)
        except NotJson as error:
            await self._dead_letters.keep_unreadable(channel.id, raw, error=str(error))
            return (), {}
        events = adapter.parse(body)
        broken = [event.reason for event in events if (event.reason or "").startswith(_MALFORMED)]
        if broken:  # what is readable of it goes on; the whole body is kept for a person
            await self._dead_letters.keep_unreadable(channel.id, raw, error=str(broken[0]))
        return events, adapter.inline_media(body)

    async def _store(self, body: _Body, events: Sequence[Event], files: Mapping[str, str]) -> int:
        """One Redis step per empresa; most bodies are of one.

        Raises InboxFull when not all could be taken; what could be is, and comes twice then.
        """
        by_empresa: dict[int, list[Event]] = {}
        useless: list[Event] = []
        for event in events:
            EVENTS.labels(body.adapter.kind, event.kind.value).inc()
            if not event.is_of_use:
                log.info("event ignored", gateway=body.adapter.kind, canal_id=body.channel.id,
                         why=event.reason)  # fmt: skip
                useless.append(event)
                continue
            if body.may_be_too_large and len(as_json(event)) > LARGEST_EVENT:
                await self._dead_letters.keep_unreadable(
                    body.channel.id, body.raw, error=f"an event of more than {LARGEST_EVENT} bytes"
                )
                continue
            channel = await self._owner(body, event)
            if channel is not None:
                by_empresa.setdefault(channel.empresa_id, []).append(event)
        stored, full = 0, None
        for empresa_id, of_empresa in by_empresa.items():
            if files:
                of_empresa = await self._files.put_away(empresa_id, of_empresa, files)
            try:
                stored += await self._inbox.push(empresa_id, of_empresa)
            except InboxFull as error:  # one dealer's alone: the others' events are taken
                full = error
        if full is not None:
            raise full
        await self._trace(body, useless)
        return stored

    async def _trace(self, body: _Body, useless: Sequence[Event]) -> None:
        """Under the empresa whose channel the event names, if the body may speak for it."""
        by_empresa: dict[int, list[Event]] = {}
        for event in useless:
            if event.message_id is None:
                continue
            channel: Channel | None = body.channel
            if event.channel not in (None, body.channel.identifier):
                channel = await self._registry.channel(body.adapter.kind, event.channel or "")
            if channel is not None and (channel is body.channel or body.speaks_for(channel)):
                by_empresa.setdefault(channel.empresa_id, []).append(event)
        for empresa_id, of_empresa in by_empresa.items():
            await self._ignored.keep(empresa_id, of_empresa)

    async def _owner(self, body: _Body, event: Event) -> Channel | None:
        """Whose event it is; None when nobody's, or not one that this body may speak for."""
        if event.channel == body.channel.identifier:
            return body.channel
        gateway = body.adapter.kind
        channel = await self._registry.channel(gateway, event.channel or "")
        if channel is not None and body.speaks_for(channel):
            return channel
        if channel is not None:
            log.warning("channel not of this secret", canal_id=body.channel.id, other=channel.id)
        raw = event.model_dump_json(exclude_defaults=True).encode()
        await self._dead_letters.keep_unknown_channel(
            gateway, event.channel or "", raw, canal_id=body.channel.id
        )
        return None


def _headers(request: Request) -> dict[str, str]:
    """By their names in small letters; of one that came twice the first. Starlette's own mapping
    searches its list for each."""
    found: list[tuple[bytes, bytes]] = request.scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(found)}


@dataclass(frozen=True, slots=True)
class _Body:
    """An authentic request: its secret may be that of several channels (one Meta app)."""

    adapter: Adapter
    channel: Channel
    headers: Mapping[str, str]
    raw: bytes

    @property
    def may_be_too_large(self) -> bool:
        """Whether an event of it may be: nearly all bodies are small, and need no second look."""
        return len(self.raw) > LARGEST_EVENT // 2

    def speaks_for(self, other: Channel) -> bool:
        """Whether the body is authentic for this channel, too."""
        try:
            self.adapter.verify(self.headers, self.raw, other.credentials, now=time.time())
        except (Unauthenticated, Forbidden, BadCredentials):
            return False
        return True


class _Refused(HelixError):
    """A request that gets another answer than 200; counted and logged when it is answered."""

    def __init__(
        self, status: int, reason: str, gateway: str, channel: Channel | None = None
    ) -> None:
        super().__init__(reason)
        self._status = status
        self._gateway = gateway
        self._canal_id = None if channel is None else channel.id

    def answer(self) -> Response:
        """The response; the reason is for our log, the gateway only needs the status."""
        log.warning("webhook refused", gateway=self._gateway, canal_id=self._canal_id,
                    status=self._status, reason=str(self))  # fmt: skip
        return _answer(self._status, self._gateway)


def _answer(status: int, gateway: str, *, retry_after_s: float = _TRY_AGAIN_S) -> Response:
    REQUESTS.labels(gateway, str(status)).inc()
    headers = {"retry-after": f"{retry_after_s:.0f}"} if status == 503 else None
    return JSONResponse({"error": _WORDS[status]}, status, headers=headers)


_WORDS = {
    400: "body cut off",
    401: "not authenticated",
    403: "forbidden",
    404: "unknown address",
    405: "method not allowed",
    408: "body too slow",
    413: "body too large",
    415: "content encoding not accepted",
    503: "try again later",
}
