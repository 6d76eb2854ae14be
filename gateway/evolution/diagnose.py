"""Asks an Evolution server whether an instance can send and receive. Called through the adapter.

Source: Evolution API v2, GET /instance/connectionState/{instance}, GET /webhook/find/{instance}.
"""

from __future__ import annotations

from urllib.parse import quote

import aiohttp

from gateway import fields
from gateway.asking import Unanswered, ask, leads_to, webhook_path
from gateway.errors import BadCredentials
from gateway.evolution.auth import SECRET_HEADER
from gateway.evolution.credentials import EvolutionCredentials
from gateway.findings import Finding, good, wrong
from gateway.http import Answer
from schema.channels import Channel

EVENTS = (
    "MESSAGES_UPSERT",
    "MESSAGES_UPDATE",
    "MESSAGES_EDITED",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "CONNECTION_UPDATE",
)
"""What an instance must push; docs/gateways.md says so too."""
_STATES = {
    "connecting": "wait a minute, then look again; if it stays, restart the instance",
    "close": "open the instance in Evolution's manager and scan its QR code with the shop's phone",
    "refused": "scan the QR code anew; too many tries were refused",
}


async def diagnose(
    session: aiohttp.ClientSession, channel: Channel, *, timeout_s: float
) -> list[Finding]:
    """Key and session, then webhook: address, events, secret."""
    try:
        credentials = EvolutionCredentials.of(channel.credentials)
    except BadCredentials as error:
        return [wrong(str(error), "`helix channel add` with complete credentials")]
    instance = quote(channel.identifier, safe="")
    key = {"apikey": credentials.apikey.get_secret_value()}

    async def asked(path: str) -> Answer:
        url = f"{credentials.base_url}/{path}/{instance}"
        return await ask(session, url, headers=key, timeout_s=timeout_s)

    findings = [good("the credentials are complete")]
    try:
        state = await asked("instance/connectionState")
        findings += _session(state, channel)
        if state.status == 200:
            findings += _webhook(await asked("webhook/find"), channel, credentials)
    except Unanswered as error:
        findings.append(error.finding)
    return findings


def _session(answer: Answer, channel: Channel) -> list[Finding]:
    if answer.status in (401, 403):
        return [wrong("Evolution does not accept the apikey", "correct apikey in the credentials")]
    if answer.status != 200:
        return [
            wrong(
                f"Evolution knows no instance {channel.identifier!r} (HTTP {answer.status})",
                "create the instance, or add the channel under the instance's exact name",
            )
        ]
    found = [good("Evolution accepts the apikey and knows the instance")]
    state = fields.text(fields.obj(fields.obj(answer.body).get("instance")).get("state"))
    if state == "open":
        return [*found, good("the phone is connected")]
    return [
        *found,
        wrong(
            f"the phone is not connected: {fields.label(state or 'no state')}",
            _STATES.get(state or "", _STATES["close"]),
        ),
    ]


def _webhook(answer: Answer, channel: Channel, credentials: EvolutionCredentials) -> list[Finding]:
    """Older versions nest the row in `webhook`."""
    body = fields.obj(answer.body)
    webhook = fields.obj(body.get("webhook")) or body
    url = fields.text(webhook.get("url"))
    set_it = f"POST /webhook/set/{channel.identifier} as docs/gateways.md shows"
    if answer.status != 200 or url is None:
        return [wrong("the instance has no webhook of its own", set_it)]
    if webhook.get("enabled") is not True:
        return [wrong("the instance's webhook is switched off", set_it)]
    found = []
    if leads_to(url, channel):
        found.append(good("the instance pushes to this channel's webhook address"))
    else:
        found.append(
            wrong(
                "the instance pushes to another address",
                f"{set_it}, with an url that ends in {webhook_path(channel)}",
            )
        )
    missing = [name for name in EVENTS if name not in fields.items(webhook.get("events"))]
    if missing:
        found.append(wrong(f"these events are not pushed: {', '.join(missing)}", set_it))
    else:
        found.append(good("all events that are needed are pushed"))
    return [*found, _secret(fields.obj(webhook.get("headers")), credentials, set_it)]


def _secret(headers: dict[str, object], credentials: EvolutionCredentials, set_it: str) -> Finding:
    given = {name.lower(): value for name, value in headers.items()}
    wanted = {SECRET_HEADER: credentials.header_secrets(), "jwt_key": credentials.token_keys()}
    for name, secrets in wanted.items():
        value = fields.text(given.get(name))
        if value is not None and value.encode() in secrets:
            return good(f"the webhook carries the secret ({name})")
    if any(name in given for name in wanted):
        return wrong("the webhook carries another secret: every event is refused", set_it)
    return wrong("the webhook carries no secret: every event is refused", set_it)
