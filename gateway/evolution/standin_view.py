"""What the stand-in of Evolution tells about its instance and webhook.

Called by the stand-in. Tests change the fields to make something be wrong.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from gateway.evolution.diagnose import EVENTS


@dataclass(slots=True, kw_only=True)
class InstanceView:
    """Answers GET /instance/connectionState/{instance} and GET /webhook/find/{instance}."""

    channel: str
    apikey: str
    webhook_url: Callable[[], str | None]
    headers: Mapping[str, str]
    state: str = "open"
    enabled: bool = True
    events: tuple[str, ...] = EVENTS

    def routes(self) -> Iterable[web.RouteDef]:
        """The two."""
        return (
            web.get("/instance/connectionState/{instance}", self._connection_state),
            web.get("/webhook/find/{instance}", self._webhook),
        )

    async def _connection_state(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        return web.json_response({"instance": {"instanceName": self.channel, "state": self.state}})

    async def _webhook(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        url = self.webhook_url()
        if url is None:
            return web.json_response(None)
        row = {
            "id": "cm0000000000000000000000",
            "enabled": self.enabled,
            "url": url,
            "headers": dict(self.headers),
            "events": list(self.events),
            "webhookByEvents": False,
            "webhookBase64": False,
        }
        return web.json_response(row)

    def _refused(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("apikey", "")
        if not secrets.compare_digest(given.encode(), self.apikey.encode()):
            return _error(401, "Unauthorized", "Unauthorized")
        name = request.match_info["instance"]
        if name != self.channel:
            return _error(404, "Not Found", [f'The "{name}" instance does not exist'])
        return None


def _error(status: int, name: str, message: object) -> web.Response:
    body = {"status": status, "error": name, "response": {"message": message}}
    return web.json_response(body, status=status)
