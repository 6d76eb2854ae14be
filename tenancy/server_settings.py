"""Judges the settings of a database server. Used by `helix host setup` and `helix doctor`.

Names and meanings: MariaDB's "Server System Variables". What a session pins by itself when it is
opened (`tenancy.opening`) is not asked of the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tenancy.lease import Connection
from tenancy.settings import TenancySettings

NAMES = (
    "version", "max_connections", "innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin",
    "sql_mode", "character_set_server", "max_statement_time", "wait_timeout", "skip_name_resolve",
    "local_infile", "max_allowed_packet", "table_open_cache", "table_definition_cache",
    "innodb_file_per_table", "innodb_buffer_pool_size",
)  # fmt: skip
_VARIABLES = "SHOW GLOBAL VARIABLES WHERE Variable_name IN %(names)s"
_ADMIN_PLACES = 20
"""Connections for people, migrations, backups and monitoring, beside those of the processes."""
_TABLES_PER_DEALER = 6
"""That one busy dealer has open; with less, the server closes and opens them all the time."""
_PACKET = 16 * 2**20
_LONG_STATEMENT_S = 300
_MARIADB, _MYSQL = (10, 6), (8, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A setting that is not as it should be."""

    name: str
    is_bad: bool
    """Data or isolation are in danger; otherwise it will hurt one day."""
    what: str
    why: str
    want: str
    """The line for the server's configuration file."""
    now: str | None = None
    """The value that may be set while it runs, without side effects on other programs."""


async def read_variables(conn: Connection) -> dict[str, str]:
    """Those that are judged; a server of another make lacks some."""
    rows = await conn.fetch_all(_VARIABLES, {"names": list(NAMES)})
    return {str(name).lower(): str(value) for name, value in rows}


def judge(
    found: Mapping[str, str],
    settings: TenancySettings,
    *,
    dealers: int = 0,
    workers: int = 1,
    remote: bool = True,
) -> list[Judged]:
    """`dealers`: databases there. `workers`: processes that may open connections to it."""
    judged = [*_version(found), *_durability(found), *_safety(found, remote=remote)]
    return [*judged, *_room(found, settings, dealers, workers)]


def is_old(version: str) -> bool:
    """Older than what the product is tested with."""
    number = re.match(r"(\d+)\.(\d+)", version)
    least = _MARIADB if "mariadb" in version.lower() else _MYSQL
    return number is None or (int(number[1]), int(number[2])) < least


def _version(found: Mapping[str, str]) -> list[Judged]:
    version = found.get("version", "")
    if not is_old(version):
        return []
    return [
        Judged(
            name="version",
            is_bad=True,
            what=f"version {version or 'unknown'}",
            why="older than MariaDB 10.6 or MySQL 8.0: out of support, and not tested with",
            want="# install MariaDB 10.11 or newer",
        )
    ]


def _durability(found: Mapping[str, str]) -> list[Judged]:
    judged = []
    if found.get("innodb_flush_log_at_trx_commit", "1") != "1":
        judged.append(
            Judged(
                name="innodb_flush_log_at_trx_commit",
                is_bad=True,
                what=f"innodb_flush_log_at_trx_commit={found['innodb_flush_log_at_trx_commit']}",
                why="an event leaves Redis once the commit is answered: a power cut would lose it",
                want="innodb_flush_log_at_trx_commit=1",
                now="1",
            )
        )
    if not _is_on(found.get("log_bin", "ON")):
        judged.append(
            Judged(
                name="log_bin",
                is_bad=False,
                what="no binary log",
                why="after a loss only the last dump can be restored, not the hours since",
                want="log_bin=ON",
            )
        )
    elif found.get("sync_binlog", "1") != "1":
        judged.append(
            Judged(
                name="sync_binlog",
                is_bad=False,
                what=f"sync_binlog={found['sync_binlog']}",
                why="after a power cut the binary log may lack commits that the tables have",
                want="sync_binlog=1",
                now="1",
            )
        )
    return judged


