"""`helix channel rotate-secret`: a number's webhook secret is changed and no event is refused.

First both the new and the old one are accepted; with `--finish` the old one no longer is.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters import Outlet, outlets
from gateway.errors import BadCredentials
from schema.channels import Channel
from schema.errors import NotConfigured
from tenancy.channel_changes import lock_channel, set_credentials
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy
from worker.cli.channel_look import ChannelId
from worker.cli.output import Json, print_facts, run
from worker.cli.tell import client, tell

_STDIN = "-"
_SECRET_BYTES = 32


def rotate_secret(
    channel: ChannelId,
    key: Annotated[
        str | None, typer.Option(help="Which one, where the gateway has several: jwt_key, ...")
    ] = None,
    secret_from: Annotated[
        str | None,
        typer.Option(help="File with the new secret, - for stdin; without it, one is made."),
    ] = None,
    finish: Annotated[bool, typer.Option("--finish", help="Drop the old secret.")] = False,
    as_json: Json = False,
) -> None:
    """Change the secret of a number's webhook: first both are good, after --finish the new one."""
    if finish and secret_from is not None:
        raise typer.BadParameter("--finish takes no new secret")
    given = None if secret_from is None else _read(secret_from)
    print_facts(
        run(_rotate(TenancySettings(), channel, key, given, finish=finish)), as_json=as_json
    )


def _read(source: str) -> str:
    """One secret. It never comes from the command line, which others can see."""
    try:
        text = sys.stdin.read() if source == _STDIN else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{source}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise typer.BadParameter("the secret is no text") from None
    secret = text.strip()
    if not secret or "," in secret or len(secret.split()) != 1:
        raise typer.BadParameter("a secret is one word without a comma")
    return secret


async def _rotate(
    settings: TenancySettings, channel_id: int, key: str | None, given: str | None, *, finish: bool
) -> dict[str, object]:
    async with (
        open_tenancy(settings) as tenancy,
        client() as redis,
        tenancy.central.transaction() as conn,
    ):
        channel = await lock_channel(conn, tenancy.keyring, channel_id)
        outlet = outlets(redis).get(channel.gateway)
        name = _which(channel, outlet.secret_keys if outlet is not None else {}, key)
        stored = channel.credentials.get(name, "").split(",")
        known = [secret.strip() for secret in stored if secret.strip()]
        made = None
        if not finish and given is None:
            made = _make(
                channel, name, chosen_by_us=outlet is not None and outlet.secret_keys[name]
            )
        new = _finished(channel, name, known) if finish else _begun(channel, known, given or made)
        credentials = {**channel.credentials, name: ",".join(new)}
        _check(channel, outlet, credentials)
        await set_credentials(conn, tenancy.keyring, channel, credentials)
    await tell(channel.empresa_id)
    return {
        "id": channel.id,
        "key": name,
        "accepted": len(new),
        "secret": made,
        "next": _next(channel, name, len(new)),
    }


def _which(channel: Channel, keys: Mapping[str, bool], asked: str | None) -> str:
    """The credential to change. Raises NotConfigured when that is not clear."""
    if not keys:
        raise NotConfigured(
            channel.empresa_id, f"a channel of gateway {channel.gateway} has no webhook secret"
        )
    used = [name for name in keys if channel.credentials.get(name)]
    if asked is None and len(used) == 1:
        return used[0]
    if asked in keys:
        return str(asked)
    raise NotConfigured(
        channel.empresa_id, f"say which secret of channel {channel.id}: --key {' or '.join(keys)}"
    )


def _make(channel: Channel, name: str, *, chosen_by_us: bool) -> str:
    if not chosen_by_us:
        raise NotConfigured(
            channel.empresa_id,
            f"{name} is made by the gateway: reset it there and give it with --secret-from",
        )
    return secrets.token_urlsafe(_SECRET_BYTES)


def _begun(channel: Channel, known: list[str], new: str | None) -> list[str]:
    if len(known) > 1:
        raise NotConfigured(
            channel.empresa_id,
            f"two secrets are accepted already; `helix channel rotate-secret {channel.id}"
            " --finish` first",
        )
    if new is None or new in known:
        raise NotConfigured(channel.empresa_id, "this is the secret that is in use")
    return [new, *known]


def _finished(channel: Channel, name: str, known: list[str]) -> list[str]:
    if len(known) < 2:
        raise NotConfigured(channel.empresa_id, f"there is no older {name} to drop")
    return known[:1]


def _check(channel: Channel, outlet: Outlet | None, credentials: Mapping[str, str]) -> None:
    """What could not verify a webhook is not stored."""
    if outlet is None:
        return
    try:
        outlet.check_credentials(credentials)
    except BadCredentials as error:
        raise NotConfigured(channel.empresa_id, str(error)) from error


def _next(channel: Channel, name: str, accepted: int) -> str:
    if accepted == 1:
        return f"the old {name} is refused from now on (other processes: within 40 s)"
    return (
        f"enter the new {name} at the gateway, write once as a buyer, then"
        f" `helix channel rotate-secret {channel.id} --key {name} --finish`"
    )
