"""The fixtures of this folder."""

from __future__ import annotations

from tests.tenancy.installation import installation
from tests.worker.shop import shop

__all__ = ["installation", "shop"]
