"""`helix pools`: how the workers stand with the database servers, for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from redis.exceptions import RedisError

from schema.errors import CentralUnavailable
from worker.cli.output import Json, print_json, print_rows, run
from worker.cli.tell import client
from worker.presence import Workers
from worker.report import EmpresaLine, Report

_SLOWEST = 10


def pools(as_json: Json = False) -> None:
    """Show connections, budgets, waiters and breakers of all workers, and the ten slowest dealers.

    Each worker renews its figures every five seconds.
    """
    reports = run(_reports())
    processes = [
        {
            "worker": name,
            "dealers_known": report.known,
            "dealers_connected": report.active,
            "rows_stale": report.stale,
        }
        for name, report in reports.items()
    ]
    hosts = [
        {"worker": name, **line.model_dump()}
        for name, report in reports.items()
        for line in report.hosts
    ]
    slowest = _merged(line for report in reports.values() for line in report.slowest)
    resting = _merged(line for report in reports.values() for line in report.resting)
    if as_json:
        print_json(
            {
                "workers": processes,
                "hosts": hosts,
                "slowest": slowest[:_SLOWEST],
                "resting": resting,
            }
        )
        return
    print_rows(processes, title="Workers", as_json=False)
    print_rows(hosts, title="Database servers", as_json=False)
    print_rows(slowest[:_SLOWEST], title="Slowest dealers", as_json=False)
    print_rows(resting, title="Dealers at rest (refused by their databases)", as_json=False)


async def _reports() -> dict[str, Report]:
    try:
        async with client() as redis:
            found = await Workers(redis).reports()
    except RedisError as error:
        raise CentralUnavailable("Redis does not answer: check REDIS_URL") from error
    return {name: Report.model_validate(body) for name, body in found.items()}


def _merged(lines: Iterable[EmpresaLine]) -> list[Mapping[str, object]]:
    """One row per dealer, over all workers, the one that waited longest first."""
    by_empresa: dict[int, list[EmpresaLine]] = {}
    for line in lines:
        by_empresa.setdefault(line.empresa_id, []).append(line)
    rows = [_row(found) for found in by_empresa.values()]
    return sorted(rows, key=lambda row: float(str(row["waited_s"])), reverse=True)


def _row(lines: list[EmpresaLine]) -> Mapping[str, object]:
    first = lines[0]
    waits, waited_s = sum(line.waits for line in lines), sum(line.waited_s for line in lines)
    return {
        "empresa": first.empresa_id,
        "server": f"{first.host}:{first.port}",
        "idle": sum(line.idle for line in lines),
        "in_use": sum(line.in_use for line in lines),
        "waiting": sum(line.waiting for line in lines),
        "breaker": ", ".join(sorted({line.breaker for line in lines})),
        "waits": waits,
        "waited_s": round(waited_s, 3),
        "mean_ms": round(1000 * waited_s / waits, 1) if waits else None,
    }
