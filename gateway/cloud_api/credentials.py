"""What a Cloud API channel needs to verify and to send. Called by this gateway's auth and send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, SecretStr

from gateway.credentials import BaseUrl, Credentials, HeaderSecret, Hosts, Secrets, read

KIND = "cloud_api"


class CloudCredentials(Credentials):
    """Keys of `canais.credenciais` for `cloud_api`."""

    access_token: HeaderSecret
    """Of a system user, with whatsapp_business_messaging."""
    app_secret: Secrets
    """Of the Meta app; it signs every webhook. Two with a comma while it is rotated."""
    verify_token: SecretStr
    """Ours; Meta shows it in the handshake when the webhook is registered."""
    waba_id: Annotated[str, Field(pattern=r"^[0-9]{5,32}$")] | None = None
    """The WhatsApp Business Account of the number; only `helix channel test` asks for it."""
    base_url: BaseUrl = "https://graph.facebook.com"
    api_version: Annotated[str, Field(pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")] = "v23.0"

    media_hosts: Hosts = ("lookaside.fbsbx.com",)
    """Where Meta keeps what buyers send; the token goes to these hosts and nowhere else."""

    @classmethod
    def of(cls, stored: Mapping[str, str]) -> Self:
        """From the stored keys; raises BadCredentials."""
        return read(cls, KIND, stored)

    def bearer(self) -> dict[str, str]:
        """The header that authenticates us."""
        return {"Authorization": f"Bearer {self.access_token.get_secret_value()}"}

    def secrets(self) -> list[bytes]:
        """The app secrets that are good right now."""
        return [secret.get_secret_value().encode() for secret in self.app_secret]
