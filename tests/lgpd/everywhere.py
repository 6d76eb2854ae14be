"""All bytes that an installation keeps, to be searched: both databases, Redis, files."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import orjson
from redis.asyncio import Redis

from tenancy.names import database_of
from tests.worker.shop import Shop


async def dump(shop: Shop, database: str) -> bytes:
    """One database as `mariadb-dump` writes it."""
    server = shop.installation.server
    program = shutil.which("mariadb-dump", path=f"{os.environ['PATH']}:{server.programs or ''}")
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program, "--no-defaults", f"--host={server.host}", f"--port={server.port}",
        f"--user={server.user}", "--skip-ssl", "--single-transaction", database,
        env={"MYSQL_PWD": server.password.get_secret_value(), "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err
    return out


async def all_of_redis(redis: Redis) -> bytes:
    """Names and values of all keys, of whatever type."""
    found: list[object] = []
    client: Any = redis
    read: dict[bytes, tuple[Any, ...]] = {
        b"string": (client.get,),
        b"hash": (client.hgetall,),
        b"list": (client.lrange, 0, -1),
        b"set": (client.smembers,),
        b"zset": (client.zrange, 0, -1),
        b"stream": (client.xrange,),
    }
    async for key in client.scan_iter():
        command, *args = read[await client.type(key)]
        found.append((key, await command(key, *args)))
    return repr(found).encode()


def all_files(folder: Path) -> bytes:
    """Names and contents."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"\n".join(str(path).encode() + path.read_bytes() for path in files)


async def everything(shop: Shop) -> dict[str, bytes]:
    """By place."""
    return {
        "tenant": await dump(shop, database_of(shop.empresa_id)),
        "central": await dump(shop, shop.installation.settings.db_name),
        "redis": await all_of_redis(shop.redis),
        "files": all_files(shop.files),
    }


def where(found: dict[str, bytes], *marks: str) -> set[tuple[str, str]]:
    """Which marks stand in which places."""
    return {
        (place, mark) for place, data in found.items() for mark in marks if mark.encode() in data
    }


def as_text(entries: list[Any]) -> str:
    """Log lines, as they would be written."""
    return orjson.dumps(entries, default=str).decode()
