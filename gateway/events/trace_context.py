"""Trace context of events (https://www.w3.org/TR/trace-context/): which trace and span an event belongs to.

Traces and spans are derived from the ids of messages and events. So nothing about them is stored, an event that is sent
again has its old ones, and a trace goes on after a restart.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

#: Bits of a trace's id that decide whether it is sampled, as OpenTelemetry's TraceIdRatioBased reads them.
_LOWER = 1 << 64


class TraceContext:
    """Whether events are traced, and which share of the traces."""

    def __init__(self) -> None:
        self.sample: float | None = None

    def of_event(self, id: str, data: Mapping[str, Any]) -> str | None:
        """Return the event's `traceparent`; None while tracing is off."""
        if self.sample is None:
            return None
        trace = trace_of(subject_of(id, data))
        flags = "01" if self.is_sampled(trace) else "00"
        return f"00-{trace}-{span_of(id)}-{flags}"

    def is_sampled(self, trace: str) -> bool:
        return self.sample is not None and int(trace, 16) % _LOWER < self.sample * _LOWER


#: The one of this process: events are rendered deep inside of the journal.
CONTEXT = TraceContext()


def subject_of(id: str, data: Mapping[str, Any]) -> str:
    """Return what an event's trace is about: its message, or the event itself."""
    message = data.get("message") or {}
    return str(message.get("id") or id)


def trace_of(subject: str) -> str:
    """Return a trace's id, 32 hexadecimal digits."""
    return hashlib.blake2b(f"trace {subject}".encode(), digest_size=16).hexdigest()


def span_of(id: str) -> str:
    """Return a span's id, 16 hexadecimal digits."""
    return hashlib.blake2b(f"span {id}".encode(), digest_size=8).hexdigest()
