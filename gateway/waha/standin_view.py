"""What the stand-in of WAHA tells about its session.

Called by the stand-in. Tests change the fields to make something be wrong.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import web

from gateway.waha.diagnose import EVENTS


@dataclass(slots=True, kw_only=True)
class SessionView:
    """Answers GET /api/sessions/{session}."""

    channel: str
    api_key: str = field(repr=False)
    hmac_key: str | None = field(repr=False)
    webhook_url: Callable[[], str | None]
    status: str = "WORKING"
    events: tuple[str, ...] = EVENTS
    webhooks: int = 1
    """How many times the same webhook is set."""

    def routes(self) -> Iterable[web.RouteDef]:
        """The one."""
        return (web.get("/api/sessions/{session}", self._session),)

    async def _session(self, request: web.Request) -> web.Response:
        given = request.headers.get("X-Api-Key", "")
        if not secrets.compare_digest(given.encode(), self.api_key.encode()):
            return web.json_response({"message": "Unauthorized", "statusCode": 401}, status=401)
        name = request.match_info["session"]
        if name != self.channel:
            body = {"message": f'Session "{name}" not found', "statusCode": 404}
            return web.json_response({**body, "error": "Not Found"}, status=404)
        url = self.webhook_url()
        hook = {"url": url, "events": list(self.events), "hmac": {"key": self.hmac_key}}
        return web.json_response(
            {
                "name": name,
                "status": self.status,
                "me": {"id": "551133330001@c.us", "pushName": "Auto Show"},
                "config": {"webhooks": [] if url is None else [hook] * self.webhooks},
            }
        )
