"""The commands for dealers, from an empty server to a served dealer."""

from __future__ import annotations

import json
import socket

from gateway.adapters import ADAPTERS
from tenancy.keyring import new_key
from tenancy.names import database_of, user_of
from tests.cli.helix import helix
from tests.gateway.line import made
from tests.tenancy.installation import Installation


async def test_from_nothing_to_a_dealer_with_a_channel(installation: Installation) -> None:
    """create, channel add, list and show work one after another on an empty server."""
    env = installation.environment()
    empresa = str(installation.empresa_id())

    created = await helix(
        "empresa", "create", "--id", empresa, "--nome", "Auto Show Curitiba", "--json", env=env
    )
    added = await helix(
        *("channel", "add", "--empresa", empresa, "--gateway", "cloud_api"),
        *("--identifier", "1065", "--credentials", "-", "--json"),
        env=env,
        given='{"access_token": "EAAx-secret"}',
    )
    listed = await helix("channel", "list", "--empresa", empresa, "--json", env=env)
    empresas = await helix("empresa", "list", "--json", env=env)
    shown = await helix("empresa", "show", empresa, env=env)

    assert (created.code, created.json["status"]) == (0, "ativo"), created.err
    assert created.json["database"] == database_of(installation.empresa_id())
    assert added.code == 0, added.err
    assert added.json["webhook"].startswith("/webhook/cloud_api/")
    assert listed.json == [added.json]
    assert [row["nome"] for row in empresas.json] == ["Auto Show Curitiba"]
    assert "Auto Show Curitiba" in shown.out
    assert "secret" not in added.out + added.err + listed.out
    stored = await installation.central("SELECT credenciais FROM canais")
    assert "secret" not in stored[0][0]
    async with installation.tenancy() as tenancy:
        channel = await tenancy.registry.channel("cloud_api", "1065")
        assert channel is not None
        assert channel.credentials == {"access_token": "EAAx-secret"}
        assert "secret" not in repr(channel)


async def test_a_channel_keeps_its_address_and_its_owner(installation: Installation) -> None:
    """Adding a number again renews its credentials; another dealer cannot take it."""
    env = installation.environment()
    await installation.create(1)
    await installation.create(2)
    number = ("--gateway", "evolution", "--identifier", "loja", "--json")

    first = await helix(
        "channel", "add", "--empresa", str(installation.empresa_id(1)), *number, env=env
    )
    again = await helix(
        "channel", "add", "--empresa", str(installation.empresa_id(1)), *number, env=env
    )
    taken = await helix(
        "channel", "add", "--empresa", str(installation.empresa_id(2)), *number, env=env
    )

    assert first.json == again.json
    assert taken.code == 1
    assert f"empresa {installation.empresa_id(1)}" in taken.err


async def test_a_number_at_waha_is_added(installation: Installation) -> None:
    """Its address names the gateway, and what was typed opens what the gateway signs."""
    await installation.create(1)
    phone = made("waha")
    added = await helix(
        *("channel", "add", "--empresa", str(installation.empresa_id(1)), "--gateway", "waha"),
        *("--identifier", phone.channel, "--credentials", "-", "--json"),
        env=installation.environment(),
        given=json.dumps(phone.credentials()),
    )

    assert added.code == 0, added.err
    assert added.json["webhook"].startswith("/webhook/waha/")
    async with installation.tenancy() as tenancy:
        channel = await tenancy.registry.channel("waha", phone.channel)
    assert channel is not None
    headers = {name.lower(): value for name, value in phone.webhook_headers(b"{}").items()}
    ADAPTERS["waha"].verify(headers, b"{}", channel.credentials, now=0)


