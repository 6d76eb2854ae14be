"""`helix lgpd`: one person's data, given out or erased, and how long data is kept."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.dead_options import As, Desk, open_desk, whoever
from worker.cli.lgpd_terms import retention
from worker.cli.output import Json, note, print_facts, print_json, print_rows, run
from worker.lgpd.digests import DigestKeys
from worker.lgpd.erase import Eraser, Order, certificate_of, subject_of
from worker.lgpd.export import Exported, export
from worker.lgpd.leases import hold
from worker.lgpd.look import All
from worker.lgpd.phones import read_phone
from worker.lgpd.requests import Request, RequestKind, Requests
from worker.lgpd.settings import PrivacySettings
from worker.lgpd.terms import terms_of
from worker.media.settings import MediaSettings
from worker.media.store import MediaStore, open_store
from worker.queue.lease import LeaseDesk
from worker.settings import WorkerSettings

app = typer.Typer(help="One person's data (LGPD), and how long data is kept.", no_args_is_help=True)
app.command()(retention)

Phone = Annotated[
    str,
    typer.Argument(metavar="PHONE", help="+55 11 98765-4321, in quotes; `-` reads it from stdin."),
]
Empresa = Annotated[int, typer.Option(min=1, help="At which dealer; no other is touched.")]
Customers = Annotated[
    list[int] | None,
    typer.Option("--customer", min=1, help="This row of `customers` is the same person, too."),
]


@app.command(name="export")
def export_(
    phone: Phone,
    empresa: Empresa,
    to: Annotated[Path, typer.Option(help="A new folder, or a new file named .zip.")],
    customer: Customers = None,
    named: As = None,
    as_json: Json = False,
) -> None:
    """Write all that the dealer has of a person: data, files, and a page to read."""
    if to.exists():
        raise typer.BadParameter(f"{to} is there already")
    order = Order(
        empresa_id=empresa, phone=_phone(phone), who=whoever(named), also=tuple(customer or ())
    )
    found, made = run(_export(order, to))
    _say_maybe(found)
    facts = {"to": str(made.place), "rows": made.rows, "files": made.files,
             "missing_files": made.missing_files, "found": found.counts}  # fmt: skip
    print_facts(facts, as_json=as_json)


@app.command()
def erase(
    phone: Phone,
    empresa: Empresa,
    customer: Customers = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only count, place by place.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="Also write the certificate to this new file.")
    ] = None,
    count_visits: Annotated[
        bool | None,
        typer.Option(
            "--count-visits/--no-count-visits",
            help="Keep how many appointments there were; default: the dealer's setting.",
        ),
    ] = None,
    named: As = None,
    as_json: Json = False,
) -> None:
    """Erase a person at one dealer, for good. Safe to repeat, also after a kill.

    Prints the certificate, which holds no personal data.
    """  # fmt: skip
    if certificate is not None and certificate.exists():
        raise typer.BadParameter(f"{certificate} is there already")
    order = _Erasure(empresa, _phone(phone), whoever(named), tuple(customer or ()), count_visits)
    found = run(_plan(order))
    _say_maybe(found)
    if plan:
        print_facts(_planned(found), as_json=as_json)
        return
    if not yes:
        _ask(found)
    told = certificate_of(run(_erase(order)))
    if certificate is not None:
        certificate.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    if as_json:
        print_json(told)
    else:
        print_facts(told, as_json=False)


@app.command(name="list")
def list_(empresa: Empresa, as_json: Json = False) -> None:
    """List all exports and erasures of a dealer; without personal data."""
    rows = [_listed(request) for request in run(_requests(empresa))]
    print_rows(rows, title=f"Requests at empresa {empresa}", as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Erasure:
    empresa_id: int
    phone: str
    who: str
    also: tuple[int, ...]
    count_visits: bool | None

    def order(self, *, default: bool) -> Order:
        count = default if self.count_visits is None else self.count_visits
        return Order(
            empresa_id=self.empresa_id,
            phone=self.phone,
            who=self.who,
            count_visits=count,
            also=self.also,
        )


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[Desk, Eraser, MediaStore, LeaseDesk]]:
    store = open_store(MediaSettings())
    async with open_desk() as desk:
        leases = LeaseDesk(desk.redis, life_s=WorkerSettings().lease_s)
        yield desk, Eraser(desk.tenancy, desk.redis, store, leases), store, leases


async def _plan(order: _Erasure) -> All:
    async with _open() as (desk, eraser, _, _):
        await desk.tenancy.registry.tenant(order.empresa_id)
        return await eraser.plan(order.order(default=False))


async def _erase(order: _Erasure) -> Request:
    async with _open() as (desk, eraser, _, _):
        terms = await terms_of(desk.tenancy.central, order.empresa_id, PrivacySettings())
        return await eraser.erase(order.order(default=terms.count_visits))


async def _export(order: Order, place: Path) -> tuple[All, Exported]:
    """Written down before anything is given out. Nobody works meanwhile: what is on its way is seen
    once, on the inbox or in the database."""
    async with _open() as (desk, eraser, store, leases):
        dealer = await desk.tenancy.registry.tenant(order.empresa_id)
        digests = await DigestKeys(desk.tenancy.central, desk.tenancy.keyring).made(
            order.empresa_id
        )
        requests = Requests(desk.tenancy.central)
        async with hold(leases, order.empresa_id):
            found = await eraser.plan(order)
            id_ = await requests.begin(
                RequestKind.EXPORT,
                subject_of(found.person, digests),
                who=order.who,
                counts=found.counts,
            )
            async with desk.tenancy.pools.connection(order.empresa_id) as conn:
                made = await export(
                    conn, store, found, place, dealer=dealer.nome, now=datetime.now(UTC)
                )
        await requests.end(id_, {})
        return found, made


async def _requests(empresa_id: int) -> list[Request]:
    async with open_desk() as desk:
        return await Requests(desk.tenancy.central).all(empresa_id)


def _phone(text: str) -> str:
    try:
        return read_phone(sys.stdin.readline().strip() if text == "-" else text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _ask(found: All) -> None:
    for place, count in found.counts.items():
        if count:
            note(f"{place:<24}{count}")
    if found.is_nothing:
        note("nothing is there now; the erasure is noted all the same, for restored backups")
    if not sys.stdin.isatty():
        raise typer.BadParameter("say --yes: nobody can be asked here")
    typer.confirm("Erase all of this for good?", abort=True, err=True)


def _planned(found: All) -> dict[str, object]:
    return {
        **found.counts,
        "files_of_others_too": found.shared_files,
        "customers": sorted(found.person.customers),
        "maybe_customers": sorted(found.person.maybe),
        "tables_of_the_dealer": [
            {"table": one.table, "column": one.column, "rows": one.count, "holds": one.holds}
            for one in found.rows.foreign
        ],
    }


def _say_maybe(found: All) -> None:
    if found.person.maybe:
        ids = ", ".join(str(id_) for id_ in sorted(found.person.maybe))
        note(f"customers {ids} may be the same person: look, and add them with --customer")


def _listed(request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "kind": request.kind.value,
        "who": request.who,
        "found": sum(request.counts.values()),
        "started_at": request.started_at,
        "ended_at": request.ended_at,
    }
