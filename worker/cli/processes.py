"""`helix web` and `helix worker`: the two processes of the product. See Procfile."""

from __future__ import annotations

from socket import socket
from typing import Annotated

import structlog
import typer
import uvicorn
import uvloop

from gateway.settings import GatewaySettings
from tenancy.settings import TenancySettings
from worker.alarm.settings import AlarmSettings
from worker.jobs import ProcessSettings
from worker.log import configure_logging
from worker.media.settings import MediaSettings
from worker.process import run_worker
from worker.settings import WebSettings, WorkerSettings
from worker.web.app import build_app

log = structlog.get_logger()

LogLevel = Annotated[str, typer.Option(envvar="LOG_LEVEL", help="DEBUG, INFO, WARNING or ERROR.")]


def web(log_level: LogLevel = "INFO") -> None:
    """Take webhooks: the process that gateways push to. Stop it with SIGTERM."""
    configure_logging(level=log_level)
    settings = WebSettings()
    app = build_app(
        web=settings,
        worker=WorkerSettings(),
        tenancy=TenancySettings(),
        gateways=GatewaySettings(),
        media=MediaSettings(),
        alarm=AlarmSettings(),
    )
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        log_config=None,  # ours is set
        access_log=False,  # one line per request is written where its outcome is known
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    _Server(config).run()


class _Server(uvicorn.Server):
    """Says where it listens once it does: with port 0 nobody knows before."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            log.info("web ready", address=f"http://{host}:{port}")


def worker(log_level: LogLevel = "INFO") -> None:
    """Work off inboxes and outboxes. Run as many as you like. Stop it with SIGTERM."""
    configure_logging(level=log_level)
    settings = ProcessSettings.read()
    uvloop.run(run_worker(settings))
