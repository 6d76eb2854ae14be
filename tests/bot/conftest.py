"""An installation of its own for what reads a dealer's database."""

from __future__ import annotations

from tests.tenancy.installation import installation

__all__ = ["installation"]
