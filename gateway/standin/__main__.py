"""`python -m gateway.standin GATEWAY --webhook URL`: a stand-in as a process of its own.

Secrets come from the environment (STANDIN_ACCESS_TOKEN, STANDIN_APP_SECRET; STANDIN_APIKEY,
STANDIN_WEBHOOK_SECRET, STANDIN_JWT_KEY). From outside it is driven over HTTP: POST
/_standin/buyer and /_standin/seller with {"phone", "text"}, GET /_standin/outbox?after=N.
"""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.cloud_api.standin import CloudStandin
from gateway.evolution.standin import EvolutionStandin
from gateway.standin.base import Standin


class _Secrets(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="STANDIN_", frozen=True)

    access_token: SecretStr | None = None
    app_secret: SecretStr | None = None
    apikey: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    jwt_key: SecretStr | None = None

    def needed(self, name: str) -> str:
        """A secret that this stand-in cannot do without."""
        value = self.optional(name)
        if not value:
            raise typer.BadParameter(f"set STANDIN_{name.upper()} in the environment")
        return value

    def optional(self, name: str) -> str | None:
        """A secret, if it is set."""
        value: SecretStr | None = getattr(self, name)
        return None if value is None else value.get_secret_value()


def _build(gateway: str, channel: str | None, webhook: str | None, port: int) -> Standin:
    secrets = _Secrets()
    if gateway == "cloud_api":
        return CloudStandin(
            access_token=secrets.needed("access_token"),
            app_secret=secrets.needed("app_secret"),
            channel=channel or "106540352242901",
            webhook_url=webhook,
            port=port,
        )
    if gateway == "evolution":
        return EvolutionStandin(
            apikey=secrets.needed("apikey"),
            webhook_secret=secrets.optional("webhook_secret"),
            jwt_key=secrets.optional("jwt_key"),
            channel=channel or "loja-alfa",
            webhook_url=webhook,
            port=port,
        )
    raise typer.BadParameter(f"no stand-in of {gateway!r}; there are cloud_api, evolution")


async def _serve(standin: Standin) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with standin:
        typer.echo(standin.base_url)
        await ended.wait()


def main(
    gateway: Annotated[str, typer.Argument(help="cloud_api or evolution")],
    webhook: Annotated[str | None, typer.Option(help="Where events are pushed to.")] = None,
    channel: Annotated[str | None, typer.Option(help="phone_number_id or instance")] = None,
    port: Annotated[int, typer.Option(help="0: any free one; it is printed.")] = 0,
) -> None:
    """Serve a gateway's stand-in on loopback until interrupted."""
    asyncio.run(_serve(_build(gateway, channel, webhook, port)))


if __name__ == "__main__":
    typer.run(main)
