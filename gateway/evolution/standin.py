"""A stand-in of Evolution: its send endpoints, its webhooks, a buyer's and a seller's phone.

Used by tests, benchmark and demo; `python -m gateway.standin evolution` runs it as a process.
"""

from __future__ import annotations

import base64
import json
import random
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from gateway import fields
from gateway.evolution.auth import SECRET_HEADER, token
from gateway.evolution.credentials import KIND
from gateway.evolution.standin_send import outgoing, problem, refusal, stanza_id
from gateway.evolution.standin_view import InstanceView
from gateway.standin.base import Standin, now, refused
from gateway.standin.values import Outgoing, Refusal

_OWN_JID = "551133330001@s.whatsapp.net"
_ATTEMPTS, _FIRST_RETRY_S, _LONGEST_RETRY_S, _JITTER = 10, 5.0, 300.0, 0.2
_NEVER_REPEATED = frozenset({400, 401, 403, 404, 422})
"""The retry rule of versions 2.3: ten attempts, and none at all after these answers."""
_SENDS = frozenset({"sendText", "sendMedia", "sendLocation", "sendButtons", "sendList"})
_CHATS = frozenset({"markMessageAsRead", "sendPresence"})
_ACKS = {"sent": "SERVER_ACK", "delivered": "DELIVERY_ACK", "read": "READ", "failed": "ERROR"}


