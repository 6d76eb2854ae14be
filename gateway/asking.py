"""Asks a gateway for its view of a channel, as findings. Called by the adapters' `diagnose`.

Each question is one GET. What does not answer, or refuses us, is a finding and no error.
"""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from gateway.findings import Finding, wrong
from gateway.http import Answer, get
from schema.channels import Channel
from schema.errors import ChannelRefused, Transient


class Unanswered(Exception):
    """The gateway gave no answer that says anything about the channel; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


async def ask(
    session: aiohttp.ClientSession,
    url: str,
    *,
    headers: Mapping[str, str],
    timeout_s: float,
    query: Mapping[str, str] | None = None,
) -> Answer:
    """The answer, whatever its status below 500. Raises Unanswered."""
    try:
        answer = await get(session, url, headers=headers, query=query, timeout_s=timeout_s)
    except ChannelRefused as error:
        raise Unanswered(wrong(str(error), "correct base_url in the credentials")) from error
    except Transient as error:
        raise Unanswered(
            wrong(str(error), "see that the gateway runs and that base_url leads to it from here")
        ) from error
    if answer.status >= 500:
        raise Unanswered(
            wrong(f"the gateway answers HTTP {answer.status}", "look at the gateway's own log")
        )
    return answer


def webhook_path(channel: Channel) -> str:
    """What the address of this channel's webhook ends in; the host is the operator's to choose."""
    return f"/webhook/{channel.gateway}/{channel.webhook_token}"


def leads_to(url: str, channel: Channel) -> bool:
    """Whether an address is that of the channel's webhook, on whatever host."""
    path = webhook_path(channel)
    return url.partition("?")[0].rstrip("/").endswith(path)
