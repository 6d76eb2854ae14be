"""The fixtures of this folder."""

from __future__ import annotations

from tests.tenancy.life.ground import ground, second_server

__all__ = ["ground", "second_server"]
