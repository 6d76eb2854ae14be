"""`helix migrate --plan`, `--status` and `--drift`: what would be, was, and is. Change nothing."""

from __future__ import annotations

from collections import Counter

import typer

from schema.errors import UnknownRun
from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.drift import DriftOf, drift_of_all
from tenancy.faults import CentralFaults
from tenancy.fleet.ledger import Ledger
from tenancy.fleet.plan import Plan, PlannedStep, PlanOf, make_plan
from tenancy.fleet.values import EmpresaState, RunRow, RunState, State, Wave
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from worker.cli.migrate_rows import stored_row
from worker.cli.output import note, print_facts, print_json, print_rows, run


def show_plan(settings: TenancySettings, empresa: int | None, *, as_json: bool) -> None:
    """Exit code 1 when the steps did not go through on the copy or a dealer cannot be looked at."""
    plan = run(make_plan(settings, only=empresa))
    if as_json:
        print_json(
            {
                "tried_on": plan.tried_on,
                "trial_error": None if plan.trial_error is None else str(plan.trial_error),
                "empresas": [_plan_facts(one) for one in plan.empresas],
            }
        )
    else:
        shown = [one for one in plan.empresas if one.steps or one.error]
        print_rows([_plan_row(one) for one in shown], title="To be migrated", as_json=False)
        note(_tried(plan))
        if any(step.heavy for one in shown for step in one.steps):
            note(_heavy(plan))
    if plan.trial_error is not None or any(one.error for one in plan.empresas):
        raise typer.Exit(1)


def show_status(settings: TenancySettings, of_run: int | None, *, as_json: bool) -> None:
    """The run, and the dealers in it that are not done."""
    found, alive, empresas = run(_status(settings, of_run))
    counts = Counter(one.state for one in empresas)
    facts: dict[str, object] = {
        "run": found.id,
        "state": _state(found, alive),
        "reason": found.reason,
        "version": found.version,
        "runner": found.runner,
        "started_utc": found.started_at,
        "finished_utc": found.finished_at,
        **{state.value: counts[state] for state in State},
    }
    left = [stored_row(one) for one in empresas if one.state is not State.DONE]
    if as_json:
        print_json({**facts, "empresas": [stored_row(one) for one in empresas]})
        return
    print_facts(facts, as_json=False)
    if left:
        print_rows(left, title="Not done", as_json=False)


def show_drift(settings: TenancySettings, empresa: int | None, *, as_json: bool) -> None:
    """Exit code 1 when something that we need is missing, or a database cannot be looked at."""
    found = run(drift_of_all(settings, only=empresa))
    rows = [_drift_facts(one) for one in found]
    if not as_json:
        rows = [row for row in rows if any(value for name, value in row.items() if name != "name")]
    print_rows(rows, title="Drift", as_json=as_json)
    if any(one.drift is None or one.drift.is_harmful for one in found):
        raise typer.Exit(1)


async def _status(
    settings: TenancySettings, of_run: int | None
) -> tuple[RunRow, bool, list[EmpresaState]]:
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        ledger = Ledger(conn)
        found = await (ledger.last() if of_run is None else ledger.get(of_run))
        if found is None:
            raise UnknownRun(of_run)
        return found, await ledger.is_locked(), await ledger.empresas(found.id)


def _state(found: RunRow, alive: bool) -> str:
    if found.state is RunState.RUNNING and not alive:
        return "interrompido"  # killed: nobody holds the lock
    return found.state.value


def _plan_facts(one: PlanOf) -> dict[str, object]:
    return {
        "empresa": one.empresa_id,
        "wave": one.wave.value,
        "database": one.database,
        "steps": [
            {
                "migration": f"{step.version:04}_{step.name}",
                "step": step.step,
                "table": step.table,
                "rows": step.rows,
                "bytes": step.size_bytes,
                "heavy": step.heavy,
                "algorithm": None if step.algorithm is None else step.algorithm.value,
            }
            for step in one.steps
        ],
        "error": None if one.error is None else str(one.error),
    }


def _plan_row(one: PlanOf) -> dict[str, object]:
    return {
        "empresa": one.empresa_id,
        "wave": one.wave.value,
        "database": one.database,
        "steps": "\n".join(map(_in_words, one.steps)) or None,
        "error": None if one.error is None else str(one.error),
    }


def _in_words(step: PlannedStep) -> str:
    table = step.table or "-"
    if step.size_bytes is not None:
        table += f" ({step.size_bytes / 2**20:.1f} MiB, about {step.rows} rows)"
    algorithm = "not tried" if step.algorithm is None else step.algorithm.value
    heavy = ", heavy" if step.heavy else ""
    return f"{step.version:04}_{step.name}.{step.step} {table}: {algorithm}{heavy}"


def _tried(plan: Plan) -> str:
    if plan.trial_error is not None:
        return f"On a copy of a schema it did not go through: {plan.trial_error}"
    if plan.tried_on is None:
        return "Nothing was tried on a copy."
    return f"Tried on a copy of the schema of empresa {plan.tried_on}, without its rows."


def _heavy(plan: Plan) -> str:
    text = "Heavy ones copy tables: one dealer of a server at a time, once a canary is through."
    if any(one.wave in (Wave.CANARY, Wave.SINGLE) for one in plan.empresas):
        return text
    return f"{text} There is no canary: `helix empresa canary ID on` first, or the run stops."


def _drift_facts(one: DriftOf) -> dict[str, object]:
    drift = one.drift
    return {
        "name": f"empresa {one.empresa_id}",
        "missing": [] if drift is None else list(drift.missing),
        "different": [] if drift is None else list(drift.different),
        "extra": [] if drift is None else list(drift.extra),
        "error": None if one.error is None else str(one.error),
    }
