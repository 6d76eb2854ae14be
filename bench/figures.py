"""What the system says of a running process: CPU time and memory. Linux only."""

from __future__ import annotations

import os
from pathlib import Path


class NotTold(Exception):
    """This system has no /proc: the figure is left out."""


def cpu_seconds(pid: int) -> float:
    """CPU time of a process since its start, its own and the kernel's for it. Raises NotTold."""
    # The second field is the name in brackets, which may hold blanks.
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory that a process holds, in MiB. Raises NotTold."""
    return int(_read(pid, "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError as error:
        raise NotTold(f"/proc/{pid}/{name} cannot be read") from error
