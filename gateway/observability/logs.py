"""Sets up logging: JSON lines by default, readable lines on a terminal.

Log records of libraries (Python's `logging`) and crashes pass through the same processors, so that secrets in
them are masked too. Of errors, places are logged and no words, because words may quote what a stranger sent.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import Iterable
from traceback import format_exception
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

from . import lines, tracebacks
from .redaction import Mask

#: Keys whose values may have several lines; in other values a line break would forge a second log line.
_MULTILINE_KEYS = frozenset({"exception", "stack"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_OR_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

#: Libraries that read what strangers send, or write to them. Of their records only the fixed words are logged.
_NETWORK_LIBRARIES = frozenset(
    {"aiohttp", "asyncio", "h11", "httpcore", "httpx", "requests", "urllib3"}
)
#: Packages of ours that use Python's `logging`, because they also run alone. Their records begin with the event's name.
_OURS = frozenset({"normalizer", "workspace"})
_NAMED = re.compile(r"(?P<event>[a-z0-9_]+): (?P<detail>.*)", re.DOTALL)
#: Where a record that was formatted already begins to quote values, such as `Exception in callback f(b'…')`.
_QUOTATION = re.compile(r"[\n<({\[\"'].*", re.DOTALL)


Format = Literal["json", "console"]


def configure(
    secrets: Iterable[str] = (),
    *,
    stream: TextIO | None = None,
    node: str | None = None,
    level: int | str = logging.INFO,
    form: Format | None = None,
) -> None:
    """Set up logging for this process and mask the `secrets` of the settings. Libraries log from WARNING.

    `level` is a number or a name such as `info`. `form` is console on a terminal and JSON elsewhere, unless given.
    It may be called again with other settings. Every line names the `node`, where several share a journal.
    """
    out = stream or sys.stderr
    level = level if isinstance(level, int) else logging.getLevelNamesMapping()[level.upper()]
    form = form or ("console" if out.isatty() else "json")
    processors = [*([_named(node)] if node else []), *_processors(Mask(secrets))]
    render = _renderer(out, form)
    lines.direct_to(out if form == "json" else None, enabled=level <= logging.INFO, node=node)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *processors, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _configure_libraries(out, processors, render, level)
    sys.excepthook = _log_crash
    threading.excepthook = _log_thread_crash
    sys.unraisablehook = _log_unraisable


def _processors(mask: Mask) -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
        _describe_error,
        mask,
    ]


def _named(node: str) -> Processor:
    def name(_logger: Any, _method: str, event: EventDict) -> EventDict:
        return {**event, "node": node}

    return name


def _describe_error(_logger: Any, _method: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if not isinstance(error, BaseException):
        return event
    return {**event, "exception": tracebacks.describe(error)}


def _renderer(out: TextIO, form: Format) -> list[Processor]:
    if form == "json":
        return [_order_keys, structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(
        colors=out.isatty() and "NO_COLOR" not in os.environ,
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


def _configure_libraries(
    out: TextIO, processors: list[Processor], render: list[Processor], level: int
) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            _tell_origin,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *processors,
            *render,
        ],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    logging.captureWarnings(capture=True)


def _tell_origin(_logger: Any, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    own = {"logger": record.name, "level": record.levelname.lower()}
    package = record.name.partition(".")[0]
    if package in _NETWORK_LIBRARIES:
        own["event"] = _fixed_words(record)
    elif package in _OURS and (named := _NAMED.fullmatch(str(event["event"]))):
        own |= {"event": named["event"], "detail": named["detail"]}
    return {**event, **own}


def _fixed_words(record: logging.LogRecord) -> str:
    """Return a record's text without the values in it."""
    text = str(record.msg)
    return text if record.args else _QUOTATION.sub("…", text)


def _log_crash(
    kind: type[BaseException], exc: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    # The operator needs the words of the error that ended the process; the mask covers what looks like a secret.
    words = "".join(format_exception(kind, exc, traceback))
    structlog.get_logger().critical("crashed", exception=words.rstrip())


def _log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    name = crash.thread.name if crash.thread else None
    structlog.get_logger().critical("thread_crashed", thread=name, exc_info=crash.exc_value)


def _log_unraisable(ignored: "sys.UnraisableHookArgs") -> None:
    structlog.get_logger().error("error_ignored", exc_info=ignored.exc_value)
