"""The lock files: whole, hashed, and of no particular package index."""

from __future__ import annotations

import re
import tomllib

import pytest

from dev.servers.programs import ROOT

_LOCKS = ("requirements.lock", "requirements-dev.lock")


def _pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE))


def _wanted(lines: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line)[0].lower() for line in lines}


@pytest.mark.parametrize("name", _LOCKS)
def test_a_lock_names_no_address(name: str) -> None:
    """It works with whichever index a machine is set up for, and gives none away."""
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(r"^(-|\s*#)", text, re.MULTILINE), "an option or a comment"


@pytest.mark.parametrize("name", _LOCKS)
def test_every_package_of_a_lock_is_pinned_with_hashes(name: str) -> None:
    """What is installed is what was tested, byte for byte."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """A dependency that is not in the lock would be missing on the next machine."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = _wanted(project["project"]["dependencies"])
    development = _wanted(project["dependency-groups"]["dev"])
    assert runtime <= _pins("requirements.lock").keys()
    assert runtime | development <= _pins("requirements-dev.lock").keys()


def test_tests_run_with_the_versions_of_production() -> None:
    """The development lock is the run-time lock and more."""
    assert _pins("requirements.lock").items() <= _pins("requirements-dev.lock").items()
    assert "pytest" not in _pins("requirements.lock")
