"""The fixtures of this folder."""

from __future__ import annotations

from tests.tenancy.installation import installation
from tests.tenancy.life.ground import ground, second_server
from tests.worker.shop import shop

__all__ = ["ground", "installation", "second_server", "shop"]
