"""What can go wrong between a gateway and us beyond the errors of sending, by what comes next.

Raised by the adapters and by `gateway.json`; the webhook of `worker` turns them into answers.

HelixError
├── Transient
│   └── MediaLater            ask for the file again, a little later
└── Permanent
    ├── MediaRefused          this file will never be had: gone, too large, from a wrong place
    ├── Unauthenticated       answer 401: the request brought nothing that authenticates it
    ├── Forbidden             answer 403: it brought something, and that is wrong
    ├── NotJson               keep the raw body as a dead letter; the same bytes would come again
    └── ChannelRefused
        └── BadCredentials    the channel's own settings are incomplete: a person must act
"""

from __future__ import annotations

from schema.errors import ChannelRefused, Permanent, Transient


class MediaLater(Transient):
    """The file could not be had now; nothing says that it is gone."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class MediaRefused(Permanent):
    """The file will never be had, or must not be. The reason is written beside its message."""


class Unauthenticated(Permanent):
    """The request carries no signature, secret or token."""


class Forbidden(Permanent):
    """The request carries a signature, secret or token that is not the channel's."""


class NotJson(Permanent):
    """The body is no JSON text in UTF-8, or is nested beyond reason."""


class BadCredentials(ChannelRefused):
    """A channel lacks credentials, or has some that cannot be right. Names the keys only."""

    def __init__(self, gateway: str, problems: dict[str, str]) -> None:
        listed = "; ".join(f"{key}: {problem}" for key, problem in sorted(problems.items()))
        super().__init__(f"credentials of this {gateway} channel: {listed}")
        self.gateway = gateway
        self.problems = problems
