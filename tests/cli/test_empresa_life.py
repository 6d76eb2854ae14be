"""The commands of a dealer's life, from a backup to the certificate."""

from __future__ import annotations

from pathlib import Path

from tenancy.empresas import Empresas
from tests.cli.helix import helix
from tests.tenancy.installation import Installation


def environment(installation: Installation, redis_url: str, folder: Path) -> dict[str, str]:
    """Of a command."""
    return {
        **installation.environment(),
        "REDIS_URL": redis_url,
        "BACKUP_STORE": str(folder / "backups"),
        "MEDIA_STORE": str(folder / "media"),
        "TENANCY_REGISTRY_FRESH_S": "0",
    }


async def test_backed_up_verified_restored_and_deleted(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """Each command prints JSON; nothing is destroyed without the dealer's name; no secret shows."""
    row = await installation.create(nome="Auto Show")
    env, own = environment(installation, redis_url, tmp_path), str(row.id)

    made = await helix("empresa", "backup", own, "--json", env=env)
    assert made.code == 0, made.err
    name = made.json["name"]
    refused = await helix("empresa", "restore", own, "--backup", name, env=env)
    assert refused.code == 1
    assert "--confirm 'Auto Show'" in refused.err
    restored = await helix(
        *("empresa", "restore", own, "--backup", name, "--confirm", "Auto Show", "--json"), env=env
    )
    assert restored.code == 0, restored.err
    planned = await helix("empresa", "delete", own, "--plan", "--json", env=env)
    assert planned.json["kept_databases"][0].startswith(restored.json["kept"])
    deleted = await helix(
        *("empresa", "delete", own, "--confirm", "Auto Show", "--json"),
        *("--export", str(tmp_path / "out")),
        env=env,
    )
    assert deleted.code == 0, deleted.err
    assert deleted.json["data_key_destroyed"]
    status = await installation.central("SELECT status FROM empresas WHERE id = %s", (row.id,))
    assert status == [("excluido",)]
    password = installation.settings.db_password.get_secret_value()
    said = "".join(ran.out + ran.err for ran in (made, restored, planned, deleted))
    assert password not in said


async def test_disabled_enabled_and_addressed(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """Each may be repeated; an address where his own database is not is refused."""
    row = await installation.create(nome="Auto Show")
    env, own = environment(installation, redis_url, tmp_path), str(row.id)
    async with installation.tenancy() as tenancy, tenancy.central.connection() as conn:
        await Empresas(conn).pause(row.id, "férias")

    for command, status in (
        ("disable", "suspenso"),
        ("disable", "suspenso"),
        ("enable", "pausado"),
    ):
        ran = await helix("empresa", command, own, "--json", env=env)
        assert (ran.code, ran.json["status"]) == (0, status), ran.err
    port = str(installation.settings.db_port)
    moved = await helix(
        *("empresa", "set-host", own, "--db-host", "localhost", "--db-port", port, "--json"),
        env=env,
    )
    assert (moved.code, moved.json["server"]) == (0, f"localhost:{port}"), moved.err
    nowhere = await helix(
        *("empresa", "set-host", own, "--db-host", "127.0.0.1", "--db-port", "1"), env=env
    )
    assert nowhere.code == 3
