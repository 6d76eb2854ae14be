"""What the web process counts, in Prometheus's form at /metrics. Labels are bounded sets."""

from __future__ import annotations

from prometheus_client import Counter

REQUESTS = Counter(
    "helix_webhook_requests_total",
    "Webhook requests by what they were answered.",
    ["gateway", "status"],
)
FULL = Counter(
    "helix_webhook_inbox_full_total",
    "Webhook requests refused because too much waits on the dealer's inbox.",
    ["gateway"],
)
EVENTS = Counter(
    "helix_webhook_events_total",
    "Events in authentic webhook bodies, by kind.",
    ["gateway", "kind"],
)
