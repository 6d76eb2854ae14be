"""Decides what is told: opens alarms once, repeats and closes them. Pure; called by the book."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from worker.alarm.values import FLEET, Alarm, Event, Finding, Kind, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """In milliseconds."""

    hold_ms: int
    """So long a trouble of the fleet must last before it is told, and be gone before it is over."""
    repeat_ms: int


@dataclass(slots=True)
class Changes:
    """What is to be written and told."""

    kept: dict[str, Alarm] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def reconcile(
    known: Mapping[str, Alarm],
    found: Iterable[Finding],
    *,
    looked_at: Collection[Kind],
    rules: Rules,
    now_ms: int,
) -> Changes:
    """`looked_at`: the kinds that could be judged; alarms of all others stay as they are."""
    changes = Changes()
    present = {finding.key: finding for finding in found}
    for key, finding in present.items():
        changes.kept[key] = _seen(known.get(key), finding, rules, now_ms, changes)
    for key, alarm in known.items():
        if key in present or alarm.kind not in looked_at:
            continue
        if alarm.opened_ms is None:
            changes.gone.append(key)
        elif now_ms - alarm.seen_ms >= _hold(alarm.kind, rules):
            changes.gone.append(key)
            changes.notices.append(_notice(Event.OVER, key, alarm, now_ms))
    return changes


def _seen(
    alarm: Alarm | None, finding: Finding, rules: Rules, now_ms: int, changes: Changes
) -> Alarm:
    told = {"text": finding.text, "facts": dict(finding.facts), "empresa_id": finding.empresa_id}
    if alarm is None:
        alarm = Alarm(
            kind=finding.kind,
            subject=finding.subject,
            text=finding.text,
            first_ms=now_ms,
            seen_ms=now_ms,
        )
    alarm = alarm.model_copy(update={**told, "seen_ms": now_ms})
    event = None
    if alarm.opened_ms is None:
        if now_ms - alarm.first_ms >= _hold(alarm.kind, rules):
            event = Event.OPENED
            alarm = alarm.model_copy(update={"opened_ms": now_ms})
    elif now_ms - alarm.told_ms >= rules.repeat_ms:
        event = Event.STILL
    if event is None:
        return alarm
    changes.notices.append(_notice(event, finding.key, alarm, now_ms))
    return alarm.model_copy(update={"told_ms": now_ms})


def _hold(kind: Kind, rules: Rules) -> int:
    return rules.hold_ms if kind in FLEET else 0


def _notice(event: Event, key: str, alarm: Alarm, now_ms: int) -> Notice:
    return Notice(
        id=f"{key}:{alarm.opened_ms}:{event}:{now_ms}",
        event=event,
        kind=alarm.kind,
        subject=alarm.subject,
        empresa_id=alarm.empresa_id,
        text=alarm.text,
        facts=alarm.facts,
        since_ms=alarm.first_ms,
        at_ms=now_ms,
    )
