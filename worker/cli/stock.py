"""`helix stock`: a dealer's cars from a file, a folder or an address."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tenancy.settings import TenancySettings
from tenancy.start import Tenancy, open_tenancy
from worker.cli.output import Json, note, print_rows, run
from worker.cli.stock_view import show
from worker.cli.tell import tell
from worker.log import configure_logging
from worker.stock import rows
from worker.stock.address import Address, NotNow, Seen
from worker.stock.files import StockFile, read_file
from worker.stock.reading import BadFile
from worker.stock.run import import_stock, note_failed
from worker.stock.values import Key, Options, Outcome
from worker.stock.watch import Disk, Watch, Web
from worker.stock.words import BadWords, Words, words_with

app = typer.Typer(help="Cars of dealers.", no_args_is_help=True)

_DISK_EVERY_S = 5.0
_AUTH = "HELIX_STOCK_AUTH"
_TRY_LATER = 3

Empresa = Annotated[int, typer.Option(min=1, help="Whose cars.")]


@app.callback()
def _group() -> None:
    """Cars of dealers."""


@app.command(name="import")
def import_(
    empresa: Empresa,
    file: Annotated[
        Path | None, typer.Argument(help="CSV, XLSX, XLS, JSON or SQL; with --watch also a folder.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="An https address in place of a file.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would happen, store nothing.")
    ] = False,
    key: Annotated[
        Key | None, typer.Option(help="What makes a line the same car; else the best in the file.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="It is the whole stock: what is missing was sold.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Import the good lines although others are refused.")
    ] = False,
    max_refused: Annotated[
        int, typer.Option(min=0, help="So many refused lines are no hindrance.")
    ] = 0,
    max_sold: Annotated[
        int, typer.Option(min=0, max=100, help="Percent of the stock that a file may turn to sold.")
    ] = 30,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Sell more than that, this once.")
    ] = False,
    columns: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The dealer's own words, TOML.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Import again whenever it changes.")
    ] = False,
    every: Annotated[
        float | None, typer.Option(min=1, help="With --url: look every so many minutes.")
    ] = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="The address may be in our own network, or http."),
    ] = False,
    auth_stdin: Annotated[
        bool,
        typer.Option("--auth-stdin", help=f"Read the Authorization header, else from {_AUTH}."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Import a dealer's cars: all or nothing, and twice is once. See docs/stock.md.

    A cell that is empty leaves its column as it is. Every run is in `helix stock log`.
    """
    if (file is None) == (url is None):
        raise typer.BadParameter("give a FILE or --url, one of them")
    looks = watch or every is not None
    if looks and (plan or confirm):
        raise typer.BadParameter(
            "--plan and --confirm are for one import, not for --watch and --every"
        )
    if every is not None and url is None:
        raise typer.BadParameter("--every is for --url; a file is watched with --watch")
    if watch and url is not None:
        raise typer.BadParameter("an address is looked at with --every MINUTES")
    try:
        words = words_with(columns)
    except BadWords as error:
        raise typer.BadParameter(str(error)) from error
    options = Options(
        key=key, full=full, partial=partial, max_refused=max_refused, max_sold_percent=max_sold,
        confirm=confirm,
    )  # fmt: skip
    address = None
    if url is not None:
        given = sys.stdin.readline().strip() if auth_stdin else os.environ.get(_AUTH)
        address = Address(url=url, authorization=given or None, private=allow_private)
    job = _Job(empresa, options, words, plan_only=plan)
    if looks:
        source = Web(address) if address is not None else Disk(file or Path())
        run(job.for_ever(source, (every or 0) * 60 or _DISK_EVERY_S))
        return
    outcome = run(job.once(file, address))
    show(outcome, empresa=empresa, plan_only=plan, as_json=as_json)
    if outcome.why_not is not None:
        raise typer.Exit(1)


@app.command()
def log(
    empresa: Empresa,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List the imports of a dealer's stock and why some were refused."""
    found = run(_runs(empresa, limit))
    print_rows(found, title=f"Imports of empresa {empresa}", as_json=as_json)


async def _runs(empresa: int, limit: int) -> list[dict[str, object]]:
    async with (
        open_tenancy(TenancySettings()) as tenancy,
        tenancy.pools.connection(empresa) as conn,
    ):
        return list(await rows.runs(conn, limit))


class _Job:
    """One dealer's import, once or again and again."""

    def __init__(self, empresa: int, options: Options, words: Words, *, plan_only: bool) -> None:
        self._empresa = empresa
        self._options = options
        self._words = words
        self._plan_only = plan_only

    async def once(self, path: Path | None, address: Address | None) -> Outcome:
        """From a file or an address. What cannot be read is an outcome too."""
        async with open_tenancy(TenancySettings()) as tenancy:
            origin = (
                address.origin if address is not None else path.name if path is not None else ""
            )
            try:
                file = await _fetched(address) if address is not None else read_file(path or Path())
            except NotNow as error:
                note(str(error))
                raise typer.Exit(_TRY_LATER) from error
            except BadFile as error:
                if not self._plan_only:
                    await note_failed(tenancy.pools, self._empresa, origin, str(error))
                return Outcome(origin=origin, why_not=str(error))
            return await self._take(tenancy, file)

    async def for_ever(self, source: Disk | Web, every_s: float) -> None:
        """Until it is stopped."""
        configure_logging(level="INFO")
        async with open_tenancy(TenancySettings()) as tenancy:
            watch = Watch(
                source=source,
                every_s=every_s,
                take=lambda file: self._take(tenancy, file),
                note_failed=lambda origin, why: note_failed(
                    tenancy.pools, self._empresa, origin, why
                ),
            )
            await watch.run()

    async def _take(self, tenancy: Tenancy, file: StockFile) -> Outcome:
        outcome = await import_stock(
            tenancy, self._empresa, file, self._options,
            words=self._words, plan_only=self._plan_only,
        )  # fmt: skip
        if outcome.stored:
            await tell(self._empresa)
        return outcome


async def _fetched(address: Address) -> StockFile:
    found = await address.fetch(Seen())
    if found is None:
        raise BadFile("O endereço diz que nada mudou, mas o arquivo nunca veio: confira-o.")
    return StockFile(name=address.origin, data=found[0].data)
