"""A stand-in of WAHA: its send endpoints, its webhooks, a buyer's and a seller's phone.

Used by tests, benchmark and demo; `python -m gateway.standin waha` runs it as a process. What the
three engines write in ways of their own is in `gateway.waha.engines`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping

from aiohttp import web

from gateway import fields
from gateway.standin.base import Standin, now, refused
from gateway.standin.values import Outgoing, Refusal
from gateway.waha.auth import ALGORITHM, signature
from gateway.waha.credentials import KIND
from gateway.waha.engines import OWN_ID, Engine, Said, answer, payload_of
from gateway.waha.ids import full_id, read_id
from gateway.waha.standin_view import SessionView

_ATTEMPTS, _PAUSE_S = 15, 2.0
"""The example of WAHA's own API description: pauses grow by two seconds each, after every answer
but 2xx."""
_ACKS = {"sent": (1, "SERVER"), "delivered": (2, "DEVICE"), "read": (3, "READ"), "failed": (-1, "ERROR")}  # fmt: skip # noqa: E501
_WORKING = "WORKING"


class WahaStandin(Standin):
    """One session. Webhooks are signed with `hmac_key`; `engine` is WEBJS, NOWEB or GOWS."""

    kind = KIND
    needs = ("api_key", "hmac_key")
    proofs = ("hmac_key",)

    def __init__(
        self,
        *,
        api_key: str,
        hmac_key: str,
        channel: str = "loja_alfa",
        webhook_url: str | None = None,
        statuses: tuple[str, ...] = ("delivered",),
        port: int = 0,
        pace: float = 1.0,
        engine: str = "GOWS",
    ) -> None:
        super().__init__(
            channel=channel, webhook_url=webhook_url, statuses=statuses, port=port, pace=pace
        )
        self._api_key, self._hmac_key = api_key, hmac_key
        self.engine = Engine(engine)
        self.session_view = SessionView(
            channel=channel,
            api_key=api_key,
            hmac_key=hmac_key,
            webhook_url=lambda: self.webhook_url,
        )
        self.not_on_whatsapp: set[str] = set()
        """Chats that WhatsApp does not know: sends to them fail as they do with GOWS."""
        self.seen: list[str] = []
        """Full ids of messages that we marked as read."""
        self.typing: list[str] = []
        """Chats that we typed in, in order."""

    def credentials(self) -> dict[str, str]:
        """What a channel needs to talk to this stand-in."""
        return {"base_url": self.base_url, "api_key": self._api_key, "hmac_key": self._hmac_key}

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            *self.session_view.routes(),
            web.post("/api/{route:sendText|sendImage|sendFile|sendLocation}", self._send),
            web.post("/api/sendSeen", self._send_seen),
            web.post("/api/startTyping", self._start_typing),
        )

    def encode(self, body: Mapping[str, object]) -> bytes:
        """As JSON.stringify writes it: nothing is escaped that need not be."""
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def webhook_headers(self, raw: bytes) -> dict[str, str]:
        return {
            "X-Webhook-Hmac": signature(raw, self._hmac_key.encode()),
            "X-Webhook-Hmac-Algorithm": ALGORITHM,
            "X-Webhook-Request-Id": secrets.token_hex(13).upper(),
            "X-Webhook-Timestamp": str(int(now() * 1000)),
        }

    def retry_after(self, attempt: int, status: int) -> float | None:
        return None if 200 <= status < 300 or attempt >= _ATTEMPTS else _PAUSE_S * attempt

    def fail_next(self, count: int = 1, *, message: str, status: int = 500) -> None:
        """The next `count` sends get an engine's error with this message."""
        self.refuse_next(count, _exception(message, status=status))

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
        said = Said(
            chat=_chat(phone),
            id=message_id or _stanza_id(),
            text=text,
            at=int(now() if at is None else at),
            name=name,
            quoted_id=quoted_id,
            from_ad=from_ad,
        )
        return await self._says(said, duplicate=duplicate)

    async def buyer_sends(
        self, phone: str, changes: Mapping[str, object], *, name: str = "Comprador"
    ) -> str:
        """Any content: `changes` are laid over the payload of a text (`media`, `location`, ...).

        `phone` may be a whole chat id or a lid.
        """
        said = Said(chat=_chat(phone), id=_stanza_id(), text="", at=int(now()), name=name)
        return await self._says(said, changes=changes)

    async def seller_writes(self, phone: str, text: str) -> str:
        said = Said(chat=_chat(phone), id=_stanza_id(), text=text, at=int(now()), source="app")
        await self.push(self._envelope("message.any", payload_of(said, self.engine)))
        return said.id

    async def reports(self, sent: Outgoing, status: str) -> None:
        """A status webhook about a message of ours."""
        chat = self.resolve(_chat(sent.to))
        number, name = _ACKS[status]
        payload = {
            "id": full_id(sent.id, chat=chat, ours=True),
            "from": chat,
            "to": None,
            "participant": None,
            "fromMe": True,
            "ack": number,
            "ackName": name,
        }
        await self.push(self._envelope("message.ack", payload))

    async def session(self, status: str) -> None:
        """The session's state changes: STOPPED, STARTING, SCAN_QR_CODE, WORKING, FAILED, ..."""
        self.session_view.status = status
        payload = {"name": self.channel, "status": status, "data": None}
        await self.push(self._envelope("session.status", payload))

    async def _says(
        self, said: Said, *, changes: Mapping[str, object] | None = None, duplicate: bool = False
    ) -> str:
        self.remember(said.chat)
        payload = {**payload_of(said, self.engine), **(changes or {})}
        await self.push(self._envelope("message.any", payload), copies=2 if duplicate else 1)
        return said.id

    async def _report_all(self, sent: Outgoing) -> None:
        chat = self.resolve(_chat(sent.to))
        said = Said(chat=chat, id=sent.id, text=sent.text or "", at=int(sent.at), source="api")
        await self.push(self._envelope("message.any", payload_of(said, self.engine)))
        for status in self.statuses:
            await self.reports(sent, status)

    def _envelope(self, event: str, payload: Mapping[str, object]) -> dict[str, object]:
        engine = self.engine.value
        return {
            "id": f"evt_{secrets.token_hex(13)}",
            "timestamp": int(now() * 1000),
            "event": event,
            "session": self.channel,
            "metadata": {},
            "me": {"id": OWN_ID, "pushName": "Loja"},
            "payload": payload,
            "engine": engine,
            "environment": {"version": "2026.9.1", "engine": engine, "tier": "CORE"},
        }

    async def _send(self, request: web.Request) -> web.StreamResponse:
        if not self._knows(request):
            return refused(_UNAUTHORIZED)
        route = request.match_info["route"]
        return await self.answer(
            request,
            lambda body: self._refusal(body) or self._outgoing(body, route),
            self._accepted,
            self._report_all,
        )

    async def _send_seen(self, request: web.Request) -> web.StreamResponse:
        body = await self.body_of(request)
        found = None if self._knows(request) else _UNAUTHORIZED
        if found := found or self._refusal(body):
            return refused(found)
        ids = [fields.text(item) or "" for item in fields.items(body.get("messageIds"))]
        if any(read_id(item).chat is None for item in ids):
            return refused(_exception("Message id be in format false_11111111111@c.us_AAA"))
        self.seen += ids
        return web.json_response({}, status=201)

    async def _start_typing(self, request: web.Request) -> web.StreamResponse:
        body = await self.body_of(request)
        found = None if self._knows(request) else _UNAUTHORIZED
        if found := found or self._refusal(body):
            return refused(found)
        self.typing.append(fields.text(body.get("chatId")) or "")
        return web.json_response({"result": True}, status=201)

    def _knows(self, request: web.Request) -> bool:
        given = request.headers.get("X-Api-Key", "")
        return secrets.compare_digest(given.encode(), self._api_key.encode())

    def _refusal(self, body: dict[str, object]) -> Refusal | None:
        """What WAHA checks before it asks its engine."""
        name = fields.text(body.get("session"))
        if name != self.channel:
            return _refused(404, "Not Found", f"We didn't find a session with name '{name}'.")
        if self.session_view.status != _WORKING:
            state = {
                "error": "Session status is not as expected. Try again later",
                "session": name,
                "status": self.session_view.status,
                "expected": [_WORKING],
            }
            return Refusal(status=422, body=state)
        if not fields.text(body.get("chatId")):
            return _refused(400, "Bad Request", ["chatId must be a string"])
        return None

    def _outgoing(self, body: dict[str, object], route: str) -> Outgoing | Refusal:
        to = fields.text(body.get("chatId")) or ""
        kind, text, media = _content(body, route)
        if text is None and media is None:
            return _refused(400, "Bad Request", ["text or file is missing"])
        if to in self.not_on_whatsapp:
            return _exception(f"2 UNKNOWN: no LID found for {to} from server")
        return Outgoing(
            to=to,
            kind=kind,
            text=text,
            media=media,
            id=_stanza_id(),
            at=now(),
            quoted_id=read_id(body.get("reply_to")).id,
        )

    def _accepted(self, sent: Outgoing) -> web.Response:
        chat = self.resolve(_chat(sent.to))
        return web.json_response(answer(sent.id, chat, self.engine), status=201)


def _content(body: dict[str, object], route: str) -> tuple[str, str | None, str | None]:
    """Kind, text and media; a place is its title and a geo: address (RFC 5870)."""
    if route == "sendText":
        return "text", fields.text(body.get("text")) or None, None
    if route == "sendLocation":
        point = f"geo:{body.get('latitude')},{body.get('longitude')}"
        return "location", fields.text(body.get("title")), point
    url = fields.text(fields.obj(body.get("file")).get("url"))
    return "image" if route == "sendImage" else "document", fields.text(body.get("caption")), url


def _refused(status: int, error: str, message: object) -> Refusal:
    """An error as the web framework under WAHA words it."""
    return Refusal(status=status, body={"message": message, "error": error, "statusCode": status})


def _exception(message: str, *, status: int = 500) -> Refusal:
    """An error of the engine."""
    exception = {"message": message, "name": "Error"}
    return Refusal(status=status, body={"statusCode": status, "exception": exception})


_UNAUTHORIZED = Refusal(status=401, body={"message": "Unauthorized", "statusCode": 401})


def _chat(phone: str) -> str:
    return phone if "@" in phone else f"{phone}@c.us"


def _stanza_id() -> str:
    return f"3EB0{secrets.token_hex(9).upper()}"
