"""`helix channel`: the WhatsApp numbers of dealers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from gateway.adapters import WITHOUT_WEBHOOK
from schema.channels import Channel
from schema.errors import NotConfigured
from tenancy.channels import add_channel
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.cli.channel_look import look
from worker.cli.channel_secret import rotate_secret
from worker.cli.channel_switch import disable, enable
from worker.cli.output import Json, note, print_facts, print_rows, run
from worker.cli.tell import client, tell
from worker.deliver.gate import reopen
from worker.deliver.limits import Limits
from worker.queue.bell import Bell
from worker.queue.keys import Task

app = typer.Typer(help="WhatsApp numbers of dealers.", no_args_is_help=True)

_STDIN = "-"


@app.command()
def add(
    empresa: Annotated[int, typer.Option(min=1, help="Whose number it is.")],
    gateway: Annotated[str, typer.Option(help="cloud_api, evolution, waha, ...")],
    identifier: Annotated[
        str, typer.Option(help="As the gateway names it: phone_number_id, instance, session.")
    ],
    credentials: Annotated[
        str | None,
        typer.Option(help="File with a JSON object of the gateway's credentials; - for stdin."),
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option(help='What differs from the gateway\'s limits: {"per_second": 20}.'),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a number, or renew the credentials or limits of one. Prints the path of its webhook."""
    opened = None if credentials is None else _credentials(credentials)
    stated = None if limits is None else _limits(limits)
    try:
        channel = run(_add(_settings(), empresa, gateway, identifier, opened, stated))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    print_facts(_facts(channel), as_json=as_json)


@app.command(name="list")
def list_(
    empresa: Annotated[int, typer.Option(min=1, help="Whose numbers.")], as_json: Json = False
) -> None:
    """List the numbers of a dealer."""
    channels = run(_list(_settings(), empresa))
    rows = [_facts(channel) for channel in channels]
    print_rows(rows, title=f"Channels of empresa {empresa}", as_json=as_json)


app.command(name="test")(look)
app.command()(disable)
app.command()(enable)
app.command()(rotate_secret)


@app.command()
def resume(
    empresa: Annotated[int, typer.Option(min=1, help="Whose number.")],
    channel: Annotated[int, typer.Option(min=1, help="Its id; see `helix channel list`.")],
) -> None:
    """Let a number send again at once: what stopped or slowed it is mended."""
    run(_resume(_settings(), empresa, channel))
    note("what waited goes out now")


def _settings() -> TenancySettings:
    return TenancySettings()


def _credentials(source: str) -> dict[str, str]:
    """A JSON object of texts. It never comes from the command line, which others can see."""
    try:
        text = sys.stdin.read() if source == _STDIN else Path(source).read_text(encoding="utf-8")
        value = json.loads(text)
    except OSError as error:
        raise typer.BadParameter(f"{source}: {error.strerror}") from error
    except ValueError:
        raise typer.BadParameter("the credentials are no JSON") from None
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise typer.BadParameter(
            'the credentials are a JSON object of texts: {"access_token": "…"}'
        )
    return value


def _limits(text: str) -> dict[str, object]:
    """Only what was given: defaults may change with a release."""
    try:
        return Limits.model_validate_json(text).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        what = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, what["loc"]))
        raise typer.BadParameter(f"limits: {where}: {what['msg']}") from None


async def _resume(settings: TenancySettings, empresa: int, channel_id: int) -> None:
    async with open_tenancy(settings) as tenancy:
        channels = await tenancy.registry.channels(empresa)
    found = next((channel for channel in channels if channel.id == channel_id), None)
    if found is None:
        raise NotConfigured(empresa, f"it has no channel {channel_id}; see `helix channel list`")
    async with client() as redis:
        await reopen(redis, found)
        await Bell(redis).ring(Task.DELIVER, empresa)


async def _add(
    settings: TenancySettings,
    empresa: int,
    gateway: str,
    identifier: str,
    credentials: dict[str, str] | None,
    limits: dict[str, object] | None,
) -> Channel:
    async with open_tenancy(settings) as tenancy, tenancy.central.transaction() as conn:
        channel = await add_channel(
            conn,
            tenancy.keyring,
            empresa_id=empresa,
            gateway=gateway,
            identifier=identifier,
            credentials=credentials,
            limits=limits,
        )
    await tell(empresa)
    return channel


async def _list(settings: TenancySettings, empresa: int) -> tuple[Channel, ...]:
    async with open_tenancy(settings) as tenancy:
        return await tenancy.registry.channels(empresa)


def _facts(channel: Channel) -> dict[str, object]:
    webhook = f"/webhook/{channel.gateway}/{channel.webhook_token}"
    return {
        "id": channel.id,
        "empresa": channel.empresa_id,
        "gateway": channel.gateway,
        "identifier": channel.identifier,
        "active": channel.active,
        "webhook": None if channel.gateway in WITHOUT_WEBHOOK else webhook,
    }
