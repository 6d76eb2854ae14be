"""`helix channel disable` and `enable`: stops and starts the service of one number."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from redis.exceptions import RedisError

from schema.channels import Channel
from schema.errors import HelixError
from tenancy.channel_changes import lock_channel, set_active
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from worker.cli.channel_look import ChannelId
from worker.cli.output import Json, note, print_facts, run
from worker.cli.tell import client, tell
from worker.queue.keys import dead_letters, inbox

T = TypeVar("T")

_OPEN = """
    SELECT COUNT(*), MIN(gravada_em) FROM mensagens
     WHERE canal_id = %(id)s AND status IN ('pendente', 'enviando')
"""


def disable(channel: ChannelId, as_json: Json = False) -> None:
    """Stop serving a number: nothing is sent, what comes is kept as dead letters."""
    print_facts(run(_switch(TenancySettings(), channel, active=False)), as_json=as_json)


def enable(channel: ChannelId, as_json: Json = False) -> None:
    """Serve a number again: replies that waited go out now."""
    print_facts(run(_switch(TenancySettings(), channel, active=True)), as_json=as_json)


async def _switch(settings: TenancySettings, channel_id: int, *, active: bool) -> dict[str, object]:
    """The facts of the channel after the change, and what waits."""
    async with open_tenancy(settings) as tenancy:
        async with tenancy.central.transaction() as conn:
            channel = await lock_channel(conn, tenancy.keyring, channel_id)
            await set_active(conn, channel, active=active)
        await tell(channel.empresa_id)
        return {
            "id": channel.id,
            "empresa": channel.empresa_id,
            "gateway": channel.gateway,
            "identifier": channel.identifier,
            "active": active,
            **await _replies(tenancy, channel),
            **await _events(channel),
        }


async def _replies(tenancy: Tenancy, channel: Channel) -> dict[str, object]:
    """Not yet sent, of this number; unknown when the dealer's database does not answer."""
    count: int | None = None
    oldest: datetime | None = None
    try:
        async with tenancy.pools.connection(channel.empresa_id) as conn:
            ((count, oldest),) = await conn.fetch_all(_OPEN, {"id": channel.id})
    except HelixError as error:
        note(f"how many replies wait is not known: {error}")
    return {"replies_waiting": count, "oldest_reply_utc": oldest}


async def _events(channel: Channel) -> dict[str, object]:
    """Of the whole empresa: its inbox and dead letters are not told apart by number."""
    stored: int | None = None
    dead: int | None = None
    try:
        async with client() as redis:
            stored = int(await redis.xlen(inbox(channel.empresa_id)))
            dead = int(await redis.xlen(dead_letters(channel.empresa_id)))
    except RedisError as error:
        note(f"what waits in Redis is not known: {type(error).__name__}")
    return {"events_on_the_inbox": stored, "dead_letters": dead}
