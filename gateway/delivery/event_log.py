"""Log lines about events: each shares the ids of the delivery that the event came with."""

import re

import structlog

from gateway.observability.lines import note

from .answers import Answer

log = structlog.get_logger(__name__)

#: The head of an event as `envelope.render` writes it.
_HEAD = re.compile(
    rb'"type":"(?P<type>[a-z.]{1,40})","source":"(?P<connector>[^"\\]{1,200})"'
    rb'(?:,"subject":"(?P<conversation>[^"\\]{1,100})")?,"time":"[^"]{1,40}"'
    rb'(?:,"requestid":"(?P<request_id>[^"\\]{1,80})")?'
)
_HEAD_BYTES = 900
_MESSAGE = re.compile(rb'"message":\{"id":"(?P<message>msg_[A-Za-z0-9_-]{1,80})"')


def log_taken(event_id: str, body: bytes) -> None:
    """The core has taken an event."""
    note("event_taken", {"event_id": event_id, **_ids(body)})


def log_refused(event_id: str, body: bytes, answer: Answer, attempt: int, pause: float) -> None:
    """The core has not taken an event; it is sent again after `pause` seconds."""
    log.warning(
        "event_not_taken",
        event_id=event_id,
        **_ids(body),
        status=answer.status,
        error=answer.error,
        attempt=attempt,
        retry_in=round(pause, 2),
    )


def _ids(body: bytes) -> dict[str, str]:
    head = _HEAD.search(body, 0, _HEAD_BYTES)
    # The message follows the conversation, whose consumer may have long names.
    message = _MESSAGE.search(body, 0, 4 * _HEAD_BYTES)
    found = {**(head.groupdict() if head else {}), **(message.groupdict() if message else {})}
    return {name: value.decode() for name, value in found.items() if value}
