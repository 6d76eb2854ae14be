"""Migration files are read as single, guarded statements."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.steps import Guard, Kind, needed, parse_guard, read_versions, split, versions

TEXT = """
-- What this is for; a semicolon in a comment ends nothing.
-- unless table cars
CREATE TABLE cars (id INT COMMENT 'one; two -- three', `a;b` INT); /* more; */
-- unless length cars.model 255
ALTER TABLE cars
    MODIFY model VARCHAR(255);
SELECT 1 - 2 / 3
"""


def test_statements_are_parted_with_their_guards() -> None:
    """Quotes and comments hide semicolons; a guard belongs to the next statement alone."""
    first, second, third = split(TEXT)

    assert first.sql == "CREATE TABLE cars (id INT COMMENT 'one; two -- three', `a;b` INT)"
    assert first.guard == Guard(what="table", table="cars")
    assert second.guard == Guard(what="length", table="cars", name="model", length=255)
    assert (third.number, third.sql, third.guard) == (3, "SELECT 1 - 2 / 3", None)


@given(st.lists(st.text("ab;'\"`-/* \n\\", max_size=12).map(repr), max_size=5))
def test_texts_in_quotes_come_through_whole(texts: list[str]) -> None:
    """Whatever stands in a quoted text, the statement around it stays one."""
    statements = [f"SELECT {text}" for text in texts]

    assert [step.sql for step in split(";\n".join(statements))] == statements


def test_layout_and_comments_do_not_count() -> None:
    """The checksum is of what a step does."""
    (one,) = split("-- unless table a\nCREATE TABLE a (id INT)")
    (same,) = split("-- Why: ...\n-- unless table a\nCREATE  TABLE a\n  (id INT);")
    (other,) = split("-- unless table b\nCREATE TABLE a (id INT)")

    assert one.checksum == same.checksum != other.checksum


def test_a_misspelt_guard_is_an_error() -> None:
    """It must not run unguarded because of a slip."""
    with pytest.raises(ValueError, match="not understood"):
        parse_guard("-- unless colum cars.id")


def test_a_gap_in_the_numbers_is_an_error(tmp_path: Path) -> None:
    """Two branches that took the same number are found before they run."""
    (tmp_path / "0001_a.sql").write_text("SELECT 1;")
    (tmp_path / "0003_b.sql").write_text("SELECT 1;")

    with pytest.raises(ValueError, match="numbered"):
        read_versions(tmp_path)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_step_of_this_release_is_guarded(kind: Kind) -> None:
    """Without a guard a kill between a statement and its record could not be resumed."""
    for version in versions(kind):
        assert all(step.guard is not None for step in version.steps)


def test_what_copies_tables_bears_a_mark(tmp_path: Path) -> None:
    """A line of its own; it counts as a comment does, so it may be added to what was applied."""
    (tmp_path / "0001_a.sql").write_text("-- heavy work\nALTER TABLE a ADD b INT;")
    (light,) = read_versions(tmp_path)
    (tmp_path / "0001_a.sql").write_text("-- heavy\nALTER TABLE a ADD b INT;")
    (heavy,) = read_versions(tmp_path)
    assert (light.heavy, heavy.heavy) == (False, True)
    assert light.steps == heavy.steps


def test_a_release_works_without_what_is_ahead(tmp_path: Path) -> None:
    """The newest version that it needs is the last without the mark; the mark counts as a comment
    does, so it may be taken away later."""
    (tmp_path / "0001_a.sql").write_text("CREATE TABLE a (id INT);")
    (tmp_path / "0002_b.sql").write_text("-- ahead\nCREATE TABLE b (id INT);")
    one, two = read_versions(tmp_path)
    assert needed((one, two)) == one
    (tmp_path / "0002_b.sql").write_text("CREATE TABLE b (id INT);")
    _, later = read_versions(tmp_path)
    assert needed((one, later)) == later
    assert later.steps[0].checksum == two.steps[0].checksum
    with pytest.raises(ValueError, match="needs a version"):
        needed((two,))
