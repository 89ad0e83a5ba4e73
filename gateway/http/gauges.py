"""Gauges that are measured when `/metrics` is read, because they need a question to the journal or to the scanner."""

import asyncio
import platform
import shutil
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path

from prometheus_client import Gauge

from gateway.delivery.lanes import Lanes
from gateway.journal import Journal, JournalUnavailable
from gateway.observability.metrics import (
    BUILD,
    CORE,
    DISK,
    EVENTS_WAITING,
    OLDEST_EVENT,
    SCANNER,
)
from gateway.timestamps import now_ms
from normalizer.scanner import Scanner

from .health import check_scanner

#: Seconds that a scanner may take to answer: monitoring gives up after ten.
_SCANNER_SECONDS = 3.0

Refresh = Callable[[], Awaitable[None]]


def gauges(
    data: Path, journal: Journal, lanes: Lanes, scanner: Callable[[], Scanner | None]
) -> Refresh:
    """Return what updates the gauges before they are read."""
    DISK.set_function(lambda: shutil.disk_usage(data).free)
    EVENTS_WAITING.set_function(lambda: lanes.waiting)
    BUILD.labels(version("airlock-messaging"), platform.python_version()).set(1)

    async def refresh() -> None:
        _show(CORE, lanes.core_state, ("ok", "down", "gone"))
        _show(SCANNER, await _scanner_state(scanner()), ("ok", "unavailable", "none"))
        try:
            oldest = await journal.oldest_event_at()
        except JournalUnavailable:
            return  # `/readyz` says so; the age stays as it was
        OLDEST_EVENT.set(0 if oldest is None else max(0, now_ms() - oldest) / 1000)

    return refresh


def _show(gauge: Gauge, current: str, states: tuple[str, ...]) -> None:
    for state in states:
        gauge.labels(state).set(state == current)


async def _scanner_state(scanner: Scanner | None) -> str:
    if scanner is None:
        return "none"
    try:
        async with asyncio.timeout(_SCANNER_SECONDS):
            check = await check_scanner(scanner)
    except TimeoutError:
        return "unavailable"
    return "ok" if check.state == "ok" else "unavailable"
