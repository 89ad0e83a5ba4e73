"""The journal: what was accepted, what became of it, and what the core has yet to take.

Every change of state and the event it causes are one transaction. `interface` states the promises; the engines
behind it (`sqlite`) are known to `wiring` alone.
"""

from .errors import JournalUnavailable
from .folder_sync import sync_folder
from .interface import Journal
from .records import (
    Accepted,
    AgentText,
    AttachmentRow,
    Batch,
    FailedDelivery,
    IntakeRow,
    Job,
    NewAttachment,
    OutboxEntry,
    Outcome,
    Part,
    Reading,
    Recorded,
    Situation,
    Unreadable,
)

__all__ = [
    "Accepted",
    "AgentText",
    "AttachmentRow",
    "Batch",
    "FailedDelivery",
    "IntakeRow",
    "Job",
    "Journal",
    "JournalUnavailable",
    "NewAttachment",
    "OutboxEntry",
    "Outcome",
    "Part",
    "Reading",
    "Recorded",
    "Situation",
    "Unreadable",
    "sync_folder",
]
