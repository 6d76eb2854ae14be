"""`helix empresa backup`, `backups`, `verify-backup` and `restore`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from tenancy.life import backup as backups_of
from tenancy.life import restore as restore_of
from tenancy.life.backup import Manifest
from tenancy.life.book import Book
from tenancy.life.proof import Verified, verify
from tenancy.start import open_tenancy
from worker.cli.empresa_life import Confirm, EmpresaId, Patience, Plan, at_hand, confirmed
from worker.cli.output import Json, print_facts, print_rows, run
from worker.life.restored import after_restore

Name = Annotated[str | None, typer.Option("--backup", help="Its name; default: the newest.")]


def backup(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """Back a dealer's database up while he is served: compressed, encrypted with a key of his own.

    Where to: BACKUP_STORE. Safe to repeat; `verify-backup` proves what was made.
    """

    async def work() -> Manifest:
        async with at_hand() as tools:
            return await backups_of.back_up(tools, empresa_id)

    print_facts(_facts(run(work())), as_json=as_json)


def backups(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """List a dealer's backups, oldest first: their age, and when each was proved."""

    async def work() -> tuple[list[Manifest], dict[str, datetime]]:
        async with at_hand() as tools:
            known = await backups_of.manifests(tools, empresa_id)
            return known, await Book(tools.central).proved_ones(empresa_id)

    known, proved = run(work())
    now = datetime.now(UTC)
    rows = [
        {
            **_facts(one),
            "age_h": round((now - one.made_at).total_seconds() / 3600, 1),
            "verified_at": proved[one.name].isoformat() if one.name in proved else None,
        }
        for one in known
    ]
    print_rows(rows, title=f"Backups of empresa {empresa_id}", as_json=as_json)


def verify_backup(empresa_id: EmpresaId, name: Name = None, as_json: Json = False) -> None:
    """Prove a backup: restore it beside everything, compare all of it, drop the copy again."""

    async def work() -> Verified:
        async with at_hand() as tools:
            return await verify(tools, empresa_id, name)

    print_facts(run(work()).model_dump(mode="json"), as_json=as_json)


def restore(
    empresa_id: EmpresaId,
    name: Annotated[str, typer.Option("--backup", help="Its name, see `backups`.")],
    db_host: Annotated[str | None, typer.Option(help="Server; default: his own.")] = None,
    db_port: Annotated[int | None, typer.Option(help="Default: his own.")] = None,
    plan: Plan = False,
    confirm: Confirm = None,
    patience_s: Patience = 60,
    as_json: Json = False,
) -> None:
    """Bring a dealer back to a backup. Safe to repeat after an error or a kill.

    The backup goes into a new database and is compared before the dealer is switched to it; what
    was stored since is in the old database alone, which is kept until `drop-kept`.
    """

    async def work() -> dict[str, object]:
        async with at_hand(patience_s) as tools:
            if plan:
                found = await restore_of.plan(tools, empresa_id, name)
                return {"would_restore": _facts(found)}
            await confirmed(tools, empresa_id, confirm)
            async with open_tenancy(tools.settings) as rooms:
                done = await restore_of.restore(
                    tools,
                    empresa_id,
                    name,
                    host=db_host,
                    port=db_port,
                    after_restore=after_restore(rooms.central, rooms.keyring),
                )
            return done.model_dump(mode="json")

    print_facts(run(work()), as_json=as_json)


def _facts(manifest: Manifest) -> dict[str, object]:
    return {
        "name": manifest.name,
        "made_at": manifest.made_at.isoformat(),
        "database": manifest.database,
        "schema_version": manifest.schema_version,
        "rows": manifest.rows,
        "plain_bytes": manifest.plain_bytes,
        "sealed_bytes": manifest.sealed_bytes,
        "sealed_sha256": manifest.sealed_sha256,
    }
