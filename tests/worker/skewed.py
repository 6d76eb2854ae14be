"""`helix` on a machine whose clock is wrong by SKEW_S seconds. Started by test_recovery."""

from __future__ import annotations

import os
import sys
import time

_SKEW_S = float(os.environ["SKEW_S"])
_real = time.time


def _skewed() -> float:
    return _real() + _SKEW_S


time.time = _skewed

from worker.cli import main  # noqa: E402 - whoever imports `time` by name gets the wrong one

if __name__ == "__main__":
    sys.exit(main())
