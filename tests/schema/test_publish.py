"""The published schemas are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema.publish import PUBLISHED, text_of

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schema_is_that_of_the_code(name: str) -> None:
    """Whoever writes a gateway reads these files; `python -m schema.publish` renews them."""
    assert (REFERENCE / f"{name}.schema.json").read_text() == text_of(PUBLISHED[name])
