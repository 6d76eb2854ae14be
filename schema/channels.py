"""A channel: one WhatsApp number of an empresa at one gateway.

Read from the registry by `tenancy`, given to `gateway` by `worker`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A row of `canais`, with its credentials opened."""

    id: int
    empresa_id: int
    gateway: str
    """`canais.tipo`: cloud_api, evolution, ..."""
    identifier: str
    """`canais.identificador`: phone_number_id, instance, session."""
    webhook_token: str
    """The last part of this channel's webhook address; not a secret that authenticates."""
    active: bool = True
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the adapter needs to verify and to send; its own model says which keys."""
    limits: Mapping[str, object] = field(default_factory=dict)
    """What this number may send, where it differs from its gateway's; `worker` knows the keys."""
