"""Runs and their dealers as rows for people and programs. Used by `worker.cli.migrate`."""

from __future__ import annotations

from collections import Counter

from tenancy.fleet.values import EmpresaState, Outcome, Report, State


def run_facts(report: Report) -> dict[str, object]:
    """What a run did, in numbers."""
    states = Counter(one.state for one in report.outcomes)
    return {
        "run": report.run,
        "state": report.state.value,
        "reason": report.reason,
        "done": states[State.DONE],
        "steps": sum(one.steps for one in report.outcomes),
        "failed": states[State.FAILED],
        "skipped": states[State.SKIPPED],
        "pending": report.pending,
    }


def tenant_row(outcome: Outcome) -> dict[str, object]:
    """One dealer of a run that has just ended."""
    return {
        "name": f"empresa {outcome.empresa_id}",
        "database": outcome.database,
        "version": outcome.version,
        "steps": outcome.steps if outcome.state is State.DONE else None,
        "state": outcome.state.value,
        "wave": outcome.wave.value,
        "ms": outcome.duration_ms,
        "error": None if outcome.error is None else str(outcome.error),
    }


def stored_row(one: EmpresaState) -> dict[str, object]:
    """One dealer as the ledger has it."""
    return {
        "name": f"empresa {one.empresa_id}",
        "wave": one.wave.value,
        "state": one.state.value,
        "version": one.version,
        "steps": one.steps,
        "attempts": one.attempts,
        "ms": one.duration_ms,
        "error": one.error,
    }
