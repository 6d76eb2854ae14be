"""Says what an import will do, line by line. Called by `.run`. Reads no clock, file or database."""

from __future__ import annotations

from collections.abc import Sequence

from worker.stock.matching import Matcher, best_key, key_of
from worker.stock.reading import CarLine, Reading, Refused
from worker.stock.values import COLUMNS, Action, Change, Entry, Key, Options, Plan, Stored

_FEW = 2
"""So many cars may be sold at once whatever share of a small stock they are."""


def chosen_key(reading: Reading, options: Options) -> Key:
    """What the dealer chose, or the best that his file has."""
    return options.key or best_key(line.car for line in reading.lines)


def make_plan(
    reading: Reading, stored: Sequence[Stored], key: Key, *, full: bool, empresa_id: int
) -> Plan:
    """`stored`: all cars of the dealer, with their keys of the kind `key`."""
    matcher = Matcher(stored, key, empresa_id)
    matcher.match(reading.lines)
    entries: list[Entry] = []
    refused = [*reading.refused, *matcher.refused]
    for line, car in matcher.matches:
        if car is None and not (line.car.brand and line.car.model):
            refused.append(_nameless(line))
        elif car is None:
            entries.append(_added(line, key_of(line.car, key, empresa_id)))
        else:
            entries.append(_kept(line, car, key_of(line.car, key, empresa_id)))
    entries += [_refused(line) for line in refused]
    entries.sort(
        key=lambda entry: (entry.place.sheet or "", entry.place.line) if entry.place else ("", 0)
    )
    seen = {entry.car_id for entry in entries}
    notes = list(reading.notes)
    if full:
        sold, note = _missing(stored, seen, refused, key, empresa_id)
        entries += sold
        notes += [note] if note else []
    sold_ids = {entry.car_id for entry in entries if entry.action is Action.SELL}
    return Plan(
        key=key,
        entries=tuple(entries),
        for_sale=sum(not car.is_sold for car in stored),
        back=frozenset(
            car.id
            for car in stored
            if car.absent and (car.id in seen or (not car.is_sold and car.id not in sold_ids))
        ),
        notes=tuple(notes),
    )


def why_not(plan: Plan, options: Options) -> str | None:
    """Why the plan must not be carried out, for the dealer. None: it may be."""
    refused = plan.count(Action.REFUSE)
    if refused and not options.partial and refused > options.max_refused:
        return (
            f"{refused} linha(s) precisam de conserto e nada foi importado. Corrija-as, "
            "ou importe as outras com --partial."
        )
    if refused == len(plan.entries):
        return "Nenhuma linha pode ser importada: corrija o arquivo."
    sold = sum(entry.is_sold_now for entry in plan.entries)
    if (
        sold > _FEW
        and sold * 100 > plan.for_sale * options.max_sold_percent
        and not options.confirm
    ):
        return (
            f"{sold} de {plan.for_sale} carros ficariam vendidos, "
            f"mais de {options.max_sold_percent} %: nada foi importado. Se o arquivo está certo "
            "e completo, importe-o uma vez com --confirm."
        )
    return None


def _nameless(line: CarLine) -> Refused:
    missing = [
        name for name, value in (("marca", line.car.brand), ("modelo", line.car.model)) if not value
    ]
    text = f"falta {' e '.join(missing)}: um carro novo precisa de marca e modelo"
    return Refused(place=line.place, problems=(text,), car=line.car)


def _refused(line: Refused) -> Entry:
    return Entry(action=Action.REFUSE, name=line.car.name, place=line.place, reasons=line.problems)


def _added(line: CarLine, key: str | None) -> Entry:
    car = line.car
    return Entry(
        action=Action.ADD, name=car.name, place=line.place, car=car, key=key, reasons=car.notices
    )


def _kept(line: CarLine, stored: Stored, key: str | None) -> Entry:
    """A car that is there: what the file says of it and is not so yet."""
    car, reasons = line.car, list(line.car.notices)
    wanted = {name: getattr(car, name) for name in COLUMNS}
    if stored.is_sold and wanted["status"] is None:
        if stored.absent:
            wanted["status"] = "available"
        else:
            reasons.append(
                "já consta como vendido e fica vendido; se é outro carro igual, dê-lhe um código"
            )
    changes = [
        Change(field=name, old=stored.values[name], new=value)
        for name, value in wanted.items()
        if value is not None and value != stored.values[name]
    ]
    if car.images is not None and car.images != stored.photos:
        changes.append(Change(field="images", old=len(stored.photos), new=len(car.images)))
    return Entry(
        action=Action.CHANGE if changes else Action.SAME,
        name=stored.name,
        place=line.place,
        car_id=stored.id,
        car=car,
        stored=stored.values,
        key=key if stored.key != key else None,
        changes=tuple(changes),
        reasons=tuple(reasons),
    )


def _missing(
    stored: Sequence[Stored],
    seen: set[int | None],
    refused: Sequence[Refused],
    key: Key,
    empresa_id: int,
) -> tuple[list[Entry], str | None]:
    """Cars that a complete file does not list. A line that cannot be read may be any of them."""
    keys = [key_of(line.car, key, empresa_id) for line in refused]
    if any(found is None for found in keys):
        return (
            [],
            "há linhas recusadas sem chave legível: nenhum carro foi dado por vendido desta vez",
        )
    entries = [
        Entry(
            action=Action.SELL,
            name=car.name,
            car_id=car.id,
            changes=(Change(field="status", old=car.values["status"], new="sold"),),
        )
        for car in stored
        if car.id not in seen and not car.is_sold
        and (str(car.id) if key is Key.ID else car.key) not in keys
    ]  # fmt: skip
    return entries, None
