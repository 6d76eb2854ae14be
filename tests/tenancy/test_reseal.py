"""Rotation of the keys that seal the registry's secrets."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

import tenancy.reseal as reseal
from schema.errors import CentralUnavailable
from tenancy.central import central_target
from tenancy.channels import add_channel
from tenancy.direct import direct
from tenancy.faults import CentralFaults
from tenancy.keyring import erasure_key_of, key_of, new_key
from tenancy.lease import Connection
from tenancy.reseal import reseal_all
from tenancy.servers import Role, Servers
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from tests.tenancy.installation import Installation


async def _channel(installation: Installation, empresa_id: int) -> None:
    async with installation.tenancy() as tenancy, tenancy.central.transaction() as conn:
        await add_channel(
            conn,
            tenancy.keyring,
            empresa_id=empresa_id,
            gateway="waha",
            identifier="Loja",
            credentials={"api_key": "segredo"},
        )


def _with(settings: TenancySettings, *keys: str) -> TenancySettings:
    return settings.model_copy(update={"tenancy_keys": SecretStr(",".join(keys))})


def _keys(installation: Installation) -> str:
    return installation.settings.tenancy_keys.get_secret_value()


async def test_after_a_rotation_the_new_key_alone_opens_everything(
    installation: Installation,
) -> None:
    """Passwords and channel credentials, those of an earlier installation too."""
    rows = [await installation.create(number) for number in (1, 2)]
    await _channel(installation, rows[0].id)
    fernet = Fernet(Fernet.generate_key())
    key = base64.b64encode(fernet._signing_key + fernet._encryption_key).decode()
    old = installation.settings.keyring()
    assert rows[1].place is not None
    password = old.open(rows[1].place.token, purpose=f"empresa:{rows[1].id}:db_password")
    await installation.central(
        "UPDATE empresas SET db_password = %s WHERE id = %s",
        (fernet.encrypt(password.encode()).decode(), rows[1].id),
    )
    new = new_key()

    done = await reseal_all(_with(installation.settings, new, _keys(installation), f"fernet:{key}"))

    new_id = new.partition(":")[0]
    assert (done.resealed, done.per_key, done.remaining) == (3, {new_id: 3}, 0)
    async with installation.tenancy(tenancy_keys=SecretStr(new)) as tenancy:
        for row in rows:
            async with tenancy.pools.connection(row.id) as conn:
                assert await conn.fetch_one("SELECT empresa_id FROM _tenant") == (row.id,)
        channel = await tenancy.registry.channel("waha", "Loja")
        assert channel is not None
        assert channel.credentials == {"api_key": "segredo"}
    again = await reseal_all(_with(installation.settings, new))
    assert (again.resealed, again.remaining) == (0, 0)


@pytest.mark.parametrize("write", range(1, 5))
async def test_a_cut_run_is_continued(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """Whichever row a run dies at, all secrets can be opened, and the next run does the rest."""
    monkeypatch.setattr(reseal, "_PAGE", 2)
    rows = [await installation.create(number) for number in (1, 2, 3)]
    await _channel(installation, rows[2].id)
    settings = _with(installation.settings, new_key(), _keys(installation))
    execute, writes = Connection.execute, 0

    async def dying(self: Connection, sql: str, params: Any = ()) -> int:
        nonlocal writes
        writes += 1
        if writes == write:
            raise CentralUnavailable("cut")
        return await execute(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "execute", dying)
        with pytest.raises(CentralUnavailable):
            await reseal_all(settings)
    async with installation.tenancy(tenancy_keys=settings.tenancy_keys) as tenancy:
        for row in rows:
            await tenancy.registry.tenant(row.id)
        assert await tenancy.registry.channel("waha", "Loja") is not None

    done = await reseal_all(settings)

    assert (done.resealed, done.remaining) == (4 - (write - 1), 0)


async def test_a_password_that_changes_meanwhile_is_not_overwritten(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What someone else stored since the row was read stays, and is reported as remaining."""
    row = await installation.create()
    settings = _with(installation.settings, new_key(), _keys(installation))
    other = installation.settings.keyring().seal("x", purpose=f"empresa:{row.id}:db_password")
    loop = asyncio.get_running_loop()
    changes: list[asyncio.Task[Any]] = []
    execute = Connection.execute

    async def late(self: Connection, sql: str, params: Any = ()) -> int:
        changes.append(
            loop.create_task(installation.central("UPDATE empresas SET db_password = %s", (other,)))
        )
        await changes[0]
        return await execute(self, sql, params)

    monkeypatch.setattr(Connection, "execute", late)
    done = await reseal_all(settings)

    assert await installation.central("SELECT db_password FROM empresas") == [(other,)]
    assert (done.resealed, done.remaining, done.per_key) == (0, 1, {key_of(other): 1})


async def test_what_cannot_be_opened_is_named_and_stops_nothing(
    installation: Installation,
) -> None:
    """A plain password and a copied token are reported without their text; the rest is done."""
    rows = [await installation.create(number) for number in (1, 2, 3)]
    await installation.central(
        "UPDATE empresas SET db_password = 'plain-segredo' WHERE id = %s", (rows[0].id,)
    )
    assert rows[2].place is not None
    await installation.central(
        "UPDATE empresas SET db_password = %s WHERE id = %s", (rows[2].place.token, rows[1].id)
    )

    done = await reseal_all(_with(installation.settings, new_key(), _keys(installation)))

    assert (done.resealed, done.remaining, len(done.unreadable)) == (1, 2, 2)
    assert done.per_key["plain"] == 1
    assert all(
        f"empresa:{row.id}:" in text for row, text in zip(rows[:2], done.unreadable, strict=True)
    )
    assert "segredo" not in repr(done)


async def test_the_key_of_what_was_erased_is_sealed_anew(installation: Installation) -> None:
    """Or nobody could tell an erased message from a new one once the old key is taken out."""
    row = await installation.create()
    purpose = erasure_key_of(row.id)
    sealed = installation.settings.keyring().seal("segredo", purpose=purpose)
    await installation.central(
        "INSERT INTO lgpd_chaves (empresa_id, chave) VALUES (%s, %s)", (row.id, sealed)
    )
    new = new_key()

    done = await reseal_all(_with(installation.settings, new, _keys(installation)))

    assert (done.resealed, done.remaining) == (2, 0)
    ((token,),) = await installation.central("SELECT chave FROM lgpd_chaves")
    keyring = _with(installation.settings, new).keyring()
    assert keyring.open(token, purpose=purpose) == "segredo"


async def test_the_accounts_of_servers_are_sealed_anew(installation: Installation) -> None:
    """Or no dealer could be made on them once the old key is taken out."""
    await installation.create()
    keyring = installation.settings.keyring()
    async with direct(
        central_target(installation.settings), Limits.of(installation.settings), CentralFaults()
    ) as conn:
        account = await Servers(conn).reserve(keyring, "db2", 3306, Role.MIGRATOR)
        new = new_key()

        done = await reseal_all(_with(installation.settings, new, _keys(installation)))

        assert (done.resealed, done.remaining) == (2, 0)
        (found,) = await Servers(conn).accounts()
    resealed = _with(installation.settings, new).keyring()
    assert found.password(resealed) == account.password(keyring)
