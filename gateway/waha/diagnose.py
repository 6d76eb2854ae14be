"""Asks a WAHA server whether a session can send and receive. Called through the adapter.

Source: WAHA's documentation, "Sessions": GET /api/sessions/{session}.
"""

from __future__ import annotations

from urllib.parse import quote

import aiohttp

from gateway import fields
from gateway.asking import Unanswered, ask, leads_to, webhook_path
from gateway.errors import BadCredentials
from gateway.findings import Finding, good, unseen, wrong
from gateway.http import Answer
from gateway.waha.credentials import WahaCredentials
from schema.channels import Channel

EVENTS = (
    "message.any",
    "message.reaction",
    "message.ack",
    "message.edited",
    "message.revoked",
    "session.status",
)
"""What a session must push; `message` beside `message.any` would bring everything twice."""
_STATES = {
    "STARTING": "wait a minute, then look again; if it stays, restart the session",
    "SCAN_QR_CODE": "scan the session's QR code with the shop's phone",
    "STOPPED": "start the session: POST /api/sessions/{session}/start",
    "FAILED": "restart the session; if it fails again, log out and scan its QR code anew",
}


async def diagnose(
    session: aiohttp.ClientSession, channel: Channel, *, timeout_s: float
) -> list[Finding]:
    """Key and session, then its webhooks: address, events, signature."""
    try:
        credentials = WahaCredentials.of(channel.credentials)
    except BadCredentials as error:
        return [wrong(str(error), "`helix channel add` with complete credentials")]
    try:
        answer = await ask(
            session,
            f"{credentials.base_url}/api/sessions/{quote(channel.identifier, safe='')}",
            headers={"X-Api-Key": credentials.api_key.get_secret_value()},
            timeout_s=timeout_s,
        )
    except Unanswered as error:
        return [good("the credentials are complete"), error.finding]
    found = [good("the credentials are complete"), *_session(answer, channel)]
    if answer.status == 200:
        config = fields.obj(fields.obj(answer.body).get("config"))
        webhooks = [fields.obj(each) for each in fields.items(config.get("webhooks"))]
        found += _webhooks(webhooks, channel, set(credentials.webhook_keys()))
    return found


def _session(answer: Answer, channel: Channel) -> list[Finding]:
    if answer.status in (401, 403):
        return [wrong("WAHA does not accept the api_key", "correct api_key in the credentials")]
    if answer.status != 200:
        return [
            wrong(
                f"WAHA knows no session {channel.identifier!r} (HTTP {answer.status})",
                "create the session, or add the channel under the session's exact name",
            )
        ]
    body = fields.obj(answer.body)
    found = [good("WAHA accepts the api_key and knows the session")]
    status = fields.text(body.get("status")) or "no status"
    if status != "WORKING":
        to_do = _STATES.get(status, "open WAHA's dashboard and see what the session asks for")
        return [*found, wrong(f"the session is not working: {fields.label(status)}", to_do)]
    me = fields.label(fields.obj(body.get("me")).get("pushName"))
    return [*found, good(f"the phone is connected ({me or 'without a name'})")]


def _webhooks(
    webhooks: list[dict[str, object]], channel: Channel, keys: set[bytes]
) -> list[Finding]:
    set_it = "set config.webhooks of the session as docs/gateways.md shows"
    ours = [each for each in webhooks if leads_to(fields.text(each.get("url")) or "", channel)]
    if not ours:
        said = "pushes elsewhere" if webhooks else "has no webhook of its own"
        return [wrong(f"the session {said}", f"{set_it}; its url ends in {webhook_path(channel)}")]
    found = [good("the session pushes to this channel's webhook address")]
    if len(ours) > 1:
        found.append(wrong("it does so more than once: everything comes twice", set_it))
    events = [event for each in ours for event in fields.items(each.get("events"))]
    missing = [] if "*" in events else [name for name in EVENTS if name not in events]
    if missing:
        found.append(wrong(f"these events are not pushed: {', '.join(missing)}", set_it))
    if "message" in events and "message.any" in events:
        found.append(wrong("`message` beside `message.any`: all comes twice", set_it))
    return [*found, *(_signature(fields.obj(each.get("hmac")), keys, set_it) for each in ours)]


def _signature(hmac: dict[str, object], keys: set[bytes], set_it: str) -> Finding:
    key = fields.text(hmac.get("key"))
    if key is None:
        return wrong("webhooks are not signed (no hmac.key): every event is refused", set_it)
    if key.encode() in keys:
        return good("webhooks are signed with this channel's key")
    if set(key) <= {"*"}:
        return unseen("WAHA does not show its hmac.key", "write as a buyer and look at our log")
    return wrong("webhooks are signed with another key: every event is refused", set_it)
