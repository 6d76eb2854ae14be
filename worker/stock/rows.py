"""Reads and writes a dealer's cars for an import. Called by `.run`, who owns the transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from tenancy.lease import Connection
from worker.stock.values import COLUMNS, Action, Entry, Key, Outcome, Plan, Stored

_ONE_AT_A_TIME = "SELECT empresa_id FROM _tenant FOR UPDATE"
_CARS = """
    SELECT id, brand, model, year, year_model, price, mileage, color, fuel_type, transmission,
           description, COALESCE(status, 'available') AS status
      FROM cars ORDER BY id FOR UPDATE
"""
_PHOTOS = """
    SELECT car_id, url FROM car_images WHERE url IS NOT NULL
     ORDER BY car_id, is_principal DESC, ordem, id
"""
_KEYS = "SELECT car_id, valor FROM estoque_chaves WHERE tipo = %(kind)s"
_ABSENT = "SELECT car_id FROM estoque_ausentes"
_VISITS = """
    SELECT car_id, COUNT(*) FROM agendamentos
     WHERE car_id IN %(ids)s AND status IN ('pendente','confirmado')
       AND data_agendada > UTC_TIMESTAMP() - INTERVAL 1 DAY
     GROUP BY car_id
"""
_INSERT = """
    INSERT INTO cars (id, brand, model, year, year_model, price, mileage, color, fuel_type,
                      transmission, description, status)
    VALUES
"""
_STEP = "SELECT @@auto_increment_increment"
_UPDATE = """
    UPDATE cars JOIN ({rows}) AS new ON new.id = cars.id
       SET cars.brand = new.brand, cars.model = new.model, cars.year = new.year,
           cars.year_model = new.year_model, cars.price = new.price, cars.mileage = new.mileage,
           cars.color = new.color, cars.fuel_type = new.fuel_type,
           cars.transmission = new.transmission, cars.description = new.description,
           cars.status = new.status
"""
_FIRST_ROW = """
    SELECT %s AS id, %s AS brand, %s AS model, %s AS year, %s AS year_model, %s AS price,
           %s AS mileage, %s AS color, %s AS fuel_type, %s AS transmission, %s AS description,
           %s AS status
"""
_ROW = "%s" + ", %s" * len(COLUMNS)
_AT_ONCE = 100
"""Cars of one statement: with the longest texts still far below what a server takes."""
_SELL = "UPDATE cars SET status = 'sold' WHERE id IN %(ids)s"
_NOTE_ABSENT = """
    INSERT INTO estoque_ausentes (car_id, em) VALUES (%s, UTC_TIMESTAMP(3))
        ON DUPLICATE KEY UPDATE em = UTC_TIMESTAMP(3)
"""
_FORGET_ABSENT = "DELETE FROM estoque_ausentes WHERE car_id IN %(ids)s"
_ADD_KEYS = """
    INSERT INTO estoque_chaves (tipo, valor, car_id) VALUES (%s, %s, %s)
        ON DUPLICATE KEY UPDATE car_id = VALUES(car_id)
"""
_DROP_PHOTOS = "DELETE FROM car_images WHERE car_id IN %(ids)s"
_ADD_PHOTOS = """
    INSERT INTO car_images (car_id, url, ordem, is_principal) VALUES (%s, %s, %s, %s)
"""
_LOG = """
    INSERT INTO estoque_importacoes
           (origem, sha256, resultado, motivo, novos, alterados, iguais, vendidos, recusados, em)
    VALUES (%(origin)s, %(digest)s, %(result)s, %(why)s, %(novo)s, %(alterado)s, %(igual)s,
            %(vendido)s, %(recusado)s, UTC_TIMESTAMP(3))
"""
_RUNS = """
    SELECT em AS `at`, origem AS origin, resultado AS result, novos AS added,
           alterados AS changed, iguais AS unchanged, vendidos AS sold, recusados AS refused,
           motivo AS why
      FROM estoque_importacoes ORDER BY id DESC LIMIT %(limit)s
