"""Loads the Lua scripts; each is called through one typed method elsewhere in this room."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Protocol

from redis.asyncio import Redis

_LUA = files("worker") / "lua"
_PRELUDE = (_LUA / "ring.lua").read_text() + (_LUA / "holder.lua").read_text()
# What works an inbox off makes room, so it may write some bytes when Redis has none left.
_ALSO_WHEN_FULL, _NOT_WHEN_FULL = "#!lua flags=allow-oom", "#!lua"
_BRINGS_MORE = frozenset({"replay_event"})


class Script(Protocol):
    """What `redis.register_script` returns: EVALSHA, and EVAL when Redis forgot it."""

    async def __call__(
        self, keys: list[str], args: list[str | bytes | int], client: Any = None
    ) -> Any: ...


def load(redis: Redis, name: str) -> Script:
    """The script `worker/lua/<name>.lua`, with those of `ring.lua` and `holder.lua` before it."""
    head = _NOT_WHEN_FULL if name in _BRINGS_MORE else _ALSO_WHEN_FULL
    script: Script = redis.register_script(
        f"{head}\n{_PRELUDE}{(_LUA / f'{name}.lua').read_text()}"
    )
    return script
