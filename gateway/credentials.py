"""Turns a channel's stored credentials into a checked model. Called by the adapters' own models.

A stored credential is text under a key; a secret that is being rotated is two, with a comma.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationError,
)
from yarl import URL

from gateway.errors import BadCredentials

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")

_Model = TypeVar("_Model", bound="Credentials")


class Credentials(BaseModel):
    """The base of every gateway's credentials: frozen, no unknown keys, no secrets in errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )


def read(model: type[_Model], gateway: str, stored: Mapping[str, str]) -> _Model:
    """The credentials as `model`; raises BadCredentials, which names each wrong or missing key."""
    try:
        if all(type(value) is str for value in stored.values()):
            return cast("_Model", _checked(model, frozenset(stored.items())))
        return model.model_validate(dict(stored))
    except ValidationError as error:
        problems = {
            ".".join(map(str, found["loc"])) or "credentials": _in_words(
                found["type"], found["msg"]
            )
            for found in error.errors(include_url=False, include_input=False)
        }
    raise BadCredentials(gateway, problems)


@lru_cache(maxsize=1024)
def _checked(model: type[Credentials], stored: frozenset[tuple[str, str]]) -> Credentials:
    """They are asked for with every webhook and every send, and seldom change."""
    return model.model_validate(dict(stored))


def matches_any(given: bytes, secrets: Iterable[bytes]) -> bool:
    """Whether `given` is one of `secrets`, in a time that tells nothing of which or how far."""
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(given, secret)
    return found


def _in_words(kind: str, message: str) -> str:
    return {"missing": "is missing", "extra_forbidden": "is not known"}.get(kind, message)


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _not_empty(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not secrets:
        raise ValueError("is empty")
    return secrets


def _host_names(hosts: tuple[str, ...]) -> tuple[str, ...]:
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ValueError("must be names of hosts, with a comma between two")
    return tuple(host.lower() for host in hosts)


def _fits_a_header(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value().strip()
    if not value or not value.isascii() or not value.isprintable():
        raise ValueError("is empty or holds characters that no HTTP header may carry")
    return SecretStr(value)


def _http_base(url: str) -> str:
    try:
        parsed = URL(url)
    except ValueError:
        raise ValueError("is no address") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("must start with https:// or http:// and name a host")
    if parsed.user or parsed.password or parsed.query_string or parsed.fragment:
        raise ValueError("must hold no user, password, query or fragment")
    return str(parsed).rstrip("/")


Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split), AfterValidator(_not_empty)]
"""One or more secrets; all of them are accepted while one is rotated."""
Hosts = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_host_names)]
"""Names of hosts, without scheme or port."""
HeaderSecret = Annotated[SecretStr, AfterValidator(_fits_a_header)]
"""A secret that we send in a header."""
BaseUrl = Annotated[str, AfterValidator(_http_base)]
"""Where a gateway's API lives, without a slash at its end."""
