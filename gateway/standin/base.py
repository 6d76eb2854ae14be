"""What all stand-ins share: server, outbox, faults, webhook retries. Called by each of them."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import ClassVar, Self

import aiohttp
import structlog
from aiohttp import web

from gateway import fields
from gateway.errors import NotJson
from gateway.json import loads
from gateway.phone import canonical_phone
from gateway.standin.control import control_routes
from gateway.standin.trouble import Trouble
from gateway.standin.values import CutOff, Fault, Hang, LostAnswer, Outgoing, Push, Refusal
from gateway.standin.watched import Watched

log = structlog.get_logger()

_LONGEST_BODY = 64 * 1024 * 1024
OK = 200
_FOR_EVER_S = 24 * 3600.0


class Standin(Watched, ABC):
    """A gateway and the phones behind it, on a free loopback port. `async with` starts it.

    `pace` scales the true waiting times between webhook attempts; `statuses` are the delivery
    steps that are reported after each send.
    """

    kind: ClassVar[str]
    """The value of `canais.tipo`."""
    needs: ClassVar[tuple[str, ...]]
    """Secrets that it cannot do without, as its constructor names them."""
    may_have: ClassVar[tuple[str, ...]] = ()
    """Secrets that it can be given besides."""
    proofs: ClassVar[tuple[str, ...]]
    """Which of `credentials` its webhooks are authenticated with."""
    webhook_timeout_s = 30.0

    def __init__(
        self,
        *,
        channel: str,
        webhook_url: str | None,
        statuses: tuple[str, ...],
        port: int = 0,
        pace: float = 1.0,
    ) -> None:
        super().__init__()
        self.channel = channel
        self.webhook_url = webhook_url
        self.statuses = statuses
        self.answer_delay_s = 0.0
        self.trouble: Trouble | None = None
        """What goes wrong by chance; faults that were asked for come first."""
        self._port, self._pace = port, pace
        self._faults: deque[Fault] = deque()
        self._addresses: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what each gateway does in its own way

    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """What a channel needs to talk to this stand-in."""

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """The send API."""

    @abstractmethod
    def encode(self, body: Mapping[str, object]) -> bytes:
        """A webhook body as bytes, escaped as this gateway does."""

    @abstractmethod
    def webhook_headers(self, raw: bytes) -> dict[str, str]:
        """What authenticates a webhook."""

    @abstractmethod
    def retry_after(self, attempt: int, status: int) -> float | None:
        """Seconds until the next attempt; None: this one was taken, or the gateway gives up."""

    @abstractmethod
    async def buyer_writes(
        self,
        phone: str,
        text: str,
        *,
        message_id: str | None = None,
        name: str = "Comprador",
        quoted_id: str | None = None,
        at: float | None = None,
        from_ad: bool = False,
        duplicate: bool = False,
    ) -> str:
        """A buyer's text is pushed to us, twice with `duplicate`; returns the message's id.

        `phone` is the buyer's address without a server: 12 digits for an old account. Returns
        after the first attempt was answered; what was refused is repeated in the background.
        """

    @abstractmethod
    async def seller_writes(self, phone: str, text: str) -> str:
        """A seller answers by hand on the shop's phone; returns the message's id."""

    # --- life

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.webhook_timeout_s)
        )
        app = web.Application(client_max_size=_LONGEST_BODY)
        app.add_routes([*self.routes(), *control_routes(self)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()

    @property
    def base_url(self) -> str:
        """Where the send API is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_idle(self) -> bool:
        """Whether no webhook is still to be pushed, repeated or reported."""
        return not self._tasks

    # --- faults

    def refuse_next(self, count: int, refusal: Refusal) -> None:
        """The next `count` sends are answered with an error."""
        self._faults.extend([refusal] * count)

    def lose_answers(self, count: int = 1) -> None:
        """The next `count` sends reach the phone, and we are not told."""
        self._faults.extend([LostAnswer()] * count)

    def cut_off(self, count: int = 1) -> None:
        """The next `count` sends break before they are read."""
        self._faults.extend([CutOff()] * count)

    def hang(self, count: int = 1) -> None:
        """The next `count` sends are never answered and go nowhere."""
        self._faults.extend([Hang()] * count)

    def forget_faults(self) -> None:
        """From now on nothing goes wrong."""
        self._faults.clear()

    # --- the send API

    async def answer(
        self,
        request: web.Request,
        read: Callable[[dict[str, object]], Outgoing | Refusal],
        accepted: Callable[[Outgoing], web.Response],
        after: Callable[[Outgoing], Coroutine[object, object, None]],
    ) -> web.StreamResponse:
        """One send: read and check it, let faults strike, keep it, answer, report what follows."""
        body = await self.body_of(request)
        fault = self._faults.popleft() if self._faults else None
        found = fault if isinstance(fault, Refusal) else read(body)
        if fault is None and self.trouble is not None and isinstance(found, Outgoing):
            fault = self.trouble.of_send(found)
            found = fault if isinstance(fault, Refusal) else found
        if isinstance(found, Refusal):
            return refused(found)
        if isinstance(fault, Hang):
            await asyncio.sleep(_FOR_EVER_S)
        if isinstance(fault, CutOff) and request.transport is not None:
            request.transport.abort()
            return accepted(found)
        async with self._changed:
            self.outbox.append(found)
            self._changed.notify_all()
        self.spawn(after(found))
        await asyncio.sleep(self.answer_delay_s)
        if isinstance(fault, LostAnswer) and request.transport is not None:
            request.transport.abort()
        if request.transport is None or request.transport.is_closing():
            self.unheard.add(found.id)
        return accepted(found)

    async def body_of(self, request: web.Request) -> dict[str, object]:
        """A request's JSON object; an empty one for anything else."""
        try:
            return fields.obj(loads(await request.read()))
        except NotJson:
            return {}

    def remember(self, address: str) -> None:
        """A buyer has written from this address: that is where WhatsApp finds the number."""
        self._addresses[canonical_phone(address) or address] = address

    def resolve(self, address: str) -> str:
        """The address that WhatsApp has for a number, with or without the ninth digit."""
        return self._addresses.get(canonical_phone(address) or address, address)

    # --- the webhook

    async def push(self, body: Mapping[str, object], *, copies: int = 1) -> None:
        """Hands a body to us; repeats in the background, by the gateway's rule, if we refuse."""
        if self.trouble is not None:
            copies = max(copies, self.trouble.copies())
            if late_s := self.trouble.delay_s():
                self.spawn(self._push_late(body, copies, late_s))
                return
        await self._push_now(body, copies)

    async def _push_late(self, body: Mapping[str, object], copies: int, late_s: float) -> None:
        await asyncio.sleep(late_s)
        await self._push_now(body, copies)

    async def _push_now(self, body: Mapping[str, object], copies: int) -> None:
        for _ in range(copies):
            status = await self._attempt(body, 1)
            if self.retry_after(1, status) is not None:
                self.spawn(self._repeat(body, status))

    async def _repeat(self, body: Mapping[str, object], status: int) -> None:
        attempt = 1
        while (wait_s := self.retry_after(attempt, status)) is not None:
            await asyncio.sleep(wait_s * self._pace)
            attempt += 1
            status = await self._attempt(body, attempt)
        log.info("webhook settled", attempts=attempt, status=status)

    async def _attempt(self, body: Mapping[str, object], attempt: int) -> int:
        begun_at = now()
        status = OK if self.webhook_url is None else await self._post(self.webhook_url, body)
        push = Push(body=body, attempt=attempt, status=status, begun_at=begun_at, answered_at=now())
        async with self._changed:
            self.pushes.append(push)
            self._changed.notify_all()
        return status

    async def _post(self, url: str, body: Mapping[str, object]) -> int:
        raw = self.encode(body)
        headers = {"Content-Type": "application/json", **self.webhook_headers(raw)}
        try:
            async with self._session.post(
                url, data=raw, headers=headers, allow_redirects=False
            ) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("webhook unanswered", error=type(error).__name__)
            return 0

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Runs something beside the request; it ends with the stand-in at the latest."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def refused(refusal: Refusal) -> web.Response:
    """An error as a response."""
    return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)


def now() -> float:
    """The stand-in's clock: its messages are of this moment unless told otherwise."""
    return time.time()
