"""Sets up logging: JSON lines by default, readable lines on a terminal.

Log records of libraries (Python's `logging`) and crashes pass through the same processors, so that secrets in
them are masked too.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from .redaction import Mask

#: Keys whose values may have several lines; in other values a line break would forge a second log line.
_MULTILINE_KEYS = frozenset({"exception", "stack"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_OR_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def configure(
    secrets: Iterable[str] = (), *, stream: TextIO | None = None, level: int = logging.INFO
) -> None:
    """Set up logging for this process and mask the `secrets` of the settings. Libraries log from WARNING."""
    out = stream or sys.stderr
    processors = _processors(Mask(secrets))
    render = _renderer(out)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *processors, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _configure_libraries(out, processors, render)
    sys.excepthook = _log_crash


def _processors(mask: Mask) -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]


def _renderer(out: TextIO) -> list[Processor]:
    if not out.isatty():
        return [_order_keys, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(
        colors="NO_COLOR" not in os.environ,
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [_escape_controls, console]


def _order_keys(_logger: Any, _method: str, event: EventDict) -> EventDict:
    first = {key: event[key] for key in ("time", "level", "event") if key in event}
    return {**first, **event}


def _escape_controls(_logger: Any, _method: str, event: EventDict) -> EventDict:
    # Text from outside must not control the terminal.
    return {key: _escape(key, value) for key, value in event.items()}


def _escape(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    unwanted = _CONTROL if key in _MULTILINE_KEYS else _CONTROL_OR_BREAK
    return unwanted.sub(lambda found: f"\\x{ord(found[0]):02x}", value)


def _configure_libraries(out: TextIO, processors: list[Processor], render: list[Processor]) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            _add_logger_name,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *processors,
            *render,
        ],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def _add_logger_name(_logger: Any, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    return {**event, "logger": record.name, "level": record.levelname.lower()}


def _log_crash(
    kind: type[BaseException], exc: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().critical("crashed", exc_info=(kind, exc, traceback))
