"""CI runs what the README tells people to run."""

from __future__ import annotations

import os

from dev.servers.programs import ROOT


def test_ci_runs_the_readme_s_test_command_and_nothing_else() -> None:
    """Green in CI means green for whoever follows the README."""
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text().splitlines() if line and line[0] != "#"]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]
    assert os.access(script, os.X_OK)
    assert "make test" in (ROOT / "README.md").read_text()
