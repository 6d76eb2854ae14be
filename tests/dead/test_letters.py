"""Finding and grouping: causes are stable and tell nothing of a buyer; no key is overlooked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from schema.errors import BadData, SendRefused
from worker.dead.find import Filter, Finder
from worker.dead.letter import BODIES, UNKNOWN, LetterId, of_empresa, read_letter
from worker.queue.causes import cause_in, cause_of
from worker.queue.dead_letters import DeadLetters
from worker.queue.dead_shelf import DeadShelf

SOURCES = st.sampled_from([UNKNOWN, BODIES, of_empresa(42)])
NAMES = ["kind", "cause", "error", "event", "body", "conversation_id", "canal_id", "turn"]


@given(st.integers(0), st.text(alphabet="ãx0 @:"), st.text(alphabet="ãx0 @:"))
def test_a_cause_is_the_same_whatever_number_and_value_it_was_about(
    number: int, value: str, other: str
) -> None:
    """Numbers, ids and quoted values of a text of ours change nothing of its cause."""
    one = cause_in(f"channel {value!r} of message wamid.A{number}= is not one of empresa {number}")
    two = cause_in(f"channel {other!r} of message wamid.ZZ7= is not one of empresa 7")

    assert one == two == "channel … of message … is not one of empresa …"


@given(st.text())
def test_the_text_of_an_error_that_is_not_ours_is_no_cause(text: str) -> None:
    """It may hold what a buyer wrote: only its class is named."""
    assert cause_in(f"ValueError: {text}") == "ValueError"


def test_an_error_that_was_caught_is_named_by_class_and_place() -> None:
    """Ours by its words, a gateway's by its code, any other by where it was raised."""
    assert cause_of(BadData("a text is too long in midia (1406)", code=1406)) == (
        "BadData: a text is too long in midia (1406)"
    )
    assert cause_of(SendRefused("ligue 11 98765-4321", code=131026)) == "SendRefused 131026"
    with pytest.raises(ValueError, match="no id") as caught:
        LetterId.read("Maria")
    assert cause_of(caught.value) == "ValueError in worker.dead.letter.read"


@given(SOURCES, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_an_id_is_read_as_it_is_written(source: object, ms: int, seq: int) -> None:
    """What `list --each` prints, `show` understands."""
    letter_id = LetterId(source, f"{ms}-{seq}")  # type: ignore[arg-type]

    assert LetterId.read(str(letter_id)) == letter_id


@given(st.text())
def test_what_is_no_id_is_refused(text: str) -> None:
    """With a ValueError and nothing else; what is read is what was written."""
    try:
        letter_id = LetterId.read(text)
    except ValueError:
        return
    assert LetterId.read(str(letter_id)) == letter_id


@given(SOURCES, st.dictionaries(st.sampled_from(NAMES).map(str.encode), st.binary()))
def test_any_entry_is_a_letter(source: object, fields: dict[bytes, bytes]) -> None:
    """Whoever wrote it: it is listed and can be discarded, never an error of the list."""
    letter = read_letter(source, (b"1795400000000-0", fields))  # type: ignore[arg-type]

    assert letter.cause
    assert len(letter.group) == 8


async def test_letters_are_found_over_all_dealers_and_by_each_filter(redis: Redis) -> None:
    """By dealer, kind, cause, group, time and text; other keys of dealers are no letters."""
    keep, finder = DeadLetters(redis), Finder(DeadShelf(redis))
    for empresa_id in range(1, 41):
        await redis.xadd(f"helix:{{{empresa_id}}}:inbox", {"event": "{}"})
        await keep.keep_reply(empresa_id, empresa_id, error=f"the gateway is {empresa_id}")
    await redis.set("helix:{x}:dead", "no dealer")
    await keep.keep_event(7, b"{}", at_ms=1, origin="1-0", error="not an event: 3 errors")
    await keep.keep_unreadable(3, b"<xml>", error="no JSON at 1")
    group, *others = await finder.groups(Filter())
    newest = max(group.newest_ms, *(other.newest_ms for other in others))

    async def found(wanted: Filter) -> int:
        return len([letter async for letter in finder.find(wanted)])

    assert (group.letters, len(group.per_empresa), group.cause) == (40, 40, "the gateway is …")
    assert sorted(other.kind.value for other in others) == ["event", "unreadable"]
    assert await found(Filter(empresa_id=7)) == 2
    assert await found(Filter(cause=group.name)) == 40
    assert await found(Filter(cause="NOT AN")) == 1
    assert await found(Filter(text="gateway is 39")) == 1
    assert await found(Filter(since_ms=group.oldest_ms, until_ms=newest)) == 42
    assert await found(Filter(since_ms=newest + 1)) == 0
    assert await found(Filter(until_ms=group.oldest_ms - 1)) == 0


async def test_a_long_stream_is_read_to_its_end(redis: Redis) -> None:
    """Also past what one answer of Redis holds."""
    async with redis.pipeline(transaction=False) as pipe:
        for number in range(1_234):
            pipe.xadd("helix:{1}:dead", {"kind": "turn", "error": f"E {number}"})
        await pipe.execute()

    (group,) = await Finder(DeadShelf(redis)).groups(Filter(empresa_id=1))

    assert group.letters == 1_234
