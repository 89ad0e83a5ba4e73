"""Envelope of events: CloudEvents 1.0 in structured mode (contract, section 3)."""

import orjson

from gateway.timestamps import rfc3339

from .event_types import ConversationData, Event, EventData, EventType
from .trace_context import CONTEXT

MEDIA_TYPE = "application/cloudevents+json"
#: Of several events in one body (CloudEvents, JSON batch format).
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"


def render(
    id: str,
    type: EventType,
    *,
    source: str,
    subject: str | None,
    time: int,
    data: EventData,
    request_id: str | None = None,
) -> bytes:
    """Return the body of an event. `time` is in milliseconds; `subject` is the conversation, if there is one.

    `request_id` names the delivery or the call that the event came with, in the CloudEvents extension `requestid`.
    """
    event: Event = {
        "specversion": "1.0",
        "id": id,
        "type": type,
        "source": source,
        "subject": subject or "",
        "time": rfc3339(time),
        "requestid": request_id or "",
        "datacontenttype": "application/json",
        "traceparent": CONTEXT.of_event(id, data) or "",
        "data": data,
    }
    if subject is None:
        del event["subject"]
    if not event["traceparent"]:
        del event["traceparent"]
    if not request_id:
        del event["requestid"]
    return orjson.dumps(event)


def about(
    id: str, type: EventType, time: int, data: ConversationData, request_id: str | None = None
) -> bytes:
    """Return the body of an event about the conversation in its data."""
    conversation = data["conversation"]
    return render(
        id,
        type,
        source=conversation["connector"],
        subject=conversation["id"],
        time=time,
        data=data,
        request_id=request_id,
    )
