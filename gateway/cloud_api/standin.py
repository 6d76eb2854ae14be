"""A stand-in of the Cloud API: its send endpoint, its webhooks, a buyer's and a seller's phone.

Used by tests, benchmark and demo; `python -m gateway.standin cloud_api` runs it as a process.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping

from aiohttp import web

from gateway import fields
from gateway.cloud_api.auth import signature
from gateway.cloud_api.credentials import KIND
from gateway.cloud_api.standin_graph import GraphView
from gateway.cloud_api.standin_send import outgoing, refusal, wamid
from gateway.phone import canonical_phone
from gateway.standin.base import OK, Standin, now, refused
from gateway.standin.values import Outgoing

_SHOP_NUMBER = "551133330001"
_BSUID = "BR."
_RETRY_FOR_S = 7 * 24 * 3600.0
_FIRST_RETRY_S, _LONGEST_RETRY_S = 1.0, 3600.0
"""Meta repeats for seven days with growing pauses and does not publish their lengths."""


class CloudStandin(Standin):
    """One Meta app with one phone number. Its secrets are the caller's to choose."""

    kind = KIND
    needs = ("access_token", "app_secret")
    proofs = ("app_secret",)
    webhook_timeout_s = 10.0

    def __init__(
        self,
        *,
        access_token: str,
        app_secret: str,
        channel: str = "106540352242901",
        webhook_url: str | None = None,
        statuses: tuple[str, ...] = ("sent", "delivered"),
        port: int = 0,
        pace: float = 1.0,
    ) -> None:
        super().__init__(
            channel=channel, webhook_url=webhook_url, statuses=statuses, port=port, pace=pace
        )
        self._access_token, self._app_secret = access_token, app_secret
        self.graph = GraphView(
            channel=channel, access_token=access_token, webhook_url=lambda: self.webhook_url
        )
        self.files: dict[str, tuple[bytes, str]] = {}
        """What buyers uploaded, by media id: bytes and MIME type."""

    def credentials(self, verify_token: str = "unused") -> dict[str, str]:  # noqa: S107
        """What a channel needs to talk to this stand-in."""
        return {
            "access_token": self._access_token,
            "app_secret": self._app_secret,
            "verify_token": verify_token,
            "base_url": self.base_url,
        }

    def routes(self) -> Iterable[web.RouteDef]:
        return (
            *self.graph.routes(),
            web.post(r"/{version:v\d+\.\d+}/{number}/messages", self._messages),
            web.get(r"/{version:v\d+\.\d+}/{media_id}", self._describe),
            web.get(r"/_media/{media_id}", self._media),
        )

    def encode(self, body: Mapping[str, object]) -> bytes:
        """Meta escapes everything beyond ASCII, and slashes."""
        return json.dumps(body, separators=(",", ":")).replace("/", r"\/").encode("ascii")

    def webhook_headers(self, raw: bytes) -> dict[str, str]:
        return {"X-Hub-Signature-256": signature(raw, self._app_secret.encode())}

    def retry_after(self, attempt: int, status: int) -> float | None:
        pause_s = min(_FIRST_RETRY_S * 2.0 ** min(attempt - 1, 20), _LONGEST_RETRY_S)
        return None if status == OK or attempt * pause_s > _RETRY_FOR_S else pause_s

    def fail_next(
        self,
        count: int = 1,
        *,
        code: int,
        status: int = 400,
        details: str = "made to fail",
        retry_after_s: int | None = None,
    ) -> None:
        """The next `count` sends get Meta's error `code`."""
        wait = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        self.refuse_next(count, refusal(status, code, details, headers=wait))

    async def register(self, verify_token: str, challenge: str = "1158201444") -> tuple[int, str]:
        """Meta's GET handshake: what our webhook answers."""
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": verify_token,
            "hub.challenge": challenge,
        }
        async with self._session.get(self.webhook_url or "", params=query) as response:
            return response.status, await response.text()

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
        message: dict[str, object] = {"type": "text", "text": {"body": text}}
        if quoted_id:
            message = {"context": {"from": _SHOP_NUMBER, "id": quoted_id}, **message}
        if from_ad:
            ad = {"source_url": "https://fb.me/dev", "source_id": "1202", "source_type": "ad"}
            message["referral"] = ad
        return await self.buyer_sends(
            phone, message, message_id=message_id, name=name, at=at, duplicate=duplicate
        )

    async def buyer_sends(
        self,
        phone: str,
        content: Mapping[str, object],
        *,
        message_id: str | None = None,
        name: str = "Comprador",
        at: float | None = None,
        duplicate: bool = False,
    ) -> str:
        """A message of any type: `content` is its `type` and the object named like it.

        A buyer with a user name has a BSUID (`BR.` and digits) in place of a phone.
        """
        message_id = message_id or wamid()
        self.remember(phone)
        named = phone.startswith(_BSUID)
        sender = {"from_user_id": phone} if named else {"from": phone}
        identity = {"user_id": phone} if named else {"wa_id": phone, "user_id": _user_id(phone)}
        moment = {"id": message_id, "timestamp": str(int(now() if at is None else at))}
        contact = {"profile": {"name": name}, **identity}
        value = {"contacts": [contact], "messages": [{**sender, **moment, **content}]}
        await self.push(self._envelope("messages", value), copies=2 if duplicate else 1)
        return message_id

    def keep(self, data: bytes, mime_type: str) -> dict[str, object]:
        """A file that a buyer uploads; returns what a message says of it."""
        media_id = str(secrets.randbelow(10**16))
        self.files[media_id] = (data, mime_type)
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return {"id": media_id, "mime_type": mime_type, "sha256": digest}

    async def seller_writes(self, phone: str, text: str) -> str:
        message_id = wamid()
        echo = {
            "from": _SHOP_NUMBER,
            "to": phone,
            "to_user_id": _user_id(phone),
            "id": message_id,
            "timestamp": str(int(now())),
            "type": "text",
            "text": {"body": text},
        }
        await self.push(self._envelope("smb_message_echoes", {"message_echoes": [echo]}))
        return message_id

    async def reports(self, sent: Outgoing, status: str, *, code: int | None = None) -> None:
        """A status webhook about a message of ours; `code` makes it an error."""
        report: dict[str, object] = {
            "id": sent.id,
            "status": status,
            "timestamp": str(int(now())),
            "recipient_id": self.resolve(sent.to),
        }
        if sent.our_ref:
            report["biz_opaque_callback_data"] = sent.our_ref
        if code is not None:
            report["errors"] = [{"code": code, "title": "made to fail"}]
        contact = self._identity(sent.to)
        await self.push(self._envelope("messages", {"contacts": [contact], "statuses": [report]}))

    async def _report_all(self, sent: Outgoing) -> None:
        for status in self.statuses:
            await self.reports(sent, status)

    def _envelope(self, field: str, value: Mapping[str, object]) -> dict[str, object]:
        metadata = {"display_phone_number": _SHOP_NUMBER, "phone_number_id": self.channel}
        head = {"messaging_product": "whatsapp", "metadata": metadata}
        change = {"value": {**head, **value}, "field": field}
        return {
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340301", "changes": [change]}],
        }

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        if not self._knows(request):
            return refused(refusal(401, 190, "Invalid OAuth access token"))
        if request.match_info["number"] != self.channel:
            return refused(refusal(400, 100, "Object does not exist", subcode=33))
        body = await self.body_of(request)
        if body.get("status") == "read":
            if not fields.text(body.get("message_id")):
                return refused(refusal(400, 131008, "Required parameter is missing"))
            await self.keep_mark(body)
            return web.json_response({"success": True})
        return await self.answer(request, outgoing, self._accepted, self._report_all)

    async def _describe(self, request: web.Request) -> web.StreamResponse:
        """Where a file is. The true address lives for five minutes."""
        media_id = request.match_info["media_id"]
        if not self._knows(request):
            return refused(refusal(401, 190, "Invalid OAuth access token"))
        if media_id not in self.files:
            return refused(refusal(400, 100, "Object does not exist", subcode=33))
        data, mime_type = self.files[media_id]
        description = {
            "messaging_product": "whatsapp",
            "url": f"{self.base_url}/_media/{media_id}",
            "mime_type": mime_type,
            "sha256": hashlib.sha256(data).hexdigest(),
            "file_size": len(data),
            "id": media_id,
        }
        return web.json_response(description)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if not self._knows(request) or "User-Agent" not in request.headers:
            return web.Response(status=401)
        found = self.files.get(request.match_info["media_id"])
        if found is None:
            return web.Response(status=404)
        await self.hand_over_file()
        return web.Response(body=found[0], content_type=found[1].partition(";")[0])

    def _knows(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {self._access_token}".encode())

    def _accepted(self, sent: Outgoing) -> web.Response:
        answer = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": sent.to, **self._identity(sent.to)}],
            "messages": [{"id": sent.id}],
        }
        return web.json_response(answer)

    def _identity(self, to: str) -> dict[str, str]:
        """As answers and statuses name the buyer; a name comes with his own messages alone."""
        if canonical_phone(to) is None:
            return {"user_id": to}
        return {"wa_id": self.resolve(to).lstrip("+")}


def _user_id(phone: str) -> str:
    return f"{_BSUID}1{phone}"
