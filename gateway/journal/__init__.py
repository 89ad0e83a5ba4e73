"""The journal: what was accepted, what it became, and what the core has yet to take.

Every state change and the event it causes are one transaction. `Journal` is the only door; what stands
behind it (a SQLite file today) is nobody else's business.
"""

from .errors import JournalUnavailable
from .records import AttachmentRow, Batch, Entry, Job, NewAttachment, Outcome, Reading, Recorded
from .sqlite.journal import Journal

__all__ = [
    "AttachmentRow",
    "Batch",
    "Entry",
    "Job",
    "Journal",
    "JournalUnavailable",
    "NewAttachment",
    "Outcome",
    "Reading",
    "Recorded",
]
