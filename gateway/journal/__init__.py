"""The journal: the durable record of deliveries, conversations, messages, attachments and the outbox.

Every change of state and the event that announces it are one transaction. `interface` states the promises; only
`service` knows the engine behind it (`sqlite`).
"""

from .errors import JournalUnavailable
from .folder_sync import sync_folder
from .interface import Journal, NameJournal
from .records import (
    NO_CAUSE,
    Accepted,
    AgentText,
    AttachmentRow,
    Batch,
    Cause,
    FailedDelivery,
    IntakeRow,
    Job,
    NewAttachment,
    OutboxEntry,
    Outcome,
    Part,
    Reading,
    Recipient,
    Recorded,
    Situation,
    Unnamed,
    Unreadable,
)

__all__ = [
    "NO_CAUSE",
    "Accepted",
    "AgentText",
    "AttachmentRow",
    "Batch",
    "Cause",
    "FailedDelivery",
    "IntakeRow",
    "Job",
    "Journal",
    "JournalUnavailable",
    "NameJournal",
    "NewAttachment",
    "OutboxEntry",
    "Outcome",
    "Part",
    "Reading",
    "Recipient",
    "Recorded",
    "Situation",
    "Unnamed",
    "Unreadable",
    "sync_folder",
]