class EvolutionStandin(Standin):
    """One instance. Webhooks carry `webhook_secret`, or a token signed with `jwt_key`."""

    kind = KIND
    needs = ("apikey",)
    may_have = ("webhook_secret", "jwt_key")
    proofs = ("webhook_secret", "jwt_key")

    def __init__(
        self,
        *,
        apikey: str,
        webhook_secret: str | None = None,
        jwt_key: str | None = None,
        channel: str = "loja-alfa",
        webhook_url: str | None = None,
        statuses: tuple[str, ...] = ("delivered",),
        port: int = 0,
        pace: float = 1.0,
    ) -> None:
        super().__init__(
            channel=channel, webhook_url=webhook_url, statuses=statuses, port=port, pace=pace
        )
        self._apikey, self._webhook_secret, self._jwt_key = apikey, webhook_secret, jwt_key
        self.instance = InstanceView(
            channel=channel,
            apikey=apikey,
            webhook_url=lambda: self.webhook_url,
            headers=_set_headers(webhook_secret, jwt_key),
        )
        self.not_on_whatsapp: set[str] = set()
        """Numbers that nobody has: sends to them are refused."""
        self.files: dict[str, tuple[bytes, str]] = {}
        """Files of messages, by message id: bytes and MIME type."""

    def credentials(self) -> dict[str, str]:
        """What a channel needs to talk to this stand-in."""
        proof = {"webhook_secret": self._webhook_secret, "jwt_key": self._jwt_key}
        known = {name: value for name, value in proof.items() if value is not None}
        return {"base_url": self.base_url, "apikey": self._apikey, **known}

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            *self.instance.routes(),
            web.post("/message/{route}/{instance}", self._send),
            web.post("/chat/getBase64FromMediaMessage/{instance}", self._file),
            web.post("/chat/{route}/{instance}", self._chat),
        )

    def encode(self, body: Mapping[str, object]) -> bytes:
        """As JSON.stringify writes it: nothing is escaped that need not be."""
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def webhook_headers(self, raw: bytes) -> dict[str, str]:  # noqa: ARG002
        headers = {}
        if self._webhook_secret is not None:
            headers[SECRET_HEADER] = self._webhook_secret
        if self._jwt_key is not None:
            headers["Authorization"] = f"Bearer {token(self._jwt_key.encode(), now=now())}"
        return headers

    def retry_after(self, attempt: int, status: int) -> float | None:
        if 200 <= status < 300 or status in _NEVER_REPEATED or attempt >= _ATTEMPTS:
            return None
        pause_s = min(_FIRST_RETRY_S * 2.0 ** (attempt - 1), _LONGEST_RETRY_S)
        return pause_s * random.uniform(1 - _JITTER, 1 + _JITTER)

    def fail_next(
        self, count: int = 1, *, status: int = 500, message: object = "Connection Closed"
    ) -> None:
        """The next `count` sends get an error with this message (Evolution nests it in a list)."""
        self.refuse_next(count, refusal(status, message))

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
        context: dict[str, object] = {}
        if quoted_id:
            context |= {"stanzaId": quoted_id, "participant": _OWN_JID}
        if from_ad:
            context |= {"conversionSource": "FB_Ads", "entryPointConversionSource": "ctwa_ad"}
        return await self.buyer_sends(
            phone,
            {"conversation": text},
            message_id=message_id,
            name=name,
            at=at,
            context=context,
            duplicate=duplicate,
        )

    async def buyer_sends(
        self,
        phone: str,
        message: Mapping[str, object],
        *,
        message_id: str | None = None,
        name: str = "Comprador",
        at: float | None = None,
        context: Mapping[str, object] | None = None,
        duplicate: bool = False,
    ) -> str:
        """Any content: `message` as WhatsApp Web has it. `phone` may be a whole jid or a lid."""
        message_id = message_id or stanza_id()
        jid = _jid(phone)
        self.remember(jid)
        data = _message_data(jid, message_id, message, ours=False, name=name, at=at)
        body = self._envelope("messages.upsert", {**data, "contextInfo": context or None})
        await self.push(body, copies=2 if duplicate else 1)
        return message_id

    async def seller_writes(self, phone: str, text: str) -> str:
        message_id = stanza_id()
        message = {"conversation": text}
        data = _message_data(_jid(phone), message_id, message, ours=True, name="Você", at=None)
        await self.push(self._envelope("messages.upsert", data))
        return message_id

    async def reports(self, sent: Outgoing, status: str) -> None:
        """A status webhook about a message of ours."""
        update = {
            "keyId": sent.id,
            "remoteJid": self.resolve(_jid(sent.to)),
            "fromMe": True,
            "status": _ACKS[status],
            "messageId": f"c{secrets.token_hex(12)}",
        }
        await self.push(self._envelope("messages.update", update))

    async def connection(self, state: str, reason: int = 200) -> None:
        """The phone's connection: open, connecting or close (401: logged out)."""
        data = {"instance": self.channel, "state": state, "statusReason": reason}
        await self.push(self._envelope("connection.update", data))

    async def _report_all(self, sent: Outgoing) -> None:
        await self.push(self._envelope("send.message", self._sent_data(sent)))
        for status in self.statuses:
            await self.reports(sent, status)

    def _envelope(self, event: str, data: Mapping[str, object]) -> dict[str, object]:
        local_time = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {
            "event": event,
            "instance": self.channel,
            "data": data,
            "destination": self.webhook_url,
            "date_time": local_time.removesuffix("+00:00") + "Z",
            "sender": _OWN_JID,
            "server_url": self.base_url,
            "apikey": None,
        }

    def keep(self, message_id: str, data: bytes, mime_type: str) -> None:
        """The file of a message, as Evolution would decrypt it on demand."""
        self.files[message_id] = (data, mime_type)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        route = request.match_info["route"]
        if route not in _SENDS:
            return refused(refusal(404, [f"Cannot POST {request.path}"]))
        return self._stopped(request) or await self.answer(
            request, lambda body: self._outgoing(route, body), self._accepted, self._report_all
        )

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        """Marks read, or shows that we write: the true server holds that call for the delay."""
        route = request.match_info["route"]
        if route not in _CHATS:
            return refused(refusal(404, [f"Cannot POST {request.path}"]))
        body = await self.body_of(request)
        wrong = problem(route, body)
        if stopped := self._stopped(request):
            return stopped
        if wrong is not None:
            return refused(refusal(400, [[wrong]]))
        await self.keep_mark(body)
        return web.json_response({"message": "Read messages", "read": "success"}, status=201)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        body = await self.body_of(request)
        key = fields.obj(fields.obj(body.get("message")).get("key"))
        found = self.files.get(fields.text(key.get("id")) or "")
        if stopped := self._stopped(request):
            return stopped
        if found is None:
            return refused(refusal(400, ["Message not found"]))
        await self.hand_over_file()
        answer = {
            "mediaType": "imageMessage",
            "fileName": f"{secrets.token_hex(8)}.bin",
            "mimetype": found[1],
            "base64": base64.b64encode(found[0]).decode(),
            "buffer": None,
        }
        return web.json_response(answer, status=201)

    def _stopped(self, request: web.Request) -> web.Response | None:
        """An error before anything is looked at: a wrong key, an instance that is not there."""
        given = request.headers.get("apikey", "")
        if not secrets.compare_digest(given.encode(), self._apikey.encode()):
            return refused(refusal(401, "Unauthorized"))
        instance = request.match_info["instance"]
        if instance != self.channel:
            return refused(refusal(404, [f'The "{instance}" instance does not exist']))
        return None

    def _outgoing(self, route: str, body: dict[str, object]) -> Outgoing | Refusal:
        """By the schema first, then whether WhatsApp knows the number."""
        wrong = problem(route, body)
        if wrong is not None:
            return refusal(400, [[wrong]])
        to = fields.text(body.get("number")) or ""
        if to in self.not_on_whatsapp or _jid(to) in self.not_on_whatsapp:
            return refusal(400, [{"jid": _jid(to), "exists": False, "number": to}])
        return outgoing(route, body)

    def _accepted(self, sent: Outgoing) -> web.Response:
        return web.json_response(self._sent_data(sent), status=201)

    def _sent_data(self, sent: Outgoing) -> dict[str, object]:
        message: dict[str, object] = {"conversation": sent.text}
        if sent.kind != "text":
            message = {f"{sent.kind}Message": {"url": sent.media, "caption": sent.text}}
        jid = self.resolve(_jid(sent.to))
        data = _message_data(jid, sent.id, message, ours=True, name="Você", at=sent.at)
        return {**data, "status": "PENDING", "source": "unknown"}


def _set_headers(webhook_secret: str | None, jwt_key: str | None) -> dict[str, str]:
    """As they were given to /webhook/set."""
    given = {SECRET_HEADER: webhook_secret, "jwt_key": jwt_key}
    return {name: value for name, value in given.items() if value is not None}


def _message_data(
    jid: str,
    message_id: str,
    message: Mapping[str, object],
    *,
    ours: bool,
    name: str,
    at: float | None,
) -> dict[str, object]:
    return {
        "key": {"remoteJid": jid, "fromMe": ours, "id": message_id},
        "pushName": name,
        "status": "SERVER_ACK" if ours else "DELIVERY_ACK",
        "message": message,
        "messageType": next(iter(message), "unknown"),
        "messageTimestamp": int(now() if at is None else at),
        "instanceId": "4f1c2d3e-0000-4000-8000-000000000001",
        "source": "android",
    }


def _jid(number: str) -> str:
    return number if "@" in number else f"{number}@s.whatsapp.net"
