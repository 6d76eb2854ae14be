"""`.env.example` names every setting, and its values are the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices, AliasPath, SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from tenancy.keyring import new_key
from worker.doctor.environment import BESIDE, PARTS

EXAMPLE = Path(__file__).parents[1] / ".env.example"


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    """A setting that is added, renamed or removed changes the example in the same commit."""
    assert set(read()) == {name for part in PARTS for name in names(part)} | BESIDE


@pytest.mark.parametrize("part", PARTS)
def test_the_example_shows_the_defaults(
    part: type[BaseSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever copies it changes nothing by that; an empty value means the default."""
    given = read()
    monkeypatch.setenv("TENANCY_KEYS", new_key())
    for name in names(part):
        if name != "TENANCY_KEYS":  # the one that has no default
            monkeypatch.setenv(name, given[name])

    made = part()

    for name, field in part.model_fields.items():
        default: Any = field.get_default(call_default_factory=True)
        if default is not PydanticUndefined and name != "tenancy_keys":
            assert plain(getattr(made, name)) == plain(default), name


def read() -> dict[str, str]:
    """Names and values of the example."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and line[0] != "#"]
    return dict(line.split("=", 1) for line in lines)


def names(part: type[BaseSettings]) -> dict[str, str]:
    """Environment names of a settings class, with their fields."""
    prefix = part.model_config.get("env_prefix", "")
    found = {}
    for name, field in part.model_fields.items():
        alias = field.validation_alias
        assert not isinstance(alias, AliasChoices | AliasPath)
        found[(alias or f"{prefix}{name}").upper()] = name
    return found


def plain(value: object) -> object:
    """A secret's value, for comparing."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value
