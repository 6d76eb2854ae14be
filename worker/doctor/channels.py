"""Looks at dealers' WhatsApp numbers, without asking their gateways. Called by `.run`.

`helix channel test` asks a gateway; this look is for all numbers at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from worker.doctor.registry import ChannelRow
from worker.doctor.values import Finding, red, warning

_NO_SECRET_NEEDED = frozenset({"redis"})
"""Gateways without HTTP: whoever may write to Redis is authentic."""
_PHONE = re.compile(r"\+?[\d\s().-]{8,}")


def look(
    channels: Sequence[ChannelRow],
    *,
    empresas: Collection[int],
    gateways: Collection[str],
    heard: Mapping[int, int] | None,
    stopped: Collection[int],
) -> list[Finding]:
    """`heard`: when each was heard of last; None: Redis did not say."""
    findings = [one for channel in channels for one in _each(channel, empresas, gateways)]
    active = [channel for channel in channels if channel.active]
    findings += [_stopped(channel) for channel in active if channel.id in stopped]
    if heard is not None:
        findings += [
            _never(channel) for channel in active if channel.is_old and channel.id not in heard
        ]
    return [*findings, *_twice(active)]


def _each(
    channel: ChannelRow, empresas: Collection[int], gateways: Collection[str]
) -> Iterator[Finding]:
    subject = f"channel {channel.id}"
    if channel.empresa_id not in empresas:
        yield red(
            "channel_of_nobody",
            subject,
            f"there is no empresa {channel.empresa_id}",
            why="what comes there is dropped into the dead letters",
            mend=f"give it to a dealer, or remove row {channel.id} of canais",
        )
    if channel.gateway not in gateways:
        yield red(
            "unknown_gateway",
            subject,
            f"there is no gateway {channel.gateway!r}",
            why="nothing is taken from it and nothing sent",
            mend=f"helix channel add --gateway one of: {', '.join(sorted(gateways))}",
        )
    elif channel.active and channel.token is None and channel.gateway not in _NO_SECRET_NEEDED:
        yield red(
            "no_credentials",
            subject,
            f"of empresa {channel.empresa_id}: it has no credentials",
            why="no webhook can be proved authentic and nothing be sent",
            mend=f"helix channel add --empresa {channel.empresa_id} with its credentials",
        )


def _stopped(channel: ChannelRow) -> Finding:
    return red(
        "channel_stopped",
        f"channel {channel.id}",
        f"of empresa {channel.empresa_id}: its gateway refuses its credentials",
        why="all replies of this number wait",
        mend=f"helix channel test {channel.id}, then helix channel add with new ones",
    )


def _never(channel: ChannelRow) -> Finding:
    return warning(
        "never_received",
        f"channel {channel.id}",
        f"of empresa {channel.empresa_id}: nothing has ever come from it",
        why="its webhook address may not be entered at the gateway",
        mend=f"helix channel test {channel.id}",
    )


def _twice(channels: Sequence[ChannelRow]) -> Iterator[Finding]:
    by_number: dict[str, list[ChannelRow]] = {}
    for channel in channels:
        by_number.setdefault(_same(channel.identifier), []).append(channel)
    for number in by_number.values():
        if len(number) > 1:
            yield warning(
                "same_number",
                ", ".join(f"channel {one.id}" for one in number),
                "they bear the same identifier but for its writing or gateway",
                why="a buyer's message comes twice and is answered twice",
                mend="helix channel disable ID, for all but the one that is right",
            )


def _same(identifier: str) -> str:
    if _PHONE.fullmatch(identifier):
        return re.sub(r"\D", "", identifier)
    return identifier.strip().casefold()
