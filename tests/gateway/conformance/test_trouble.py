"""The stand-ins fail as gateways do, when told to or by chance, as often as is asked for."""

from __future__ import annotations

import pytest

from gateway.standin.trouble import Trouble
from schema.errors import GatewaySilent, Transient
from schema.replies import Reply
from tests.gateway.line import BUYER, Line


async def test_a_send_may_be_cut_off_or_hang(line: Line) -> None:
    """Nothing reaches the phone, and we cannot know it."""
    line.phone.cut_off()
    line.phone.hang()
    for timeout_s in (5, 0.2):
        with pytest.raises(GatewaySilent):
            await line.send(Reply(to=BUYER, text="oi"), timeout_s=timeout_s)
    assert line.phone.outbox == []


async def test_trouble_comes_in_the_shares_that_are_asked_for(line: Line) -> None:
    """Counted, the same for the same seed, and never twice at one message of ours."""
    trouble = line.phone.trouble = Trouble(seed=1, failed=0.3, lost=0.2, cut=0.1)
    failed = 0
    for number in range(60):
        reply = Reply(to=BUYER, text=f"oi {number}")
        try:
            await line.send(reply)
        except Transient:
            failed += 1
            await line.send(reply)

    assert failed == trouble.counts.total() > 20
    assert len(line.phone.outbox) == 60 + trouble.counts["lost"]


async def test_late_and_repeated_webhooks_are_all_the_same_messages(line: Line) -> None:
    """Others overtake what is late; nothing is lost and nothing invented."""
    trouble = line.phone.trouble = Trouble(seed=3, repeated=0.3, late=0.3, late_s=0.05)
    sent = [await line.phone.buyer_writes(BUYER, f"oi {number}") for number in range(30)]
    await line.phone.wait_for_pushes(30 + trouble.counts["repeated"])

    got = [event.message_id for event in line.events()]
    assert len(got) == 30 + trouble.counts["repeated"]
    assert set(got) == set(sent)
    assert list(dict.fromkeys(got)) != sent
    assert trouble.counts["late"] > 0
