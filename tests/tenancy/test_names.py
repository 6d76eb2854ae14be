"""Names that go into statements are checked and quoted in one place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenancy.names import checked, database_of, grant_pattern, quoted, user_of


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_a_quoted_name_cannot_end_its_quotes(name: str) -> None:
    """Whatever the name, it stays one identifier that reads back as itself."""
    text = quoted(name)

    assert text[0] == text[-1] == "`"
    assert re.fullmatch(r"(?:[^`]|``)*", text[1:-1], re.DOTALL)
    assert text[1:-1].replace("``", "`") == name


@given(st.from_regex(r"[a-z][a-z0-9_%]{0,20}", fullmatch=True))
def test_a_grant_holds_no_wildcard(name: str) -> None:
    """Each `_` and `%` is escaped, so the pattern matches its own name alone."""
    bare = grant_pattern(name)[1:-1]

    assert not re.search(r"(?<!\\)[_%]", bare)
    assert re.sub(r"\\(.)", r"\1", bare) == name


@pytest.mark.parametrize(
    "name",
    [
        *("test_loja", "test", "mysql", "sys", "information_schema", "performance_schema"),
        *("", "1loja", "Loja", "loja-1", "loja;", "a" * 49, "loja\n"),
    ],
)
def test_names_that_are_not_ours_to_make_are_refused(name: str) -> None:
    """Reserved, open to everyone by default, or not of our form."""
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        checked(name)


@given(st.integers(1, 2**31 - 1))
def test_default_names_fit(empresa_id: int) -> None:
    """MySQL takes 32 characters for a user and 64 for a database."""
    assert len(user_of(empresa_id)) <= 32
    assert len(database_of(empresa_id)) <= 48
