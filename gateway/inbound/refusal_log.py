"""Refused requests: each one is counted, and at most one log line a second for each connector says how many."""

import asyncio
from dataclasses import dataclass
from typing import Literal

import structlog

from gateway.observability.metrics import DELIVERIES, REFUSALS
from gateway.observability.request_ids import current_client, current_id

log = structlog.get_logger(__name__)

Reason = Literal[
    "no_proof",
    "unproven",
    "too_large",
    "too_slow",
    "incomplete",
    "no_room",
    "failed",
    "unavailable",
]
#: The outcome of `airlock_deliveries_total` for each reason of `airlock_refusals_total`.
_OUTCOMES: dict[Reason, str] = {
    "no_proof": "unproven",
    "unproven": "unproven",
    "too_large": "too_large",
    "too_slow": "incomplete",
    "incomplete": "incomplete",
    "no_room": "unavailable",
    "failed": "unavailable",
    "unavailable": "unavailable",
}
_SECONDS = 1.0


@dataclass(slots=True)
class _Silence:
    """The second after a log line, and what it holds back."""

    refused: int = 0
    reason: str = ""
    taken: bool = False
    error: Exception | None = None
    request_id: str = ""
    client: str | None = None


class RefusalLog:
    """Counts refused requests, and logs them."""

    def __init__(self) -> None:
        self._silences: dict[str, _Silence] = {}

    def note(
        self, connector: str, reason: Reason, words: str, error: Exception | None = None
    ) -> None:
        """A request was refused for `reason`; `words` and `error` are logged."""
        DELIVERIES.labels(connector, _OUTCOMES[reason]).inc()
        REFUSALS.labels(connector, reason).inc()
        self._write(connector, words, error=error)

    def note_taken(self, connector: str, words: str) -> None:
        """A request was not proved, and is taken because of `signature: report`."""
        DELIVERIES.labels(connector, "unproven_taken").inc()
        self._write(connector, words, taken=True)

    def note_failed_handshake(self, connector: str, error: Exception) -> None:
        """A connector raised `error` when it was asked for the answer to a handshake."""
        self._write(connector, "handshake failed unexpectedly", error=error)

    def _write(
        self, connector: str, words: str, *, taken: bool = False, error: Exception | None = None
    ) -> None:
        silence = self._silences.get(connector)
        if silence is None:
            held = _Silence(1, words, taken, error, current_id(), current_client())
            _log(connector, held)
            self._be_silent(connector)
        else:
            silence.refused += 1
            silence.reason, silence.taken, silence.error = words, taken, error
            silence.request_id, silence.client = current_id(), current_client()

    def _be_silent(self, connector: str) -> None:
        self._silences[connector] = _Silence()
        asyncio.get_running_loop().call_later(_SECONDS, self._end_silence, connector)

    def _end_silence(self, connector: str) -> None:
        held_back = self._silences.pop(connector)
        # This runs in the context of the request that began the silence, which is not the one that is logged.
        structlog.contextvars.clear_contextvars()
        if held_back.refused:
            _log(connector, held_back)
            self._be_silent(connector)


def _log(connector: str, held: _Silence) -> None:
    log.warning(
        "delivery_unproven",
        request_id=held.request_id,
        connector=connector,
        client=held.client,
        reason=held.reason,
        taken=held.taken,
        refused=held.refused,
        exc_info=held.error,
    )