async def test_an_existing_database_is_adopted_and_migrated(installation: Installation) -> None:
    """adopt takes the password from the environment, shows it nowhere, and migrate covers it."""
    env = installation.environment()
    empresa = installation.empresa_id()
    async with installation.server.database("loja") as name:
        user = user_of(installation.empresa_id(2))
        await installation.sql("CREATE USER %s@'%%' IDENTIFIED BY 'their-secret'", (user,))
        await installation.sql(f"GRANT ALL ON `{name}`.* TO %s@'%%'", (user,))

        adopted = await helix(
            *("empresa", "adopt", "--id", str(empresa), "--nome", "Loja", "--db-name", name),
            *(
                "--db-host",
                env["DB_HOST"],
                "--db-port",
                env["DB_PORT"],
                "--db-user",
                user,
                "--json",
            ),
            env={**env, "HELIX_TENANT_PASSWORD": "their-secret"},
        )
        migrated = await helix("migrate", "--json", env=env)

    assert (adopted.code, adopted.json["database"]) == (0, name), adopted.err
    assert "their-secret" not in adopted.out + adopted.err
    assert migrated.code == 0, migrated.err
    assert [(row["database"], row["steps"]) for row in migrated.json["databases"]] == [
        (env["DB_NAME"], 0),
        (name, 0),
    ]


async def test_one_sick_database_does_not_stop_the_others(installation: Installation) -> None:
    """migrate goes on past a dead server, reports it, and says by its code to try later."""
    env = installation.environment()
    await installation.create(1)
    await installation.create(2)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refused
        await installation.central(
            "UPDATE empresas SET db_port = %s WHERE id = %s",
            (closed.getsockname()[1], installation.empresa_id(1)),
        )

        ran = await helix("migrate", "--json", env=env)

    assert ran.code == 3
    assert [row["error"] is None for row in ran.json["databases"]] == [True, False, True]


async def test_errors_say_what_to_do_and_exit_codes_say_who(installation: Installation) -> None:
    """2: the caller's mistake; 1: someone must change something; 3: try later."""
    env = installation.environment()
    await installation.create()
    unset = {name: value for name, value in env.items() if name != "TENANCY_KEYS"}
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        down_env = {**env, "DB_PORT": str(closed.getsockname()[1])}
        down = await helix("empresa", "list", env=down_env)
    missing = await helix("empresa", "show", "1", env=env)
    wrong = await helix("empresa", "create", env=env)
    settings = await helix("empresa", "list", env=unset)
    broken = await helix("empresa", "list", env={**env, "TENANCY_KEYS": "k1:c2VjcmV0"})

    assert (down.code, down.out) == (3, "")
    assert (missing.code, wrong.code, settings.code, broken.code) == (1, 2, 2, 2)
    assert "helix empresa list" in missing.err
    assert "--nome" in wrong.err
    assert "TENANCY_KEYS" in settings.err
    assert "c2VjcmV0" not in broken.err
    for ran in (down, missing, settings, broken):
        assert "Traceback" not in ran.err
        assert env["DB_PASSWORD"] not in ran.err


async def test_credentials_that_are_no_json_are_not_repeated(installation: Installation) -> None:
    """A mistake in the credentials is the caller's, and they are not printed."""
    ran = await helix(
        *("channel", "add", "--empresa", "1", "--gateway", "waha", "--identifier", "x"),
        *("--credentials", "-"),
        env=installation.environment(),
        given="token=EAAx-secret",
    )

    assert ran.code == 2
    assert "secret" not in ran.out + ran.err


async def test_a_new_key_can_be_used_at_once() -> None:
    """`helix keys new` needs no settings and prints a line for TENANCY_KEYS."""
    ran = await helix("keys", "new", env={})

    assert ran.code == 0
    key_id, _, key = ran.out.strip().partition(":")
    assert (len(key_id), len(key)) == tuple(map(len, new_key().split(":")))


async def test_keys_are_rotated_until_nothing_needs_the_old_one(
    installation: Installation,
) -> None:
    """rotate says how many secrets need which key, and by its code whether old ones may go."""
    env = installation.environment()
    await installation.create()
    new = new_key()
    keys = f"{new},{env['TENANCY_KEYS']}"

    rotated = await helix("keys", "rotate", "--json", env={**env, "TENANCY_KEYS": keys})
    too_early = await helix("keys", "rotate", env={**env, "TENANCY_KEYS": new_key()})

    assert (rotated.code, rotated.json["remaining"]) == (0, 0), rotated.err
    assert rotated.json["per_key"] == {new.partition(":")[0]: 1}
    assert too_early.code == 1
    assert "1 remain" in too_early.out
    assert "TENANCY_KEYS" in too_early.err
