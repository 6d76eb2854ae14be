"""What a process is told from outside about gateways. Read once by the processes of `worker`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class GatewaySettings(BaseSettings):
    """Environment variables `GATEWAY_...`."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_prefix="GATEWAY_", frozen=True)

    send_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """How long one send may take, connecting included."""
    max_body_bytes: dict[str, Annotated[int, Field(gt=0)]] = {}
    """Limits of webhook bodies that differ from the adapters' own, as JSON: {"evolution": 1000}."""

    def body_limit(self, kind: str, default: int) -> int:
        """The limit for a gateway: what is set here, else the adapter's `max_body_bytes`."""
        return self.max_body_bytes.get(kind, default)
