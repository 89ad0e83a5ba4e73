"""Log lines about what the journal recorded: each message or text names the request that brought it."""

from collections.abc import Mapping

from gateway.journal import Recorded
from gateway.observability.lines import note

#: The event of each status of an agent's text.
_STATUSES: Mapping[str, str] = {
    "sent": "text_sent",
    "delivered": "text_delivered",
    "read": "text_read",
    "failed": "text_failed",
}


def log_recorded(recorded: Recorded) -> None:
    """Write a line for each message that a transaction recorded, and each text whose status it changed."""
    for one in recorded.messages:
        note(
            "message_repeated" if one.is_repeat else "message_recorded",
            {
                "request_id": one.request_id,
                "connector": one.connector,
                "conversation": one.conversation,
                "message": one.message,
                "attachments": one.attachments,
            },
        )
    for text in recorded.texts:
        note(_STATUSES[text.status], {**text._asdict()})
