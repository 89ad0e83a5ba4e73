"""The log of a test, as the lines that an operator would read."""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from gateway.observability import lines
from gateway.observability.logs import configure

Lines = Callable[[], list[dict[str, Any]]]


@contextmanager
def logging_as_before() -> Iterator[None]:
    """Undo at the end what `configure` sets up for the whole process."""
    root = logging.getLogger()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        lines.direct_to(None, enabled=True)
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = handlers, level
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@contextmanager
def logged(**options: Any) -> Iterator[Lines]:
    """Yield what returns the lines that were logged so far. `options` are those of `configure`."""
    out = io.StringIO()
    with logging_as_before():
        configure(stream=out, **options)
        yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
