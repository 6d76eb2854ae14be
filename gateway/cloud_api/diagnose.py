"""Asks Meta whether a number can send and receive. Called through the adapter.

Source: Meta's Graph API reference: "WhatsApp Business Phone Number" (webhook_configuration),
"Debug Token", "Subscribed Apps".
"""

from __future__ import annotations

from urllib.parse import quote

import aiohttp

from gateway import fields
from gateway.asking import Unanswered, ask, leads_to, webhook_path
from gateway.cloud_api.credentials import CloudCredentials
from gateway.errors import BadCredentials
from gateway.findings import Finding, good, unseen, wrong
from gateway.http import Answer
from schema.channels import Channel

_NUMBER_FIELDS = "display_phone_number,verified_name,quality_rating,status,webhook_configuration"
_NEEDED = "whatsapp_business_messaging"
_MANAGEMENT = "whatsapp_business_management"
_TOKEN_CODES = frozenset({0, 10, 190, *range(200, 300)})
_NEW_TOKEN = (
    f"make a token of a system user with {_NEEDED}, then `helix channel add` it as access_token"
)


class _Graph:
    """Meta's Graph API with one channel's token."""

    def __init__(
        self, session: aiohttp.ClientSession, credentials: CloudCredentials, timeout_s: float
    ) -> None:
        self._session, self._timeout_s = session, timeout_s
        self._token = credentials.access_token.get_secret_value()
        self._base = f"{credentials.base_url}/{credentials.api_version}"

    async def get(self, path: str, **query: str) -> Answer:
        return await ask(
            self._session,
            f"{self._base}/{path}",
            headers={"Authorization": f"Bearer {self._token}"},
            query=query,
            timeout_s=self._timeout_s,
        )

    async def get_about_token(self) -> Answer:
        return await self.get("debug_token", input_token=self._token)


async def diagnose(
    session: aiohttp.ClientSession, channel: Channel, *, timeout_s: float
) -> list[Finding]:
    """Token, number, webhook address, subscription: each a finding or more."""
    try:
        credentials = CloudCredentials.of(channel.credentials)
    except BadCredentials as error:
        return [wrong(str(error), "`helix channel add` with complete credentials")]
    graph = _Graph(session, credentials, timeout_s)
    findings = [good("the credentials are complete")]
    try:
        findings += await _number(graph, channel)
        token, accounts = await _token(graph)
        findings += token
        if credentials.waba_id is not None:
            accounts = [credentials.waba_id]
        findings += await _subscription(graph, accounts)
    except Unanswered as error:
        findings.append(error.finding)
    return findings


async def _number(graph: _Graph, channel: Channel) -> list[Finding]:
    number = quote(channel.identifier, safe="")
    answer = await graph.get(number, fields=_NUMBER_FIELDS)
    if answer.status != 200:
        return [_refused(answer, channel)]
    body = fields.obj(answer.body)
    shown, name = fields.label(body.get("display_phone_number")), body.get("verified_name")
    found = [good(f"Meta knows the number: {shown} ({fields.label(name)})")]
    status = fields.text(body.get("status")) or "CONNECTED"
    if status != "CONNECTED":
        found.append(
            wrong(
                f"the number's status is {fields.label(status)}",
                "register it, or see in WhatsApp Manager what Meta asks for",
            )
        )
    if body.get("quality_rating") == "RED":
        found.append(
            wrong("Meta rates the quality RED", "buyers block this number: send less, and sooner")
        )
    return [*found, _address(fields.obj(body.get("webhook_configuration")), channel)]


def _address(configured: dict[str, object], channel: Channel) -> Finding:
    """Of several addresses the number's own counts, then the account's, then the app's."""
    url = next(
        (
            found
            for level in ("phone_number", "whatsapp_business_account", "application")
            if (found := fields.text(configured.get(level)))
        ),
        None,
    )
    enter = f"enter https://<your host>{webhook_path(channel)} as callback URL in the Meta app"
    if url is None:
        return wrong("no webhook address is entered at Meta", enter)
    if leads_to(url, channel):
        return good("Meta pushes to this channel's webhook address")
    if f"/webhook/{channel.gateway}/" in url:
        return good(
            "Meta pushes to the address of another channel: right if that one has the same app"
        )
    return wrong("Meta pushes to an address that is not ours", enter)


async def _token(graph: _Graph) -> tuple[list[Finding], list[str]]:
    """What Meta says of the token, and the accounts that it may manage."""
    answer = await graph.get_about_token()
    data = fields.obj(fields.obj(answer.body).get("data"))
    if answer.status != 200 or not data:
        return [unseen("Meta tells this token nothing about itself", "look at it in the app")], []
    if data.get("is_valid") is not True:
        return [wrong("the token is not valid any more", _NEW_TOKEN)], []
    scopes = [fields.text(scope) for scope in fields.items(data.get("scopes"))]
    found = [good("the token is valid")]
    if _NEEDED not in scopes:
        found.append(wrong(f"the token lacks {_NEEDED}", _NEW_TOKEN))
    expires = fields.unix_seconds(data.get("expires_at"))
    if expires:
        found.append(
            wrong("the token has an end: it is one of a person", "use one of a system user")
        )
    accounts = [
        account
        for scope in map(fields.obj, fields.items(data.get("granular_scopes")))
        if scope.get("scope") == _MANAGEMENT
        for target in fields.items(scope.get("target_ids"))
        if (account := fields.ident(target))
    ]
    return found, accounts


async def _subscription(graph: _Graph, accounts: list[str]) -> list[Finding]:
    if not accounts:
        return [
            unseen("whether an app is subscribed is not known", "set waba_id in the credentials")
        ]
    found = []
    for account in accounts[:5]:
        answer = await graph.get(f"{quote(account, safe='')}/subscribed_apps")
        apps = fields.items(fields.obj(answer.body).get("data"))
        if answer.status != 200:
            found.append(
                wrong(
                    f"account {account}: the token may not see its subscriptions",
                    f"give the system user {_MANAGEMENT} for it, or correct waba_id",
                )
            )
        elif apps:
            found.append(good(f"account {account} pushes to {len(apps)} app(s)"))
        else:
            found.append(
                wrong(
                    f"no app is subscribed to account {account}: nothing is pushed",
                    f"POST /{account}/subscribed_apps with the app's token, or add it in the app",
                )
            )
    return found


def _refused(answer: Answer, channel: Channel) -> Finding:
    error = fields.obj(fields.obj(answer.body).get("error"))
    code = fields.code(error.get("code"))
    said = (
        f"Meta refuses (HTTP {answer.status}, error {code}): {fields.label(error.get('message'))}"
    )
    if code in _TOKEN_CODES or answer.status == 401:
        return wrong(said, _NEW_TOKEN)
    return wrong(
        said, f"is {channel.identifier} the phone number id, and may this token see its account?"
    )
