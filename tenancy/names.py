"""Checks and quotes the names of databases and users that we create. Used by `tenancy.provision`.

A name goes into a statement only through here: MariaDB takes no parameters in DDL and GRANT.
"""

from __future__ import annotations

import re

_OURS = re.compile(r"[a-z][a-z0-9_]{0,47}")
_RESERVED = ("mysql", "sys", "information_schema", "performance_schema")


def checked(name: str) -> str:
    """The name itself, if we may create a database or user of this name. Raises ValueError.

    `test*` is refused since a default MariaDB opens such databases to every user.
    """
    if not _OURS.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a database: a to z, 0 to 9 and _, a letter first, 48 at most"
        )
    if name.startswith("test") or name in _RESERVED:
        raise ValueError(f"{name!r} is reserved by the database server")
    return name


def quoted(name: str) -> str:
    """The name as an identifier of a statement."""
    if not name or "\0" in name:
        raise ValueError("an empty name or one with a NUL is no identifier")
    return "`" + name.replace("`", "``") + "`"


def grant_pattern(database: str) -> str:
    r"""The database as GRANT reads it, where `_` and `%` are wildcards.

    Unescaped, rights on `empresa_1_db` would also open `empresaX1Xdb`.
    """
    return quoted(re.sub(r"([\\_%])", r"\\\1", database))


def database_of(empresa_id: int) -> str:
    """The default name of an empresa's database."""
    return checked(f"empresa_{empresa_id}_db")


def user_of(empresa_id: int) -> str:
    """The default name of an empresa's database user (MySQL takes 32 characters at most)."""
    return checked(f"e{empresa_id}_app")