def _safety(found: Mapping[str, str], *, remote: bool) -> list[Judged]:
    judged = []
    if _is_on(found.get("local_infile", "OFF")):
        judged.append(
            Judged(
                name="local_infile",
                is_bad=False,
                what="local_infile is on",
                why="a server that was taken over may ask its clients for their files",
                want="local_infile=OFF",
                now="OFF",
            )
        )
    if remote and not _is_on(found.get("skip_name_resolve", "ON")):
        judged.append(
            Judged(
                name="skip_name_resolve",
                is_bad=False,
                what="names of clients are looked up",
                why="a slow name server makes every new connection slow, a false one names it",
                want="skip_name_resolve=ON",
            )
        )
    modes = found.get("sql_mode", "STRICT_TRANS_TABLES")
    if "STRICT_TRANS_TABLES" not in modes and "STRICT_ALL_TABLES" not in modes:
        judged.append(
            Judged(
                name="sql_mode",
                is_bad=False,
                what="sql_mode is not strict",
                why="our sessions are strict by themselves; other programs store cut-off values",
                want="sql_mode=STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
            )
        )
    return [*judged, *_storing(found)]


def _storing(found: Mapping[str, str]) -> list[Judged]:
    judged = []
    if found.get("character_set_server", "utf8mb4") != "utf8mb4":
        judged.append(
            Judged(
                name="character_set_server",
                is_bad=False,
                what=f"character_set_server={found['character_set_server']}",
                why="tables that others create cannot hold what buyers write (emoji)",
                want="character_set_server=utf8mb4",
            )
        )
    if not _is_on(found.get("innodb_file_per_table", "ON")):
        judged.append(
            Judged(
                name="innodb_file_per_table",
                is_bad=False,
                what="all tables share one file",
                why="a dealer who is deleted or moved gives no room back",
                want="innodb_file_per_table=ON",
            )
        )
    return judged


def _room(
    found: Mapping[str, str], settings: TenancySettings, dealers: int, workers: int
) -> list[Judged]:
    judged = []
    places = max(1, workers) * settings.tenancy_max_per_host + _ADMIN_PLACES
    if (most := _number(found, "max_connections", places)) < places:
        judged.append(
            Judged(
                name="max_connections",
                is_bad=False,
                what=f"max_connections={most}, and {max(1, workers)} workers may open "
                f"{places - _ADMIN_PLACES}",
                why=f"with {_ADMIN_PLACES} for people and backups {places} are needed; a full "
                "server refuses dealers (error 1040)",
                want=f"max_connections={places}  # or a lower TENANCY_MAX_PER_HOST",
            )
        )
    judged += [
        Judged(
            name=name,
            is_bad=False,
            what=f"{name}={found[name]} for {dealers} dealers",
            why="the server closes one dealer's tables to open another's",
            want=f"{name}={_TABLES_PER_DEALER * dealers}",
        )
        for name in ("table_open_cache", "table_definition_cache")
        if _number(found, name, 10**9) < _TABLES_PER_DEALER * dealers
    ]
    return [*judged, *_limits(found, settings)]


def _limits(found: Mapping[str, str], settings: TenancySettings) -> list[Judged]:
    judged = []
    limit_s = float(found.get("max_statement_time", "0") or 0)
    if 0 < limit_s < _LONG_STATEMENT_S:
        judged.append(
            Judged(
                name="max_statement_time",
                is_bad=False,
                what=f"max_statement_time={limit_s:g}",
                why="backups run under it and break off; our own sessions set their own limit",
                want="max_statement_time=0",
            )
        )
    idle_s = 2 * settings.tenancy_idle_s
    if (most := _number(found, "wait_timeout", 28_800)) < idle_s:
        judged.append(
            Judged(
                name="wait_timeout",
                is_bad=False,
                what=f"wait_timeout={most}",
                why=f"connections rest up to TENANCY_IDLE_S={settings.tenancy_idle_s:g} s",
                want=f"wait_timeout={idle_s:.0f}",
            )
        )
    if (most := _number(found, "max_allowed_packet", _PACKET)) < _PACKET:
        judged.append(
            Judged(
                name="max_allowed_packet",
                is_bad=False,
                what=f"max_allowed_packet={most}",
                why="a full batch of messages is one statement of several MB",
                want=f"max_allowed_packet={_PACKET}",
            )
        )
    return judged


def _is_on(value: str) -> bool:
    return value.upper() in ("ON", "1", "YES")


def _number(found: Mapping[str, str], name: str, default: int) -> int:
    return int(float(found.get(name, default)))
