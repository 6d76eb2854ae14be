"""`helix doctor`: each finding is provoked on real servers, and a healthy installation has none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tenancy.keyring import new_key
from tests.cli.helix import helix
from tests.doctor.conftest import Patient
from worker.doctor.values import Level, of_clock

CENTRAL = {
    "no_database": "UPDATE empresas SET db_name = NULL WHERE id = 2",
    "half_made": "UPDATE empresas SET status = 'provisionando' WHERE id = 2",
    "password_change": "INSERT INTO trocas_senha (empresa_id, versao, ultima_conexao)"
    " VALUES (2, 1, 1)",
    "shared_database": "UPDATE empresas SET db_host = 'localhost', db_name = 'empresa_1_db'"
    " WHERE id = 2",
    "secret_unreadable": "UPDATE empresas a JOIN empresas b ON b.id = 1"
    " SET a.db_password = b.db_password WHERE a.id = 2",
    "channel_of_nobody": "UPDATE canais SET empresa_id = 99 WHERE empresa_id = 2",
    "unknown_gateway": "UPDATE canais SET tipo = 'pombo', credenciais = NULL WHERE empresa_id = 2",
    "no_credentials": "UPDATE canais SET credenciais = NULL WHERE empresa_id = 2",
    "never_received": "UPDATE canais SET criado_em = '2026-01-01' WHERE empresa_id = 2",
    "same_number": "UPDATE canais SET identificador = 'LOJA-1 ', credenciais = NULL"
    " WHERE empresa_id = 2",
    "central_behind": "DELETE FROM _migrations WHERE version = 3",
    "not_set_up": "UPDATE servidores SET preparado_em = NULL",
}
E2 = "'e2_app'@'%'"
SERVER = {
    "server_silent": ("UPDATE empresas SET db_port = 9 WHERE id = 2", "DO 0"),
    "refused": (f"ALTER USER {E2} ACCOUNT LOCK", f"ALTER USER {E2} ACCOUNT UNLOCK"),
    "wrong_marker": ("UPDATE empresa_2_db._tenant SET empresa_id = 1",
                     "UPDATE empresa_2_db._tenant SET empresa_id = 2"),
    "no_marker": ("DELETE FROM empresa_2_db._tenant",
                  "INSERT INTO empresa_2_db._tenant (empresa_id) VALUES (2)"),
    "behind": ("DELETE FROM empresa_2_db._migrations WHERE version = 9",
               "REPLACE INTO empresa_2_db._migrations SELECT * FROM empresa_1_db._migrations"),
    "drift": ("ALTER TABLE empresa_2_db.cars DROP COLUMN color, DROP INDEX idx_status",
              "ALTER TABLE empresa_2_db.cars ADD COLUMN color VARCHAR(50), ADD INDEX (status)"),
    "changed_migration": (
        "UPDATE empresa_2_db._migrations SET checksum = REPEAT('0', 64) WHERE version = 2",
        "REPLACE INTO empresa_2_db._migrations SELECT * FROM empresa_1_db._migrations"),
    "server_max_connections": ("SET GLOBAL max_connections = 60",
                               "SET GLOBAL max_connections = 500"),
    "anonymous_user": ("CREATE USER ''@'localhost'", "DROP USER ''@'localhost'"),
    "open_to_all": (
        "INSERT INTO mysql.db (Host, Db, User, Select_priv) VALUES ('%', 'test', '', 'Y')",
        "DELETE FROM mysql.db WHERE User = ''"),
    "wildcard_grant": (f"GRANT SELECT ON `empresa_2_db`.* TO {E2}",
                       f"REVOKE SELECT ON `empresa_2_db`.* FROM {E2}"),  # noqa: S608
    "two_tenants": (f"GRANT SELECT ON `empresa\\_1\\_db`.* TO {E2}",
                    f"REVOKE SELECT ON `empresa\\_1\\_db`.* FROM {E2}"),  # noqa: S608
    "may_grant": (f"GRANT SELECT ON `empresa\\_2\\_db`.* TO {E2} WITH GRANT OPTION",
                  f"REVOKE GRANT OPTION ON `empresa\\_2\\_db`.* FROM {E2}"),
    "global_right": (f"GRANT SELECT ON *.* TO {E2}", f"REVOKE SELECT ON *.* FROM {E2}"),  # noqa: S608
    "stranger": ("GRANT SELECT ON `empresa%`.* TO 'painel'@'%' IDENTIFIED BY 'p'",
                 "DROP USER 'painel'@'%'"),
}  # fmt: skip
"""What spoils a server or a dealer's database, and what makes it good."""
REDIS = {
    "redis_fsync": ("appendfsync", "everysec"),
    "redis_persistence": ("appendonly", "no"),
    "redis_eviction": ("maxmemory-policy", "allkeys-lru"),
    "redis_unlimited": ("maxmemory", "0"),
}
SETTINGS = {
    "unknown_setting": ("WORKER_MAX_JOB", "8"),
    "wrong_setting": ("WORKER_BATCH", "muitos"),
    "short_secret": ("ALARM_WEBHOOK_SECRET", "curto"),
    "no_alarm": ("ALARM_WEBHOOK_URL", ""),
    "redis_silent": ("REDIS_URL", "redis://:p@127.0.0.1:9/0"),
    "no_password": ("REDIS_URL", "redis://127.0.0.1:9/0"),
    "central": ("DB_NAME", "outro_banco"),
    "too_much": ("DB_USER", "root"),
}
_RED = frozenset(
    {"no_database", "shared_database", "secret_unreadable", "wrong_marker", "no_marker", "behind",
     "refused", "server_silent", "two_tenants", "wildcard_grant", "global_right", "may_grant",
     "redis_persistence", "redis_eviction", "redis_silent", "no_credentials", "central",
     "wrong_setting", "anonymous_user", "open_to_all", "central_behind"}
)  # fmt: skip
"""Where a dealer is hurt now, or his data are in danger."""


