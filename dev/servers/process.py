"""One server process: started, stopped, and found again after a crash.

Called by `dev.servers.mariadb` and `dev.servers.redis_server`.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.servers.values import ServersError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STOP_S = 30.0
_POLL_S = 0.02


def start(
    command: Sequence[str | Path], *, log: Path, die_with_parent: signal.Signals = signal.SIGTERM
) -> subprocess.Popen[bytes]:
    """Starts `command` in a session of its own, so that Ctrl-C in a terminal does not reach it.

    On Linux the process gets `die_with_parent` when the thread that calls this ends, however it
    ends; elsewhere a process that outlives its parent is found by the next start.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_death_signal(die_with_parent),
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the process to end in order, and ends it when it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stop_leftover(pid_file: Path, *, argument: str) -> None:
    """Ends the server of an earlier run that did not end in order.

    The number in `pid_file` may be stale and belong to a stranger by now, so the process must
    also carry `argument` on its command line.
    """
    try:
        pid = int(pid_file.read_text().strip())
    except (FileNotFoundError, ValueError):
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if argument not in command_line(pid):
            break
        _signal(pid, signal.SIGCONT)
        _signal(pid, number)
        wait_until(lambda: argument not in command_line(pid), limit_s=_STOP_S)
    pid_file.unlink(missing_ok=True)


def command_line(pid: int) -> list[str]:
    """The arguments of a running process; nothing when there is none."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return _listed(pid) if sys.platform != "linux" else []
    return [part.decode(errors="replace") for part in raw.split(b"\0") if part]


def wait_until(done: Callable[[], bool], *, limit_s: float) -> bool:
    """True as soon as `done()` is; False when that takes longer than `limit_s`."""
    end = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_S)
    return True


def tail(log: Path, lines: int = 12) -> str:
    """The end of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def kept_secret(path: Path) -> str:
    """The password in `path`; a new random one is put there when there is none."""
    if not path.exists() or not path.read_text().strip():
        path.write_text(f"{secrets.token_urlsafe(24)}\n")
    return path.read_text().strip()


@contextmanager
def private_umask() -> Iterator[None]:
    """Files made inside are readable by their owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> str:
    """The output of a short command. Raises ServersError with that output when it fails."""
    shown = " ".join(str(part) for part in command)
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            text=True,
            check=False,
        )
    except OSError as error:
        raise ServersError(f"cannot run {shown}: {error}") from error
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-12:])
        raise ServersError(f"{shown} failed with exit code {done.returncode}:\n{end}")
    return done.stdout


def _death_signal(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: the child only makes the call
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, int(number))


def _listed(pid: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)],  # noqa: S607 - where ps lives differs by system
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return listed.stdout.split()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
