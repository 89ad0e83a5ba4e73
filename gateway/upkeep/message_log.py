"""Log lines about what the journal recorded: each message names the request that brought it."""

from gateway.journal import Recorded
from gateway.observability.lines import note


def log_recorded(recorded: Recorded) -> None:
    """Write a line for each message that a transaction recorded or recognised as a repeat."""
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
