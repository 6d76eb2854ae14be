"""Sets up logging for a process: one JSON line per event on stderr, phone numbers masked.

Called once by each process. Loggers of libraries go the same way.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

_PHONE = re.compile(r"(?<![\w.-])\+?(\d{2,4})\d{5,9}(\d{2})(?=\D|$)(?![\w-])")
_NOT_PHONES = frozenset({"event", "level", "timestamp", "logger", "message_id", "epoch"})

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
        mask_phones,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
        )
        if pretty
        else structlog.processors.JSONRenderer(serializer=_dumps)
    )
    structlog.configure(
        processors=[
            *shared,
            *([] if pretty else [_TRACEBACKS]),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
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
    """Replaces the middle of whatever looks like a phone number in a line's texts."""
    for key, value in event.items():
        if isinstance(value, str) and key not in _NOT_PHONES:
            event[key] = mask(value)
    if isinstance(event.get("event"), str):
        event["event"] = mask(event["event"])
    return event


def mask(text: str) -> str:
    """`5511987654321` becomes `5511*******21`: enough to tell two apart, too little to call."""
    return _PHONE.sub(lambda found: f"{found[1]}*******{found[2]}", text)


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()
