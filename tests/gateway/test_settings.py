"""What the environment may say about gateways."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.adapters import ADAPTERS
from gateway.settings import GatewaySettings


def test_a_gateways_own_limit_holds_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Per gateway, in bytes."""
    monkeypatch.setenv("GATEWAY_MAX_BODY_BYTES", '{"evolution": 1000}')
    settings = GatewaySettings()
    limits = {
        kind: settings.body_limit(kind, adapter.max_body_bytes)
        for kind, adapter in ADAPTERS.items()
    }
    assert limits == {"cloud_api": 3 * 1024 * 1024, "evolution": 1000, "waha": 8 * 1024 * 1024}


def test_a_limit_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start of the process, not at the first webhook."""
    monkeypatch.setenv("GATEWAY_SEND_TIMEOUT_S", "0")
    with pytest.raises(ValidationError):
        GatewaySettings()
