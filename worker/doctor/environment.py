"""Looks at the settings: unknown names, values that are legal and unwise. Called by `.run`.

Reads the environment, and a file like `.env` if there is one. Values are never printed.
"""

from __future__ import annotations

import difflib
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from bot.settings import LucasSettings
from gateway.settings import GatewaySettings
from tenancy.life.settings import BackupSettings
from tenancy.settings import TenancySettings, TlsMode
from tenancy.target import is_loopback
from worker.alarm.settings import AlarmSettings
from worker.doctor.values import Finding, red, warning
from worker.lgpd.settings import PrivacySettings
from worker.media.settings import MediaSettings, TranscribeSettings
from worker.redis_link import read_url
from worker.settings import WebSettings, WorkerSettings

PARTS: tuple[type[BaseSettings], ...] = (
    TenancySettings,
    WorkerSettings,
    WebSettings,
    GatewaySettings,
    LucasSettings,
    MediaSettings,
    TranscribeSettings,
    AlarmSettings,
    PrivacySettings,
    BackupSettings,
)
"""All classes of settings: what `.env.example` shows, too."""
BESIDE = {"LOG_LEVEL"}
"""Options of the command line that may be set by the environment."""
_OURS = (
    "DB_",
    "TENANCY_",
    "PROVISION_",
    "REDIS_",
    "WORKER_",
    "WEB_",
    "GATEWAY_",
    "LUCAS_",
    "MEDIA_",
    "TRANSCRIBE_",
    "ALARM_",
    "PRIVACY_",
    "BACKUP_",
)
"""How our names begin: what begins so in the environment is meant for us. (In a file all is.)"""
_SECRET_LENGTH = 16


def names(part: type[BaseSettings]) -> set[str]:
    """Environment names of a settings class."""
    prefix = str(part.model_config.get("env_prefix", ""))
    found = set()
    for name, field in part.model_fields.items():
        alias = field.validation_alias
        found.add((alias if isinstance(alias, str) else f"{prefix}{name}").upper())
    return found


def look(environment: Mapping[str, str], file: Path | None) -> list[Finding]:
    """`file`: like .env; None: there is none."""
    found = list(_unknown({name for name in environment if name.startswith(_OURS)}, "environment"))
    if file is not None:
        found += _unknown(set(_read(file)), file.name)
        found += _readable(file)
    for part in PARTS:
        found += _wrong(part)
    return found


def unwise(tenancy: TenancySettings, worker: WorkerSettings) -> list[Finding]:
    """What is legal and should not be."""
    return [*_database(tenancy), *_keys(tenancy), *_redis(worker.redis_url), *_alarm()]


def _unknown(given: set[str], where: str) -> Iterator[Finding]:
    known = set().union(BESIDE, *(names(part) for part in PARTS))
    for name in sorted(given - known):
        near = difflib.get_close_matches(name, known, n=1)
        yield warning(
            "unknown_setting",
            name,
            f"{where} sets it and nothing reads it",
            why="what was meant by it does not happen",
            mend=f"write {near[0]}" if near else "remove it; .env.example has all names",
        )


def _readable(file: Path) -> Iterator[Finding]:
    if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield warning(
            "readable_file",
            file.name,
            "other users of this machine may read it",
            why="it holds keys and passwords",
            mend=f"chmod 600 {file.name}",
        )


def _wrong(part: type[BaseSettings]) -> Iterator[Finding]:
    try:
        part()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            name = ".".join(str(place) for place in problem["loc"]).upper()
            yield red(
                "wrong_setting",
                name or part.__name__,
                problem["msg"],
                why="processes do not start with it",
                mend=".env.example has every setting and its default",
            )


def _database(settings: TenancySettings) -> Iterator[Finding]:
    if settings.tenancy_tls in (TlsMode.OFF, TlsMode.REQUIRED) and not is_loopback(
        settings.db_host
    ):
        what = "no TLS" if settings.tenancy_tls is TlsMode.OFF else "a server that is not verified"
        yield warning(
            "open_way",
            "TENANCY_TLS",
            f"{what} on the way to {settings.db_host}",
            why="whoever is in between reads passwords and buyers' words",
            mend="TENANCY_TLS=verify-full, TENANCY_TLS_CA=... of your own CA",
        )
    if not settings.db_password.get_secret_value():
        yield red(
            "no_password",
            "DB_PASSWORD",
            f"{settings.db_user} has no password",
            why="the registry holds every dealer's way in",
            mend=f"ALTER USER '{settings.db_user}'@'...' IDENTIFIED BY ...",
        )
    if settings.db_user == "root" or settings.db_user == settings.provision_db_user:
        yield warning(
            "too_much",
            "DB_USER",
            f"processes log in as {settings.db_user}",
            why="web and worker need SELECT and UPDATE on the central database, no more",
            mend="a user of its own for them; see docs/operating.md",
        )


def _keys(settings: TenancySettings) -> Iterator[Finding]:
    keys = settings.tenancy_keys.get_secret_value()
    if any(entry.strip().startswith("fernet:") for entry in keys.split(",")):
        yield warning(
            "old_key_listed",
            "TENANCY_KEYS",
            "it lists a key of an earlier installation",
            why="secrets under it are not bound to their rows: a copied one opens",
            mend="helix keys rotate; at `older keys may be removed` take it out",
        )


def _redis(url: SecretStr) -> Iterator[Finding]:
    parts: Any = urlsplit(url.get_secret_value())
    if parts.scheme == "unix":
        return
    guarded = read_url(url)
    hosts = [host for host, _ in guarded.sentinels] if guarded else [parts.hostname or "localhost"]
    far = [host for host in hosts if not is_loopback(host)]
    has_password = bool(guarded.password) if guarded else bool(parts.password)
    if not has_password:
        yield (red if far else warning)(
            "no_password",
            "REDIS_URL",
            "Redis is entered without a password",
            why="whoever reaches it may push messages in any buyer's name",
            mend="requirepass in redis.conf, redis://:password@... here",
        )
    if far and not parts.scheme.startswith("rediss"):
        yield warning(
            "open_way",
            "REDIS_URL",
            f"no TLS on the way to {far[0]}",
            why="whoever is in between reads the password and buyers' words",
            mend="rediss://, or a network that is yours alone",
        )


def _alarm() -> Iterator[Finding]:
    try:
        settings = AlarmSettings()
    except ValidationError:
        return  # told already
    if settings.webhook_url is None:
        yield warning(
            "no_alarm",
            "ALARM_WEBHOOK_URL",
            "nobody is told of alarms",
            why="they stand in the log, which nobody reads at night",
            mend="an address that takes them, and ALARM_WEBHOOK_SECRET",
        )
        return
    secret = settings.webhook_secret
    if secret is not None and len(secret.get_secret_value()) < _SECRET_LENGTH:
        yield warning(
            "short_secret",
            "ALARM_WEBHOOK_SECRET",
            "it is short enough to be guessed",
            why="whoever knows it forges alarms, or their ends",
            mend=f"{_SECRET_LENGTH} random characters or more",
        )


def _read(file: Path) -> dict[str, str]:
    """Names and values, as compose and shells read such a file."""
    lines = (line.strip().removeprefix("export ") for line in file.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value for name, sign, value in pairs if sign}
