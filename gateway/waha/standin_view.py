"""What the stand-in of WAHA tells about its session.

Called by the stand-in. Tests change the fields to make something be wrong.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from gateway.waha.diagnose import EVENTS


@dataclass(slots=True, kw_only=True)
class SessionView:
    """Answers GET /api/sessions/{session}."""

    channel: str
    api_key: str
    hmac_key: str | None
    webhook_url: Callable[[], str | None]
    status: str = "WORKING"
    events: tuple[str, ...] = EVENTS

    def routes(self) -> Iterable[web.RouteDef]:
        """The one."""
        return (web.get("/api/sessions/{session}", self._session),)

    async def _session(self, request: web.Request) -> web.Response:
        given = request.headers.get("X-Api-Key", "")
        if not secrets.compare_digest(given.encode(), self.api_key.encode()):
            return web.json_response({"message": "Unauthorized", "statusCode": 401}, status=401)
        if request.match_info["session"] != self.channel:
            return web.json_response({"message": "Session not found"}, status=404)
        me = {"id": "551133330001@c.us", "pushName": "Auto Show"}
        return web.json_response(
            {
                "name": self.channel,
                "status": self.status,
                "me": me if self.status == "WORKING" else None,
                "config": {"webhooks": self._webhooks()},
            }
        )

    def _webhooks(self) -> list[dict[str, object]]:
        url = self.webhook_url()
        if url is None:
            return []
        hmac = None if self.hmac_key is None else {"key": self.hmac_key}
        return [{"url": url, "events": list(self.events), "hmac": hmac}]
