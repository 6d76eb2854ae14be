"""Commands that use private servers, as processes of their own. Used by the tests beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from dev.servers.process import command_line, wait_until
from dev.servers.programs import ROOT

_LIMIT_S = 60.0

_COMMAND = """
import json, sys
from pathlib import Path
from dev.servers import {entered}

with {entered}(Path(sys.argv[1])) as servers:
    print(json.dumps({shown}), flush=True)
    sys.stdin.read()
"""


class Command:
    """A command that has its servers, until it is told to end or is killed."""

    def __init__(self, home: Path, *, extra: bool = False, redis_only: bool = False) -> None:
        shown = "servers.access.port" if extra else "servers.environment()"
        code = _COMMAND.format(entered="extra_mariadb" if extra else "running", shown=shown)
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, str(home)],
            cwd=ROOT,
            env=environment({"DB_HOST": "db.invalid"} if redis_only else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def __enter__(self) -> Command:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def servers(self) -> dict[str, str]:
        """What the command was told about its servers, once it has them."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"no servers: {self.fail()}")
        told = json.loads(line)
        return told if isinstance(told, dict) else {"DB_PORT": str(told)}

    def end(self) -> int:
        """Lets the command end in order; its exit code."""
        self._process.communicate(timeout=_LIMIT_S)
        return self._process.returncode

    def fail(self) -> str:
        """What the command says on stderr when it cannot have its servers."""
        return self._process.communicate(timeout=_LIMIT_S)[1]

    def strike(self, number: signal.Signals) -> None:
        """Sends the signal and waits until the command is gone."""
        self._process.send_signal(number)
        self._process.communicate(timeout=_LIMIT_S)

    def press_ctrl_c(self) -> None:
        """As a terminal does: the command and all that belongs to it get the signal."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.communicate(timeout=_LIMIT_S)


def environment(more: dict[str, str]) -> dict[str, str]:
    """Our environment without servers that are given from outside."""
    given = ("DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if name not in given} | more


def cli(home: Path, do: str) -> subprocess.CompletedProcess[str]:
    """`python -m dev.servers`, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "dev.servers", do, "--home", str(home)],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )


def running_in(home: Path, program: str = "") -> list[int]:
    """Server and supervisor processes that belong to `home`."""
    own = str(home.resolve())
    lines = {int(entry.name): command_line(int(entry.name)) for entry in _processes()}
    return [
        pid
        for pid, line in lines.items()
        if "-c" not in line and own in " ".join(line) and program in " ".join(line)
    ]


def all_gone(home: Path) -> bool:
    """Whether nothing of `home` runs any more, at the latest within the limit."""
    return wait_until(lambda: not running_in(home), limit_s=_LIMIT_S)


def _processes() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
