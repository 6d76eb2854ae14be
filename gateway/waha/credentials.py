"""What a WAHA channel needs to verify and to send. Called by this gateway's auth and send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from gateway.credentials import BaseUrl, Credentials, HeaderSecret, Secrets, read

KIND = "waha"


class WahaCredentials(Credentials):
    """Keys of `canais.credenciais` for `waha`."""

    base_url: BaseUrl
    api_key: HeaderSecret
    """Of the server or, better, of this session alone; it authenticates what we send."""
    hmac_key: Secrets
    """Ours; WAHA signs every webhook with it. Two with a comma while it is rotated."""

    @classmethod
    def of(cls, stored: Mapping[str, str]) -> Self:
        """From the stored keys; raises BadCredentials."""
        return read(cls, KIND, stored)

    def webhook_keys(self) -> list[bytes]:
        """The webhook keys that are good right now."""
        return [key.get_secret_value().encode() for key in self.hmac_key]
