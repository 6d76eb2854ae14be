"""What the stand-in of the Cloud API tells about its number, token and subscription.

Called by the stand-in. Tests change the fields to make something be wrong.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(slots=True, kw_only=True)
class GraphView:
    """Answers as the Graph API does: a number's fields, debug_token, subscribed_apps."""

    channel: str
    access_token: str
    webhook_url: Callable[[], str | None]
    waba_id: str = "102290129340301"
    status: str = "CONNECTED"
    quality: str = "GREEN"
    token_is_valid: bool = True
    expires_at: int = 0
    scopes: list[str] = field(
        default_factory=lambda: ["whatsapp_business_messaging", "whatsapp_business_management"]
    )
    apps: list[str] = field(default_factory=lambda: ["Helix"])

    def routes(self) -> Iterable[web.RouteDef]:
        """To be registered before other GETs of `/{version}/{id}`."""
        version = r"/{version:v\d+\.\d+}"
        return (
            web.get(f"{version}/debug_token", self._debug_token),
            web.get(f"{version}/{{account}}/subscribed_apps", self._subscribed_apps),
            web.get(f"{version}/{{number:{self.channel}}}", self._number),
        )

    async def _number(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        url = self.webhook_url()
        body: dict[str, object] = {
            "display_phone_number": "+55 11 3333-0001",
            "verified_name": "Auto Show",
            "quality_rating": self.quality,
            "status": self.status,
            "id": self.channel,
        }
        if url is not None:
            body["webhook_configuration"] = {"application": url}
        wanted = request.query.get("fields", "").split(",")
        return web.json_response({name: body[name] for name in (*wanted, "id") if name in body})

    async def _debug_token(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        granular = [{"scope": scope, "target_ids": [self.waba_id]} for scope in self.scopes]
        data = {
            "app_id": "670843887433847",
            "type": "SYSTEM_USER",
            "is_valid": self.token_is_valid,
            "expires_at": self.expires_at,
            "scopes": self.scopes,
            "granular_scopes": granular,
        }
        return web.json_response({"data": data})

    async def _subscribed_apps(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        if request.match_info["account"] != self.waba_id:
            return _error(100, "Object does not exist", subcode=33)
        apps = [{"whatsapp_business_api_data": {"id": "1", "name": name}} for name in self.apps]
        return web.json_response({"data": apps})

    def _refused(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization", "")
        if secrets.compare_digest(given.encode(), f"Bearer {self.access_token}".encode()):
            return None
        return _error(190, "Invalid OAuth access token", status=401)


def _error(
    code: int, message: str, *, status: int = 400, subcode: int | None = None
) -> web.Response:
    error: dict[str, object] = {"message": message, "type": "OAuthException", "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    return web.json_response({"error": error}, status=status)
