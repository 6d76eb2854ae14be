"""Says when the answer to a burst of messages is due. Called by `worker` after storing them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.settings import LucasSettings
from bot.values import Completeness


def due_at(
    first_unanswered_at: datetime,
    last_message_at: datetime,
    completeness: Completeness,
    settings: LucasSettings,
) -> datetime:
    """When Lucas answers: some quiet after the last message, within a limit after the first.

    `completeness` is that of the last message of the burst. Both times in the same zone.
    """
    wait_s = {
        Completeness.COMPLETE: settings.quiet_complete_s,
        Completeness.FRAGMENT: settings.quiet_fragment_s,
        Completeness.GREETING: settings.quiet_greeting_s,
    }[completeness]
    limit = first_unanswered_at + timedelta(seconds=settings.quiet_limit_s)
    return min(last_message_at + timedelta(seconds=wait_s), limit)


def due_while_typing(
    first_unanswered_at: datetime, due: datetime, typing_at: datetime, settings: LucasSettings
) -> datetime:
    """When Lucas answers a buyer who is writing on: later than `due`, within the same limit."""
    limit = first_unanswered_at + timedelta(seconds=settings.quiet_limit_s)
    return max(due, min(typing_at + timedelta(seconds=settings.quiet_typing_s), limit))
