"""Sets up logging for a process: one JSON line per event on stderr, phone numbers masked.

Called once by each process. Loggers of libraries go the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, BinaryIO

import orjson
import structlog

# Ten to fifteen digits, with the blanks, dashes and brackets that people write into them.
_PHONE = re.compile(r"(?<![\w.-])\+?(\d{2})(?:[ ()-]{0,2}\d){6,11}[ -]?(\d{2})(?![\w-]|\.\d)")
_NOT_PHONES = frozenset({"level", "timestamp", "logger", "_record", "_from_structlog"})

# Without the values of local variables: they hold what buyers wrote, numbers and secrets.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure_logging(*, level: str = "INFO", pretty: bool | None = None) -> None:
    """`pretty`: coloured lines for a person; None: when stderr is a terminal."""
    if pretty is None:
        pretty = sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
        )
        if pretty
        else structlog.processors.JSONRenderer(serializer=_dumps)
    )
    ours: list[structlog.typing.Processor] = [
        *shared,
        *([] if pretty else [_TRACEBACKS]),
        mask_phones,
    ]
    lines = _Lines(sys.stderr.buffer)
    structlog.configure(
        processors=[*ours, renderer, _encoded],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=ours,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("arq").setLevel(
        logging.WARNING
    )  # a line per job says nothing that ours do not


def mask_phones(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replaces the middle of whatever looks like a phone number, however deep it lies."""
    for key, value in event.items():
        if key not in _NOT_PHONES:
            event[key] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value


def mask(text: str) -> str:
    """`5511987654321` becomes `55*******21`: enough to tell two apart, too little to call."""
    return _PHONE.sub(lambda found: f"{found[1]}*******{found[2]}", text)


def short_id(message_id: str | None) -> str | None:
    """The end of a gateway's id: it finds the row. The beginning may hold the buyer's number."""
    return None if message_id is None else message_id[-16:]


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def _encoded(_logger: Any, _method: str, line: Any) -> bytes:
    return str(line).encode(errors="backslashreplace") + b"\n"


class _Lines:
    """Where our own lines end: the way through `logging` would cost as much again for each."""

    def __init__(self, to: BinaryIO) -> None:
        self._to = to

    def write(self, line: bytes) -> None:
        """As `logging` has it: work goes on when nobody takes the log."""
        with suppress(OSError, ValueError):
            self._to.write(line)
            self._to.flush()

    debug = info = warning = error = critical = write
