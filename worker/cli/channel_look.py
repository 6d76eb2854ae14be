"""`helix channel test`: says in words what keeps a number from sending or receiving."""

from __future__ import annotations

from typing import Annotated

import aiohttp
import typer

from gateway.adapters import outlets
from gateway.findings import Finding, good, wrong
from schema.channels import Channel
from schema.errors import HelixError, UnknownChannel
from tenancy.registry import ACTIVE
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from worker.cli.output import Json, print_json, run, say
from worker.cli.tell import client

_MARKS = {True: "ok   ", False: "WRONG", None: "?    "}

ChannelId = Annotated[
    int, typer.Argument(min=1, metavar="ID", help="As `helix channel list` shows it.")
]


def look(
    channel: ChannelId,
    timeout_s: Annotated[
        float, typer.Option(min=0.1, max=60, help="For each question to the gateway.")
    ] = 10.0,
    as_json: Json = False,
) -> None:
    """Ask a number's gateway whether it can send and receive. Exit code 1: something is wrong."""
    found, findings = run(_ask(TenancySettings(), channel, timeout_s))
    is_good = all(finding.ok is not False for finding in findings)
    if as_json:
        listed = [{"ok": each.ok, "what": each.what, "do": each.do} for each in findings]
        print_json({"id": found.id, "gateway": found.gateway, "ok": is_good, "findings": listed})
    else:
        for each in findings:
            say(f"{_MARKS[each.ok]}  {each.what}")
            if each.do is not None:
                say(f"       -> {each.do}")
    if not is_good:
        raise typer.Exit(1)


async def _ask(
    settings: TenancySettings, channel_id: int, timeout_s: float
) -> tuple[Channel, list[Finding]]:
    async with open_tenancy(settings) as tenancy, client() as redis:
        channel = await tenancy.registry.channel_by_id(channel_id)
        if channel is None:
            raise UnknownChannel(channel_id)
        findings = await _at_home(tenancy, channel)
        outlet = outlets(redis).get(channel.gateway)
        if outlet is None:
            return channel, [
                *findings,
                wrong(
                    f"there is no gateway {channel.gateway!r}",
                    f"add the number under one of: {', '.join(outlets(redis))}",
                ),
            ]
        async with aiohttp.ClientSession() as session:
            findings += await outlet.diagnose(session, channel, timeout_s=timeout_s)
        return channel, findings


async def _at_home(tenancy: Tenancy, channel: Channel) -> list[Finding]:
    """What we ourselves have to say."""
    found = [
        good("the channel is switched on")
        if channel.active
        else wrong("the channel is switched off", f"`helix channel enable {channel.id}`")
    ]
    try:
        tenant = await tenancy.registry.tenant(channel.empresa_id)
    except HelixError as error:
        return [*found, wrong(str(error), f"`helix empresa show {channel.empresa_id}`")]
    if tenant.status != ACTIVE:
        show = f"`helix empresa show {channel.empresa_id}`"
        found.append(wrong(f"empresa {channel.empresa_id} is {tenant.status}", show))
    return found
