"""Where a connection goes to, and the limits that it lives under. Used all over `tenancy`."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import SecretStr

from tenancy.settings import TenancySettings, TlsMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One database as one user. Equal targets may share a pool; unequal ones never do."""

    host: str
    port: int
    user: str
    password: SecretStr
    database: str | None
    empresa_id: int | None = None
    """When given, a new connection must prove that it ended at this empresa's database."""

    @property
    def address(self) -> tuple[str, int]:
        """The server."""
        return self.host, self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits and protection of a connection."""

    connect_s: float = 3
    statement_s: float = 10
    commit_s: float = 5
    lock_wait_s: int = 5
    tls: TlsMode = TlsMode.AUTO
    tls_ca: Path | None = None

    @classmethod
    def of(cls, settings: TenancySettings) -> Limits:
        """As the settings say."""
        return cls(
            connect_s=settings.tenancy_connect_timeout_s,
            statement_s=settings.tenancy_statement_timeout_s,
            commit_s=settings.tenancy_commit_timeout_s,
            tls=settings.tenancy_tls,
            tls_ca=settings.tenancy_tls_ca,
        )


def tls_context(host: str, limits: Limits) -> ssl.SSLContext | None:
    """The context for a server, None when the way to it is not protected."""
    mode = limits.tls
    if mode is TlsMode.AUTO:
        mode = TlsMode.OFF if is_loopback(host) else TlsMode.VERIFY_FULL
    return None if mode is TlsMode.OFF else _context(mode, limits.tls_ca)


def is_loopback(host: str) -> bool:
    """Whether a host name or address never leaves this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache(maxsize=8)
def _context(mode: TlsMode, ca: Path | None) -> ssl.SSLContext:
    """Making one reads the system's CA file (milliseconds), so they are kept."""
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    context.check_hostname = mode is TlsMode.VERIFY_FULL
    if mode is TlsMode.REQUIRED:
        context.verify_mode = ssl.CERT_NONE
    return context
