"""The fixtures of this folder."""

from __future__ import annotations

from tests.tenancy.installation import installation

__all__ = ["installation"]
