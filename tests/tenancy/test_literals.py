"""What goes into a statement comes out of the server as it was, whatever it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import BadData
from tenancy import literals
from tenancy.literals import literal, with_rows, with_values
from tests.tenancy.installation import Installation

_ZONES = st.sampled_from([UTC, UTC, timezone(timedelta(hours=-3)), None])
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=60) | st.text(
    st.sampled_from("\\'\"\0\n\r\x1a%_;-`áç🚗"), max_size=20
)


class _Kind(StrEnum):
    LEAD = "lead's"


async def test_a_text_is_data_whatever_is_in_it(installation: Installation) -> None:
    """Quotes, backslashes, zeros, percent signs: what is stored is what was given."""
    row = await installation.create()
    texts = [
        "\\", "'", "\\'", "''", '"', "\0", "\x1a", "\n\r", "%s %(a)s %%",
        "x'); DROP TABLE cars; --", "\\' OR 1=1 #", "ação 🚗", "", _Kind.LEAD, *_examples(200),
    ]  # fmt: skip
    async with (
        installation.tenancy() as tenancy,
        tenancy.pools.connection(row.id) as conn,
    ):
        await conn.execute_many(
            "INSERT INTO cars (mileage, description) VALUES (%s, %s)", list(enumerate(texts))
        )
        many = await conn.fetch_all("SELECT description FROM cars ORDER BY mileage")
        ones = [
            await conn.fetch_one("SELECT CONVERT(%(text)s USING utf8mb4)", {"text": text})
            for text in texts
        ]

    assert [text for (text,) in many] == texts
    assert ones == [(text,) for text in texts]


async def test_values_of_all_kinds(installation: Installation) -> None:
    """Numbers, times, bytes and nothing: each is what the server reads."""
    row = await installation.create()
    at = datetime(2026, 11, 24, 9, 30, 0, 5000, tzinfo=timezone(timedelta(hours=-3)))
    async with installation.tenancy() as tenancy, tenancy.pools.connection(row.id) as conn:
        found = await conn.fetch_one(
            "SELECT %s, %s, CAST(%s AS DECIMAL(12, 2)), %s IS NULL, HEX(%s), %s,"
            " CAST(%s AS DATETIME(6)), 7 IN %s, (1, 'a') IN %s",
            (-7, True, Decimal("58900.50"), None, b"\x00'", 0.5, at, [6, 7], [(1, "a"), (2, "b")]),
        )

    assert found == (-7, 1, Decimal("58900.50"), 1, "0027", 0.5,
                     datetime(2026, 11, 24, 12, 30, 0, 5000), 1, 1)  # noqa: DTZ001  # fmt: skip


@given(st.datetimes(timezones=_ZONES))
def test_a_time_is_written_in_utc(at: datetime) -> None:
    """With a zone or without (then it is UTC already): the same moment, to the microsecond."""
    try:
        utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return
    written = datetime.fromisoformat(literal(at).strip("'"))
    assert written.replace(tzinfo=UTC) == utc


@given(st.lists(_TEXTS, min_size=1, max_size=20))
def test_rows_are_one_statement_until_it_is_too_large(texts: list[str]) -> None:
    """No row is lost, doubled or out of place, and no statement is larger than it may be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(literals, "LARGEST_STATEMENT", 40)
        sql = "INSERT INTO t (a, b) VALUES (%s, NOW(3)) ON DUPLICATE KEY UPDATE b = VALUES(b)"
        made = list(with_rows(sql, [(text,) for text in texts]))

    head, tail = "INSERT INTO t (a, b) VALUES ", " ON DUPLICATE KEY UPDATE b = VALUES(b)"
    bodies = [text.removeprefix(head).removesuffix(tail) for text in made]
    rows = [f"({literal(text)}, NOW(3))" for text in texts]
    assert ",".join(bodies) == ",".join(rows)
    assert all(len(body) <= 40 + body.count("NOW(3)") or body in rows for body in bodies)


async def test_what_has_no_sql_costs_no_connection(installation: Installation) -> None:
    """An empty list, or another statement than an INSERT, is refused before anything is sent."""
    row = await installation.create()
    async with installation.tenancy() as tenancy:
        async with tenancy.pools.connection(row.id) as conn:
            with pytest.raises(ValueError, match="empty list"):
                await conn.fetch_all("SELECT 1 WHERE 1 IN %(ids)s", {"ids": []})
            with pytest.raises(ValueError, match="INSERT"):
                await conn.execute_many("UPDATE cars SET id = %s", [(1,)])
            with pytest.raises(TypeError):
                await conn.execute("DO %s", ({"a": 1},))
            with pytest.raises(BadData):
                await conn.execute("INSERT INTO cars (status) VALUES (%s)", ("no such",))
            assert await conn.fetch_one("SELECT '%d%'") == ("%d%",)
        pool = tenancy.pools.pool(row.id)
        assert pool is not None
        assert pool.size == 1


def test_a_percent_sign_without_values() -> None:
    """Only a statement with values has doubled percent signs."""
    assert with_values("LIKE 'a%'", ()) == "LIKE 'a%'"
    assert with_values("LIKE 'a%%' AND b = %s", (1,)) == "LIKE 'a%' AND b = 1"


def _examples(count: int) -> list[str]:
    """Every pair and triple of the dangerous characters, as far as `count` goes."""
    signs = "\\'\"\0\n%"
    return [a + b + c for a in signs for b in signs for c in ("", *signs)][:count]