async def test_nothing_is_wrong_with_a_healthy_installation(patient: Patient) -> None:
    """A doctor who always finds something is not heard."""
    report = await patient.report()

    assert list(report.findings) == []
    assert (report.level, report.dealers) == (Level.OK, 2)


@pytest.mark.parametrize("kind", CENTRAL)
async def test_in_the_registry(patient: Patient, kind: str) -> None:
    """A row that leads nowhere, to another's, or cannot be used."""
    await patient.sql(CENTRAL[kind])

    assert (await patient.found(kind)).level is _level(kind)


@pytest.mark.parametrize("kind", SERVER)
async def test_on_a_server(patient: Patient, kind: str) -> None:
    """Settings, rights, and what a worker would meet in a dealer's database."""
    spoil, undo = SERVER[kind]
    await patient.sql(spoil, undo=[undo])

    one = await patient.found(kind)

    assert one.level is (_level(kind) if kind != "changed_migration" else Level.RED)


@pytest.mark.parametrize("kind", REDIS)
async def test_in_redis(patient: Patient, kind: str) -> None:
    """What it has taken must be there after a crash, and never make room for something else."""
    await patient.redis.config_set(*REDIS[kind])

    assert (await patient.found(kind)).level is _level(kind)


@pytest.mark.parametrize("kind", SETTINGS)
async def test_in_the_settings(patient: Patient, kind: str) -> None:
    """Names that nobody reads, values that are wrong or unwise; the rest is looked at as well."""
    patient.set(*SETTINGS[kind])

    assert (await patient.found(kind)).level is _level(kind)


async def test_more_of_redis(patient: Patient) -> None:
    """A lost function library, memory that ends, no worker, a channel that has stopped."""
    await patient.raw("FUNCTION", "FLUSH")
    await patient.redis.delete("helix:workers")
    ((canal_id,),) = await patient.sql("SELECT id FROM canais WHERE empresa_id = 1")
    await patient.raw("SADD", "helix:channels:stopped", canal_id)
    used = int((await patient.redis.info("memory"))["used_memory"])
    await patient.redis.config_set("maxmemory", used + used // 20)

    kinds = {one.kind for one in (await patient.report()).findings}

    assert kinds == {"redis_functions", "redis_full", "no_worker", "channel_stopped"}


async def test_keys(patient: Patient) -> None:
    """Secrets under an older key are counted; under a key that is gone they are unreadable."""
    old = patient.settings.tenancy_keys.get_secret_value()
    patient.set("TENANCY_KEYS", f"{new_key()},{old}")
    counted = await patient.found("old_key")
    patient.set("TENANCY_KEYS", new_key())
    lost = (await patient.report()).findings

    assert counted.mend == "helix keys rotate"
    # Two dealers, two channels, three accounts of the server.
    assert counted.what.startswith("7 of 7 secrets")
    assert sum(one.kind == "secret_unreadable" for one in lost) == 7


async def test_a_file_of_settings(patient: Patient, tmp_path: Path) -> None:
    """An unknown name with what was meant; a file that others may read. No value is shown."""
    file = tmp_path / ".env"
    file.write_text("# comentário\nexport DB_PASWORD=segredo-1\nLOG_LEVEL=INFO\n\nPORT=1\n")
    file.chmod(0o644)

    unknown = await patient.found("unknown_setting", file=file)
    report = await patient.report(file)

    assert (unknown.subject, unknown.mend) == ("DB_PASWORD", "write DB_PASSWORD")
    assert "readable_file" in {one.kind for one in report.findings}
    assert "segredo-1" not in str(report)


def test_clocks() -> None:
    """A second is nothing, a minute is; the direction is told."""
    assert of_clock("redis", 0.9) == []
    (ahead,) = of_clock("redis", 5)
    (behind,) = of_clock("redis", -60)
    assert (ahead.level, behind.level) == (Level.WARNING, Level.RED)
    assert "ahead of" in ahead.what
    assert "behind" in behind.what


async def test_the_clocks_are_read(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the server and of Redis, both beside this machine's."""
    real = time.time
    monkeypatch.setattr("worker.doctor.redis.time.time", lambda: real() - 5)

    subjects = {one.subject for one in (await patient.report()).findings if one.kind == "clock"}

    assert subjects == {"redis", f"{patient.server.host}:{patient.server.port}"}


async def test_the_command(patient: Patient) -> None:
    """Exit code by the worst, JSON for programs, no secret in either, one dealer alone."""
    healthy = await helix("doctor", "--json", env=patient.given)
    await patient.sql(*SERVER["wrong_marker"][:1], undo=SERVER["wrong_marker"][1:])
    people = await helix("doctor", env=patient.given)
    other = await helix("doctor", "--empresa", "1", "--json", env=patient.given)

    assert (healthy.code, healthy.json["findings"]) == (0, [])
    assert people.code == 2
    assert "empresa 2" in people.out
    assert "-> helix empresa show 2" in people.out
    assert other.code == 0
    printed = healthy.out + people.out + people.err
    assert patient.server.password.get_secret_value() not in printed


def _level(kind: str) -> Level:
    reds = _RED | {"channel_of_nobody", "unknown_gateway"}
    return Level.RED if kind in reds else Level.WARNING
