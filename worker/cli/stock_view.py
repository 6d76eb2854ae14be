"""Shows what an import did or would do: lines for people, JSON for programs. Called by `.stock`.

What stands in it is for dealers, so it is in Portuguese.
"""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.table import Table

from worker.cli.output import note, print_json, say
from worker.stock.values import Action, Change, Entry, Outcome
from worker.stock.vehicle import LABELS

_COUNTS = {
    Action.ADD: "added",
    Action.CHANGE: "changed",
    Action.SAME: "unchanged",
    Action.SELL: "sold",
    Action.REFUSE: "refused",
}
_STATUS = {"available": "disponível", "reserved": "reservado", "sold": "vendido"}


def show(outcome: Outcome, *, empresa: int, plan_only: bool, as_json: bool) -> None:
    """One outcome. A plan lists every line that is not as it was; an import what needs a look."""
    if as_json:
        print_json(_document(outcome, empresa, plan_only=plan_only))
    elif outcome.plan is not None:
        _print(outcome, plan_only=plan_only)
    if outcome.why_not is not None:
        note(outcome.why_not)


def _document(outcome: Outcome, empresa: int, *, plan_only: bool) -> dict[str, object]:
    plan = outcome.plan
    result = "refused" if outcome.why_not else "planned" if plan_only else "imported"
    entries = plan.entries if plan else ()
    return {
        "empresa": empresa,
        "result": result,
        "why": outcome.why_not,
        "key": plan.key.value if plan else None,
        **{name: plan.count(action) if plan else 0 for action, name in _COUNTS.items()},
        "photos": sum(_photos(entry) for entry in entries),
        "notes": list(plan.notes) if plan else [],
        "lines": [_line(entry) for entry in entries],
    }


def _photos(entry: Entry) -> int:
    if entry.action is Action.ADD:
        return len(entry.car.images or ()) if entry.car else 0
    return sum(int(str(change.new)) for change in entry.changes if change.field == "images")


def _line(entry: Entry) -> dict[str, object]:
    return {
        "line": entry.place.line if entry.place else None,
        "sheet": entry.place.sheet if entry.place else None,
        "action": _COUNTS[entry.action],
        "id": entry.car_id,
        "car": entry.name,
        "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in entry.changes],
        "reasons": list(entry.reasons),
    }


def _print(outcome: Outcome, *, plan_only: bool) -> None:
    plan = outcome.plan
    if plan is None:
        return
    shown = [e for e in plan.entries if e.reasons or (plan_only and e.action is not Action.SAME)]
    if shown:
        table = Table(title=f"Estoque de {outcome.origin}", title_justify="left")
        for name in ("onde", "o quê", "carro", "mudanças e motivos"):
            table.add_column(name, overflow="fold")
        for entry in shown:
            told = [*(_change(change) for change in entry.changes), *entry.reasons]
            where = str(entry.place) if entry.place else "fora do arquivo"
            table.add_row(where, entry.action.value, entry.name, "\n".join(told))
        Console(markup=False, highlight=False).print(table)
    for text in plan.notes:
        say(f"nota: {text}")
    counts = ", ".join(f"{plan.count(action)} {action.value}(s)" for action in Action)
    head = "Plano" if plan_only else "Importado" if outcome.stored else "Nada importado"
    say(f"{head}: {counts}; carros reconhecidos por {plan.key.value}.")


def _change(change: Change) -> str:
    if change.field == "images":
        return f"fotos: {change.old} -> {change.new}"
    return f"{LABELS[change.field]}: {_value(change.old)} -> {_value(change.new)}"


def _value(value: object) -> str:
    if value is None:
        return "(vazio)"
    if isinstance(value, Decimal):
        return f"R$ {value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
    text = _STATUS.get(str(value), str(value))
    return text if len(text) <= 60 else text[:57] + "..."
