"""A connection serves the empresa that it was asked for, over a way that is protected, or none."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from schema.errors import (
    NotConfigured,
    TenantRefused,
    TenantUnavailable,
    UnknownEmpresa,
    WrongTenant,
)
from tenancy.faults import TenantFaults
from tenancy.keyring import password_of
from tenancy.names import database_of
from tenancy.opening import open_session
from tenancy.settings import TlsMode
from tenancy.start import Tenancy
from tenancy.target import Limits, Target
from tests.tenancy.installation import Installation
from tests.tenancy.peers import server_without_tls

PASSWORD = "correct horse battery staple"


async def _use(tenancy: Tenancy, empresa_id: int) -> None:
    async with tenancy.pools.connection(empresa_id) as conn:
        await conn.fetch_one("SELECT 1")


async def test_a_row_that_points_at_another_database_is_refused(
    installation: Installation,
) -> None:
    """Login, user and database of another dealer, all valid: the marker gives it away."""
    row = await installation.create(1)
    other = await installation.create(2)
    assert other.place is not None
    keyring = installation.settings.keyring()
    stolen = keyring.open(other.place.token, purpose=password_of(other.id))
    await installation.central(
        "UPDATE empresas SET db_name = %s, db_user = %s, db_password = %s WHERE id = %s",
        (
            other.place.database,
            other.place.user,
            keyring.seal(stolen, purpose=password_of(row.id)),
            row.id,
        ),
    )

    async with installation.tenancy() as tenancy:
        with pytest.raises(WrongTenant):
            await _use(tenancy, row.id)
        await _use(tenancy, other.id)


async def test_a_password_copied_from_another_row_is_refused(installation: Installation) -> None:
    """A sealed password opens in its own row alone."""
    row = await installation.create(1)
    other = await installation.create(2)
    assert other.place is not None
    await installation.central(
        "UPDATE empresas SET db_password = %s WHERE id = %s", (other.place.token, row.id)
    )

    async with installation.tenancy() as tenancy:
        with pytest.raises(NotConfigured, match="copied from another row") as caught:
            await _use(tenancy, row.id)

    assert other.place.token not in str(caught.value)


async def test_what_cannot_be_used_says_why(installation: Installation) -> None:
    """Unknown, plain password, not active, wrong password, no database: each has its error."""
    row = await installation.create()
    keyring = installation.settings.keyring()

    async def set_to(column: str, value: object) -> None:
        await installation.central(f"UPDATE empresas SET {column} = %s", (value,))  # noqa: S608

    async with installation.tenancy() as tenancy:
        with pytest.raises(UnknownEmpresa):
            await _use(tenancy, 1)
        await set_to("status", "suspenso")
        with pytest.raises(NotConfigured, match="suspenso"):
            await _use(tenancy, row.id)
        await set_to("status", "ativo")
        await set_to("db_name", database_of(row.id + 1))
        with pytest.raises(TenantRefused):
            await _use(tenancy, row.id)
        await set_to("db_name", database_of(row.id))
        await set_to("db_password", keyring.seal("wrong", purpose=password_of(row.id)))
        with pytest.raises(TenantRefused) as refused:
            await _use(tenancy, row.id)
        await set_to("db_password", "plain-text-secret")
        with pytest.raises(NotConfigured, match="helix empresa adopt") as plain:
            await _use(tenancy, row.id)

    assert "wrong" not in str(refused.value).replace("password is wrong", "")
    assert "secret" not in str(plain.value)


@pytest.mark.parametrize("mode", [TlsMode.REQUIRED, TlsMode.VERIFY_CA, TlsMode.VERIFY_FULL])
async def test_no_login_leaves_for_a_server_without_tls(mode: TlsMode) -> None:
    """Where protection is wanted and not offered, not one byte is sent."""
    async with server_without_tls() as server:
        target = Target(
            host="127.0.0.1",
            port=server.port,
            user="e7_app",
            password=SecretStr(PASSWORD),
            database="empresa_7_db",
        )
        with pytest.raises(TenantUnavailable, match="TLS"):
            await open_session(
                target, Limits(tls=mode), TenantFaults(7), kill=lambda _target, _id: None
            )
        await server.gone.wait()

    assert server.heard == b""


async def test_without_tls_wanted_the_same_server_hears_a_login() -> None:
    """The recorder of the test above does hear what is sent."""
    async with server_without_tls() as server:
        target = Target(
            host="127.0.0.1",
            port=server.port,
            user="e7_app",
            password=SecretStr(PASSWORD),
            database="empresa_7_db",
        )
        limits = Limits(tls=TlsMode.OFF, connect_s=0.3)
        with pytest.raises(TenantUnavailable):
            await open_session(target, limits, TenantFaults(7), kill=lambda _target, _id: None)
        await server.gone.wait()

    assert b"e7_app" in server.heard
    assert PASSWORD.encode() not in server.heard


async def test_secrets_do_not_print(installation: Installation) -> None:
    """Neither settings nor a tenant's configuration show a password or a key."""
    row = await installation.create()
    async with installation.tenancy() as tenancy:
        config = await tenancy.registry.tenant(row.id)
        shown = repr((config, config.target, installation.settings, tenancy, row))

    password = config.target.password.get_secret_value()
    assert len(password) >= 40
    for secret in (
        password,
        installation.settings.db_password.get_secret_value(),
        installation.settings.tenancy_keys.get_secret_value(),
    ):
        assert secret not in shown
