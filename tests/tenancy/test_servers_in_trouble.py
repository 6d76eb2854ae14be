"""A database server that restarts, is full, or has a certificate of its own."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from dev.servers import MariaDB, extra_mariadb
from schema.errors import TenantUnavailable, Transient
from tenancy.empresas import Profile
from tenancy.faults import TenantFaults
from tenancy.opening import open_session
from tenancy.provision import Adoption, Provisioner
from tenancy.settings import TlsMode
from tenancy.start import Tenancy
from tenancy.target import Limits, Target
from tests.tenancy.installation import Installation


async def _use(tenancy: Tenancy, empresa_id: int) -> None:
    async with tenancy.pools.connection(empresa_id) as conn:
        await conn.fetch_one("SELECT 42")


async def _adopted(installation: Installation, there: MariaDB, number: int) -> int:
    """An empresa on another server."""
    empresa_id, name = installation.empresa_id(number), f"longe_{number}"
    async with there.connect() as admin, admin.cursor() as cursor:
        await cursor.execute(f"CREATE DATABASE {name}")
        await cursor.execute(f"CREATE USER {name}@'%' IDENTIFIED BY 'segredo'")
        await cursor.execute(f"GRANT ALL ON {name}.* TO {name}@'%'")
    await Provisioner(installation.settings).adopt(
        empresa_id,
        Profile(nome="Longe"),
        Adoption(
            host=there.host,
            port=there.port,
            database=name,
            user=name,
            password=SecretStr("segredo"),
        ),
    )
    return empresa_id


async def test_a_server_that_was_restarted_costs_idle_users_nothing(
    installation: Installation,
) -> None:
    """All of its idle connections are dead; whoever comes next gets a new one and no error."""
    with extra_mariadb() as server:
        there = server.access
        ids = [await _adopted(installation, there, number) for number in range(1, 6)]
        async with installation.tenancy(tenancy_registry_fresh_s=60) as tenancy:
            both = [*ids, *ids, *ids]
            await asyncio.gather(*(_use(tenancy, number) for number in both))
            gate = tenancy.pools.gate(there.host, there.port)
            assert gate.taken > len(ids)
            server.kill()
            server.start()

            await asyncio.gather(*(_use(tenancy, number) for number in both))


async def _until_stored(tenancy: Tenancy, empresa_id: int, number: int) -> int:
    """Stores a row as a worker does: an idempotent unit, put off as long as it is told to. Returns
    how often it was."""
    put_off = 0
    while True:
        try:
            async with tenancy.pools.transaction(empresa_id) as conn:
                await conn.execute("INSERT IGNORE INTO feito VALUES (%s)", (number,))
        except TenantUnavailable as error:
            await asyncio.sleep(error.retry_after_s)
        except Transient:
            pass
        else:
            return put_off
        put_off += 1


async def test_a_restart_under_load_costs_a_wait_and_nothing_else(
    installation: Installation,
) -> None:
    """What is under way when the server dies is put off and done afterwards, once."""
    with extra_mariadb() as server:
        ids = [await _adopted(installation, server.access, number) for number in range(1, 5)]
        async with installation.tenancy(tenancy_registry_fresh_s=60) as tenancy:
            for empresa_id in ids:
                async with tenancy.pools.connection(empresa_id) as conn:
                    await conn.execute("CREATE TABLE feito (n INT PRIMARY KEY)")
            done = asyncio.Semaphore(0)

            async def work(empresa_id: int, first: int) -> int:
                put_off = 0
                for number in range(first, first + 50):
                    put_off += await _until_stored(tenancy, empresa_id, number)
                    done.release()
                return put_off

            tasks = [
                asyncio.create_task(work(empresa_id, 100 * part))
                for empresa_id in ids
                for part in range(3)
            ]
            for _ in range(60):
                await done.acquire()
            server.kill()
            await asyncio.to_thread(server.start)
            put_off = await asyncio.gather(*tasks)

            assert sum(put_off) > 0
            for empresa_id in ids:
                async with tenancy.pools.connection(empresa_id) as conn:
                    assert await conn.fetch_one("SELECT COUNT(*) FROM feito") == (150,)


async def test_a_server_without_a_free_connection_is_left_alone_until_it_has_one(
    installation: Installation,
) -> None:
    """Error 1040: who has a connection goes on, the others are put off and served later."""
    with extra_mariadb(options=["--max-connections=10"]) as server:
        ids = [await _adopted(installation, server.access, number) for number in range(1, 3)]
        async with installation.tenancy(tenancy_registry_fresh_s=60) as tenancy:
            await _use(tenancy, ids[0])
            async with AsyncExitStack() as taken:
                for _ in range(10):  # one more than the rest: the administrator has a place more
                    await taken.enter_async_context(server.access.connect())
                put_off = 0
                for _ in range(3):
                    with pytest.raises(TenantUnavailable) as refused:
                        await _use(tenancy, ids[1])
                    put_off += refused.value.retry_after_s > 0
                assert put_off
                await _use(tenancy, ids[0])
            while True:
                try:
                    await _use(tenancy, ids[1])
                    break
                except TenantUnavailable as error:
                    await asyncio.sleep(error.retry_after_s)


@dataclass(frozen=True, slots=True)
class Papers:
    """A certificate authority, and a server's certificate that it signed."""

    ca: Path
    options: list[str]


