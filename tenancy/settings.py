"""What a process is told from outside about databases. Read once, in main(), then handed down."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tenancy.keyring import Keyring


class TlsMode(StrEnum):
    """How a connection to a database server is protected."""

    AUTO = "auto"
    """verify-full, but off on the loopback interface."""
    OFF = "off"
    REQUIRED = "required"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class TenancySettings(BaseSettings):
    """Environment names are those of an existing installation; new ones begin with TENANCY_."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    db_host: str = Field("127.0.0.1", description="Server of the central database.")
    db_port: int = Field(3306, ge=1, le=65535)
    db_user: str = Field("helix", description="User of the central database.")
    db_password: SecretStr = SecretStr("")
    db_name: str = Field("helixai_db", description="The central database.")

    tenancy_keys: SecretStr = Field(
        description="Keys of the registry's secrets: `keyid:base64key`, commas, newest first."
    )
    tenancy_tls: TlsMode = Field(TlsMode.AUTO, description="Protection of database connections.")
    tenancy_tls_ca: Path | None = Field(None, description="CA file; None: those of the system.")
    tenancy_max_per_empresa: int = Field(4, ge=1, le=64, description="Connections per empresa.")
    tenancy_max_per_host: int = Field(
        64, ge=1, le=10_000, description="Connections of this process per database server."
    )
    tenancy_max_per_process: int = Field(
        500, ge=1, le=50_000, description="Connections of this process to all of them together."
    )
    tenancy_acquire_timeout_s: float = Field(5, gt=0, le=60)
    tenancy_connect_timeout_s: float = Field(3, gt=0, le=60)
    tenancy_statement_timeout_s: float = Field(10, gt=0, le=600)
    tenancy_commit_timeout_s: float = Field(5, gt=0, le=60)
    tenancy_idle_s: float = Field(60, gt=0, description="An idle connection is closed after this.")
    tenancy_registry_fresh_s: float = Field(
        5, ge=0, le=300, description="A registry row is read again when older than this."
    )

    provision_db_user: str | None = Field(None, description="Creates databases; default DB_USER.")
    provision_db_password: SecretStr | None = None

    @field_validator("tenancy_keys")
    @classmethod
    def _keys_are_usable(cls, keys: SecretStr) -> SecretStr:
        Keyring.parse(keys.get_secret_value())
        return keys

    def keyring(self) -> Keyring:
        """The keys, ready for use."""
        return Keyring.parse(self.tenancy_keys.get_secret_value())
