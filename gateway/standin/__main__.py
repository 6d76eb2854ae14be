"""`python -m gateway.standin GATEWAY --webhook URL`: a stand-in as a process of its own.

Secrets come from the environment (STANDIN_ACCESS_TOKEN, STANDIN_APP_SECRET; STANDIN_APIKEY,
STANDIN_WEBHOOK_SECRET, STANDIN_JWT_KEY; STANDIN_API_KEY, STANDIN_HMAC_KEY). From outside it is
driven over HTTP: POST /_standin/buyer and /_standin/seller with {"phone", "text"}, GET
/_standin/outbox?after=N.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.standin.base import Standin
from gateway.standin.every import STANDINS, stand_in


class _Secrets(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="STANDIN_", frozen=True)

    access_token: SecretStr | None = None
    app_secret: SecretStr | None = None
    apikey: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    jwt_key: SecretStr | None = None
    api_key: SecretStr | None = None
    hmac_key: SecretStr | None = None

    def given(self, names: Iterable[str]) -> dict[str, str]:
        """Those of the named secrets that are set."""
        found: dict[str, SecretStr | None] = {name: getattr(self, name) for name in names}
        return {name: value.get_secret_value() for name, value in found.items() if value}


def _build(gateway: str, channel: str | None, webhook: str | None, port: int) -> Standin:
    if gateway not in STANDINS:
        raise typer.BadParameter(f"no stand-in of {gateway!r}; there are {', '.join(STANDINS)}")
    kind = STANDINS[gateway]
    secrets = _Secrets().given(kind.needs + kind.may_have)
    for name in kind.needs:
        if name not in secrets:
            raise typer.BadParameter(f"set STANDIN_{name.upper()} in the environment")
    return stand_in(gateway, secrets, channel=channel, webhook_url=webhook, port=port)


async def _serve(standin: Standin) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with standin:
        typer.echo(standin.base_url)
        await ended.wait()


def main(
    gateway: Annotated[str, typer.Argument(help=f"One of: {', '.join(STANDINS)}.")],
    webhook: Annotated[str | None, typer.Option(help="Where events are pushed to.")] = None,
    channel: Annotated[
        str | None, typer.Option(help="phone_number_id, instance or session")
    ] = None,
    port: Annotated[int, typer.Option(help="0: any free one; it is printed.")] = 0,
) -> None:
    """Serve a gateway's stand-in on loopback until interrupted."""
    asyncio.run(_serve(_build(gateway, channel, webhook, port)))


if __name__ == "__main__":
    typer.run(main)