def _papers(folder: Path, *, ip: str) -> Papers:
    now = datetime.now(UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def draft(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("ca"))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(
            now + timedelta(days=1)
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = (
        draft("ca", ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    address = x509.IPAddress(ipaddress.ip_address(ip))
    server = (
        draft("server", key)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    folder.mkdir()
    paths = {part: folder / f"{part}.pem" for part in ("ca", "cert", "key")}
    paths["ca"].write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    paths["cert"].write_bytes(server.public_bytes(serialization.Encoding.PEM))
    paths["key"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    options = [f"--ssl-{part}={path}" for part, path in paths.items()]
    return Papers(paths["ca"], options)


@asynccontextmanager
async def _logged_in(
    server: MariaDB, mode: TlsMode, ca: Path | None
) -> AsyncIterator[tuple[str, str]]:
    """The cipher that the server names, as the administrator sees it."""
    target = Target(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        database=None,
    )
    session = await open_session(
        target, Limits(tls=mode, tls_ca=ca), TenantFaults(7), kill=lambda _target, _id: None
    )
    try:
        (row,) = (await session.run("SHOW STATUS LIKE 'Ssl_cipher'")).rows
        yield row
    finally:
        session.cut()


async def test_a_protected_connection_proves_who_the_server_is(tmp_path: Path) -> None:
    """Each mode connects with the right papers, and refuses a stranger's or another name's."""
    good = _papers(tmp_path / "good", ip="127.0.0.1")
    strange = _papers(tmp_path / "strange", ip="127.0.0.1")
    elsewhere = _papers(tmp_path / "elsewhere", ip="127.0.0.2")
    with extra_mariadb(options=good.options) as server:
        for mode in (TlsMode.REQUIRED, TlsMode.VERIFY_CA, TlsMode.VERIFY_FULL):
            async with _logged_in(server.access, mode, good.ca) as (_, cipher):
                assert cipher.startswith("TLS_")
        async with _logged_in(server.access, TlsMode.OFF, None) as (_, cipher):
            assert cipher == ""
        for mode in (TlsMode.VERIFY_CA, TlsMode.VERIFY_FULL):
            with pytest.raises(TenantUnavailable):
                async with _logged_in(server.access, mode, strange.ca):
                    raise AssertionError("a stranger was let in")
    with extra_mariadb(options=elsewhere.options) as server:
        async with _logged_in(server.access, TlsMode.VERIFY_CA, elsewhere.ca) as (_, cipher):
            assert cipher.startswith("TLS_")
        with pytest.raises(TenantUnavailable):
            async with _logged_in(server.access, TlsMode.VERIFY_FULL, elsewhere.ca):
                raise AssertionError("a server of another name was let in")
