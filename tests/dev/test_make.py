"""The Makefile: it explains itself, and its exit codes can be trusted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dev.servers.programs import ROOT

_TOOLS = ("ruff", "mypy", "pytest", "python")


def _make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program is not None, "make is missing"
    # A make that runs these tests tells its own children how to behave; ours is no child of it.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that is set up, with tools that only write down how they were called."""
    for name in ("Makefile", "pyproject.toml", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in _TOOLS:
        _tool(tmp_path, name, exit_code=0)
    (tmp_path / ".venv" / ".set-up").touch()
    return tmp_path


def _tool(checkout: Path, name: str, *, exit_code: int) -> None:
    tool = checkout / ".venv" / "bin" / name
    tool.write_text(f'#!/bin/sh\necho "{name} $*" >> calls\nexit {exit_code}\n')
    tool.chmod(0o755)


def _calls(checkout: Path) -> list[str]:
    calls = checkout / "calls"
    return calls.read_text().splitlines() if calls.exists() else []


def test_make_alone_lists_every_command_with_a_line_of_its_own() -> None:
    """Nobody has to read the Makefile to know what there is."""
    listed = re.findall(r"^  make (\S+) +(\S.*)$", _make().stdout, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert [name for name, _ in listed] == phony.group(1).split()


def test_make_test_checks_first_and_then_runs_the_tests(checkout: Path) -> None:
    """One command says whether a change is good."""
    assert _make("test", folder=checkout).returncode == 0
    assert [call.split()[0] for call in _calls(checkout)] == ["ruff", "ruff", "mypy", "pytest"]


@pytest.mark.parametrize("tool", ["ruff", "mypy", "pytest"])
def test_make_test_fails_when_one_of_its_steps_does(checkout: Path, tool: str) -> None:
    """CI looks at the exit code alone."""
    _tool(checkout, tool, exit_code=1)
    assert _make("test", folder=checkout).returncode != 0
    assert [call.split()[0] for call in _calls(checkout)][-1] == tool


def test_the_set_up_is_done_again_only_when_the_lock_or_the_project_changed(
    checkout: Path,
) -> None:
    """`make test` costs no installation each time, and no stale one either."""
    _make("chat", folder=checkout)
    assert _calls(checkout) == ["python -m dev.chat"]

    done = (checkout / ".venv" / ".set-up").stat().st_mtime
    os.utime(checkout / "requirements-dev.lock", (done + 10, done + 10))
    _make("chat", folder=checkout)
    again = _calls(checkout)[1:]
    assert "--require-hashes -r requirements-dev.lock" in again[0]
    assert again[-1] == "python -m dev.chat"


def test_the_demo_plays_the_script_that_it_is_given(checkout: Path) -> None:
    """`make demo DEMO_SCRIPT=file`, with any name."""
    tool = checkout / ".venv" / "bin" / "python"
    tool.write_text('#!/bin/sh\necho "$DEMO_SCRIPT" >> calls\n')
    _make("demo", "DEMO_SCRIPT=my first script.txt", folder=checkout)
    assert _calls(checkout) == ["my first script.txt"]


def test_without_python_the_message_says_what_is_needed(checkout: Path) -> None:
    """A machine with an old Python gets a sentence, not a traceback."""
    shutil.rmtree(checkout / ".venv")
    done = _make("setup", "PYTHON=", folder=checkout)
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stdout


def test_without_the_venv_module_the_message_says_what_to_install(checkout: Path) -> None:
    """Debian's Python comes without it. No half-made folder stays behind."""
    shutil.rmtree(checkout / ".venv")
    done = _make("setup", "PYTHON=false", folder=checkout)
    assert done.returncode != 0
    assert "python3-venv" in done.stdout
    assert not (checkout / ".venv").exists()
