"""Tables of latency, webhook, scaling and aims. Called by `bench.parts` and `bench.__main__`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.aims import Aim
from bench.fleet import Fleet
from bench.latency import Latency
from bench.machine import Machine
from bench.scaling import Found
from bench.webhook import Requests


def show_machine(console: Console, machine: Machine) -> None:
    """Under what conditions the figures came about."""
    versions = ", ".join(f"{name} {number}" for name, number in machine.packages.items())
    console.print(
        f"{machine.cpus} CPUs ({machine.cpu}), Python {machine.python}, {versions};"
        f" MariaDB {machine.mariadb}, flush at commit {machine.innodb_flush_log_at_trx_commit};"
        f" Redis {machine.redis}, appendfsync {machine.appendfsync};"
        f" load before: {machine.load_before}"
    )


def show_latency(console: Console, found: Sequence[Latency]) -> None:
    """One line for each contestant and rate."""
    table = Table(title="Milliseconds from enqueueing to the committed answer")
    for name in ("contestant", "asked/s", "came/s", "messages", "p50", "p95", "p99", "worst"):
        table.add_column(name, justify="left" if name == "contestant" else "right")
    for one in found:
        asked = f"{one.asked_per_s:,}" + (" (half of its most)" if one.is_half_of_most else "")
        table.add_row(
            one.contestant, asked, f"{one.came_per_s:,.0f}", f"{one.messages:,}",
            f"{one.p50:,.1f}", f"{one.p95:,.1f}", f"{one.p99:,.1f}", f"{one.worst:,.1f}",
        )  # fmt: skip
    console.print(table)


def show_webhook(console: Console, found: Sequence[Requests]) -> None:
    """One line for each number of connections."""
    table = Table(title="Webhooks of one web process; who sends them shares its processors")
    for name in ("connections", "requests", "requests/s", "p50 ms", "p99 ms", "server CPU µs"):
        table.add_column(name, justify="right")
    for one in found:
        cpu = "unknown" if one.server_us is None else f"{one.server_us:,.0f}"
        table.add_row(
            str(one.connections), f"{one.requests:,}", f"{one.per_second:,.0f}",
            f"{one.p50_ms:,.1f}", f"{one.p99_ms:,.1f}", cpu,
        )  # fmt: skip
    console.print(table)


def show_scaling(console: Console, found: Found) -> None:
    """Speeds; what else was found stands among the aims."""
    table = Table(title="Messages per second with the trivial answer")
    for name in ("workers", "empresas", "messages", "msg/s"):
        table.add_column(name, justify="right")
    for speed in found.speeds:
        table.add_row(str(speed.workers), f"{speed.empresas:,}", f"{speed.messages:,}",
                      f"{speed.per_second:,.0f}")  # fmt: skip
    console.print(table)


def show_fleet(console: Console, found: Fleet) -> None:
    """Each figure by its name; docs/scale.md says what follows from them."""
    table = Table(title="Many dealers on one machine")
    table.add_column("figure")
    table.add_column("", justify="right")
    for row in found.rows():
        table.add_row(*row)
    console.print(table)


def show_aims(console: Console, aims: Sequence[Aim], *, quick: bool) -> None:
    """What was to be reached, and what was."""
    small = "; small sizes, which say little" if quick else ""
    table = Table(title=f"Aims, set for two processors that nobody else uses{small}")
    for name in ("aim", "wanted", "measured", ""):
        table.add_column(name)
    for aim in aims:
        sign = "at least" if aim.at_least else "at most"
        table.add_row(
            aim.name, f"{sign} {aim.limit:,g} {aim.unit}", f"{aim.measured:,g} {aim.unit}",
            "[green]met[/]" if aim.met else "[red]missed[/]",
        )  # fmt: skip
    console.print(table)
