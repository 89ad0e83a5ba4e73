"""Spans of events on their way to the core, made of what an event says about itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from gateway.events.trace_context import span_of, subject_of, trace_of
from gateway.observability.spans import AddSpan, Span
from gateway.timestamps import now_ms, to_ms

from .answers import Answer


class EventSpans:
    """Adds a span for each POST, and that of the whole message once the core has it."""

    def __init__(self, add: AddSpan) -> None:
        self._add = add

    def posted(self, bodies: Sequence[bytes], start: int, answer: Answer) -> None:
        """One request with these events was made at `start` (ms) and answered just now."""
        end = now_ms()
        taken = len(bodies) if answer.verdict == "taken" else answer.first
        for number, body in enumerate(bodies):
            self._posted(orjson.loads(body), start, end, answer, is_taken=number < taken)

    def _posted(
        self, event: dict[str, Any], start: int, end: int, answer: Answer, *, is_taken: bool
    ) -> None:
        subject = subject_of(event["id"], event["data"])
        trace = trace_of(subject)
        about: dict[str, str | int] = {
            "airlock.connector": event["source"],
            "airlock.event": event["id"],
        }
        if answer.status is not None:
            about["http.response.status_code"] = answer.status
        self._add(
            Span(
                f"POST {event['type']}",
                trace,
                start,
                end,
                # Only one attempt is what the event's traceparent names.
                id=span_of(event["id"]) if is_taken else "",
                parent=span_of(subject) if subject != event["id"] else "",
                is_call=True,
                error="" if is_taken else answer.error or answer.verdict,
                attributes=about,
            )
        )
        if is_taken and event["type"] == "message.received":
            self._add(_whole(event, trace, subject, end))


def _whole(event: dict[str, Any], trace: str, subject: str, end: int) -> Span:
    received = to_ms(datetime.fromisoformat(event["data"]["message"]["received_at"]))
    about = {"airlock.connector": event["source"], "airlock.message": subject}
    return Span("message", trace, received, end, id=span_of(subject), attributes=about)
