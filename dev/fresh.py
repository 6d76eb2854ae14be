"""Settings of an installation that is about to be made on a server. Used by bench, chaos and tests.

Beside `dev.servers`, which imports nothing of the product.
"""

from __future__ import annotations

from pydantic import SecretStr

from dev.servers import MariaDB
from tenancy.keyring import new_key
from tenancy.settings import TenancySettings


def fresh_settings(
    server: MariaDB, *, central: str = "helixai_db", **more: float
) -> TenancySettings:
    """As the server's administrator, with a key of its own. `more`: other numbers of the class."""
    return TenancySettings.model_validate(
        {
            "db_host": server.host,
            "db_port": server.port,
            "db_user": server.user,
            "db_password": server.password,
            "db_name": central,
            "tenancy_keys": SecretStr(new_key()),
            **more,
        }
    )
