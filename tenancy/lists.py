"""Puts lists into SQL as lists of placeholders, for IN. Called by `tenancy.session`.

The driver takes single values only: what is sent is never text that was put together from values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Scalars = dict[str, object]


def expand(sql: str, params: Mapping[str, object]) -> tuple[str, Scalars]:
    """`WHERE id IN %(ids)s` with a list becomes `IN (%(ids_0)s, %(ids_1)s)`; rows of a list too.

    Raises ValueError for an empty list: there is no such SQL, the caller must not ask.
    """
    plain: Scalars = {}
    for name, value in params.items():
        if not isinstance(value, list | tuple):
            plain[name] = value
            continue
        sql = sql.replace(f"%({name})s", _placeholders(name, value, plain))
    return sql, plain


def _placeholders(name: str, values: Sequence[object], plain: Scalars) -> str:
    if not values:
        raise ValueError(f"the list {name} is empty")
    marks = []
    for place, value in enumerate(values):
        key = f"{name}_{place}"
        if isinstance(value, list | tuple):
            marks.append(_placeholders(key, value, plain))
        else:
            plain[key] = value
            marks.append(f"%({key})s")
    return "(" + ", ".join(marks) + ")"
