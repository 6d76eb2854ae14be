"""The page on Lucas tells what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from bot.profile import Profile

PAGE = Path(__file__).parents[2] / "docs" / "lucas.md"


def test_every_setting_of_a_dealer_is_on_the_page() -> None:
    """And none that is not there."""
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))

    assert listed == set(Profile.model_fields)
