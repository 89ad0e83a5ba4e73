"""Verification of deliveries: by their heads before a body is read, and in threads if a body is large.

Until a request is proved, its sender is a stranger, and what a stranger sends must not occupy the event loop: everybody
else waits for it.
"""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from connectors import Connector, Forbidden, Request, TooLarge, inflate

#: Bytes whose signature is computed at once: a tenth of a millisecond. A thread costs about as much.
IN_PLACE = 64 * 1024
#: Computing signatures releases the interpreter's lock. Two threads leave processors for the deliveries after proof.
_THREADS = 2
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Finding:
    """What verification found: why the request is not proved, if so, and whether it decompresses to too much.

    `error` is what a connector raised although it must not.
    """

    unproven: str | None = None
    is_too_large: bool = False
    error: Exception | None = None


class Verifier:
    """Verifies requests."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="verify")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def examine(self, connector: Connector[Any], request: Request) -> Finding:
        """Verify a complete request."""
        if is_light(request.body):
            return _examine(connector, request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _examine, connector, request)


def is_light(body: bytes) -> bool:
    """Whether a body is verified at once. A compressed one may become larger by three orders of magnitude."""
    return len(body) <= IN_PLACE and not body.startswith(_GZIP)


def head_finding(connector: Connector[Any], head: Request) -> str | None:
    """Return why a request cannot be proved, whatever its body is; None if it may be. `head` has an empty body."""
    for name, shape in _shapes(type(connector)).items():
        given = head.headers.get(name)
        if given is None:
            return f"the header {name} is missing"
        if not shape.fullmatch(given):
            return f"the header {name} does not have the form of a proof"
    if connector.covers == {"caller"}:
        return _examine(connector, head).unproven
    return None


@cache
def _shapes(connector: type[Connector[Any]]) -> Mapping[str, re.Pattern[str]]:
    return {name: re.compile(shape) for name, shape in connector.proof.items()}


def _examine(connector: Connector[Any], request: Request) -> Finding:
    try:
        connector.verify(request)
    except Forbidden as exc:
        return Finding(str(exc), _is_too_large(connector, request.body))
    except Exception as exc:  # noqa: BLE001 - a plugin may raise anything, and strangers may repeat it
        return Finding(error=exc)
    return Finding(None, _is_too_large(connector, request.body))


def _is_too_large(connector: Connector[Any], body: bytes) -> bool:
    if connector.body != "gzip-json":
        return False
    try:
        inflate(body, connector.max_body)
    except TooLarge:
        return True
    except ValueError:
        return False  # if verified but damaged: accepted, and reported to the core as unrecognised
    return False
