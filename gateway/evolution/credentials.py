"""What an Evolution channel needs to verify and to send. Called by this gateway's auth and send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from gateway.credentials import BaseUrl, Credentials, HeaderSecret, Hosts, Secrets, read

KIND = "evolution"


class EvolutionCredentials(Credentials):
    """Keys of `canais.credenciais` for `evolution`."""

    base_url: BaseUrl
    apikey: HeaderSecret
    """Of the instance (or the server's global one); it authenticates what we send."""
    webhook_secret: Secrets | None = None
    """Ours; Evolution sends it as x-webhook-secret. Two with a comma while it is rotated."""
    jwt_key: Secrets | None = None
    """Ours; Evolution signs a token with it instead."""

    native_options: bool = False
    """Whether buttons and lists go out as such: what unofficial clients send of them, many phones
    do not show. Without, they are text with numbers."""
    media_hosts: Hosts = ()
    """Where this server's S3 keeps files, if their addresses are to be used."""

    @model_validator(mode="after")
    def _can_verify(self) -> Self:
        if self.webhook_secret is None and self.jwt_key is None:
            raise ValueError("one of webhook_secret, jwt_key is missing")
        return self

    @classmethod
    def of(cls, stored: Mapping[str, str]) -> Self:
        """From the stored keys; raises BadCredentials."""
        return read(cls, KIND, stored)

    def header_secrets(self) -> list[bytes]:
        """The fixed secrets that are good right now."""
        return [secret.get_secret_value().encode() for secret in self.webhook_secret or ()]

    def token_keys(self) -> list[bytes]:
        """The keys of tokens that are good right now."""
        return [secret.get_secret_value().encode() for secret in self.jwt_key or ()]