"""


async def read_cars(conn: Connection, key: Key) -> list[Stored]:
    """All cars, held until the end of the transaction; another import of the dealer waits."""
    await conn.fetch_all(_ONE_AT_A_TIME)
    cars = await conn.fetch_dicts(_CARS)
    photos: dict[int, list[str]] = defaultdict(list)
    for car_id, url in await conn.fetch_all(_PHOTOS):
        photos[car_id].append(url)
    keys = {row[0]: row[1] for row in await conn.fetch_all(_KEYS, {"kind": key.value})}
    absent = {row[0] for row in await conn.fetch_all(_ABSENT)}
    found = []
    for car in cars:
        car_id = int(str(car["id"]))
        found.append(
            Stored(
                id=car_id,
                values={name: car[name] for name in COLUMNS},
                photos=tuple(photos[car_id]),
                key=keys.get(car_id),
                absent=car_id in absent,
            )
        )
    return found


async def with_visits(conn: Connection, plan: Plan) -> Plan:
    """The plan with a word about each car that leaves the sale and has appointments."""
    ids = [entry.car_id for entry in plan.entries if entry.leaves_sale]
    if not ids:
        return plan
    visits = {row[0]: row[1] for row in await conn.fetch_all(_VISITS, {"ids": ids})}
    text = (
        "há {} visita(s) marcada(s) para este carro: "
        "Lucas avisa o comprador no lembrete; fale com ele antes"
    )
    return replace(
        plan,
        entries=tuple(
            replace(entry, reasons=(*entry.reasons, text.format(visits[entry.car_id])))
            if entry.leaves_sale and entry.car_id in visits
            else entry
            for entry in plan.entries
        ),
    )


async def write(conn: Connection, plan: Plan) -> None:
    """Carries the plan out; nothing of it stays unless the caller commits."""
    ids = await _add(conn, [entry for entry in plan.entries if entry.action is Action.ADD])
    await _change(conn, [entry for entry in plan.entries if entry.action is Action.CHANGE])
    photos: dict[int, tuple[str, ...]] = {}
    keys: list[tuple[str, str, int]] = []
    for entry in plan.entries:
        car_id = ids.get(id(entry), entry.car_id)
        if car_id is None or entry.car is None:
            continue
        if entry.key is not None and plan.key in (Key.CODE, Key.CHASSIS):
            keys.append((plan.key.value, entry.key, car_id))
        changed = entry.action is Action.ADD or any(c.field == "images" for c in entry.changes)
        if changed and entry.car.images is not None:
            photos[car_id] = entry.car.images
    await conn.execute_many(_ADD_KEYS, keys)
    await _write_photos(conn, photos)
    sold = [entry.car_id for entry in plan.entries if entry.action is Action.SELL]
    if sold:
        await conn.execute(_SELL, {"ids": sold})
        await conn.execute_many(_NOTE_ABSENT, [(car_id,) for car_id in sold])
    if plan.back:
        await conn.execute(_FORGET_ABSENT, {"ids": sorted(plan.back)})


async def _add(conn: Connection, entries: Sequence[Entry]) -> dict[int, int]:
    """New cars; their ids by the identity of their entries.

    InnoDB gives the rows of one INSERT whose ids are all left to it ids in a row, in every
    innodb_autoinc_lock_mode, `auto_increment_increment` apart. So rows with ids of their own go
    into statements of their own.
    """
    found: dict[int, int] = {}
    given = [entry for entry in entries if entry.car and entry.car.id is not None]
    left = [entry for entry in entries if entry.car and entry.car.id is None]
    step = (await conn.fetch_all(_STEP))[0][0] if left else 1
    for chunk in (*_chunks(given), *_chunks(left)):
        rows = [(e.car.id if e.car else None, *_new_values(e)) for e in chunk]
        marks = ", ".join([f"({_ROW})"] * len(rows))
        await conn.execute(_INSERT + marks, [value for row in rows for value in row])
        for place, (entry, row) in enumerate(zip(chunk, rows, strict=True)):
            found[id(entry)] = conn.last_id + place * step if row[0] is None else int(str(row[0]))
    return found


def _new_values(entry: Entry) -> tuple[object, ...]:
    values = {name: getattr(entry.car, name) for name in COLUMNS}
    return tuple((values | {"status": values["status"] or "available"}).values())


async def _change(conn: Connection, entries: Sequence[Entry]) -> None:
    """All columns as they will be: the rows are held, so nobody has changed them since."""
    moved = [entry for entry in entries if any(c.field != "images" for c in entry.changes)]
    for chunk in _chunks(moved):
        rows = " UNION ALL SELECT ".join([_FIRST_ROW, *[_ROW] * (len(chunk) - 1)])
        values = [value for entry in chunk for value in (entry.car_id, *_changed_values(entry))]
        await conn.execute(_UPDATE.replace("{rows}", rows), values)


def _changed_values(entry: Entry) -> tuple[object, ...]:
    new = {change.field: change.new for change in entry.changes}
    return tuple(new.get(name, entry.stored[name]) for name in COLUMNS)


def _chunks(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    return [entries[start : start + _AT_ONCE] for start in range(0, len(entries), _AT_ONCE)]


async def _write_photos(conn: Connection, photos: dict[int, tuple[str, ...]]) -> None:
    """In place of those that were there; the first one is the main one."""
    if photos:
        await conn.execute(_DROP_PHOTOS, {"ids": list(photos)})
    rows = [
        (car_id, url, place, place == 0)
        for car_id, urls in photos.items()
        for place, url in enumerate(urls)
    ]
    await conn.execute_many(_ADD_PHOTOS, rows)


async def note_run(conn: Connection, outcome: Outcome, *, digest: str) -> None:
    """One line in the log of imports; a refused one counts what would have been."""
    counts = {action.value: outcome.plan.count(action) if outcome.plan else 0 for action in Action}
    await conn.execute(
        _LOG,
        {
            "origin": outcome.origin[:255],
            "digest": digest,
            "result": "recusado" if outcome.why_not else "importado",
            "why": outcome.why_not[:1000] if outcome.why_not else None,
            **counts,
        },
    )


async def runs(conn: Connection, limit: int) -> Sequence[dict[str, object]]:
    """The last imports, newest first."""
    return await conn.fetch_dicts(_RUNS, {"limit": limit})
