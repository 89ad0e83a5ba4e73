"""Access log: a line for each request, without its query, which holds signatures and ids of persons."""

import time
from dataclasses import dataclass

import structlog
from aiohttp import web

from gateway.observability.request_ids import request_id

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Switch:
    """Whether the log is written. It changes while the gateway runs."""

    on: bool = False


_switch = _Switch()


def write_access(*, on: bool) -> None:
    """Write a line for each request from now on, or none."""
    _switch.on = on


def log_access(request: web.BaseRequest, response: web.StreamResponse, began: float) -> None:
    """Write the line of a request that was answered. `began` is when its head came (monotonic)."""
    if not _switch.on:
        return
    log.info(
        "request_answered",
        request_id=request_id(request),
        method=request.method,
        path=request.path[:200],
        status=response.status,
        bytes=response.body_length,
        milliseconds=round((time.monotonic() - began) * 1000, 1),
    )
