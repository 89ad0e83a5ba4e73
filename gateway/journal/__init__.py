"""The journal: the durable record of deliveries, conversations, messages, attachments and the outbox.

Every change of state and the event that announces it are one transaction. `interface` states the promises;
`opening` knows the engines behind it (`sqlite` and `postgresql`).
"""

from .errors import JournalUnavailable, JournalUnusable
from .folder_sync import sync_folder
from .interface import Journal, NameJournal, ReportJournal
from .moving import move_to_database, move_to_folder
from .opening import examine_database, nodes_of, open_journal
from .operations.shards import ALL_SHARDS, SHARDS, Shards
from .ownership import (
    Ownership,
    ShardJournal,
    ShardWorker,
    SoleOwner,
    shard_of,
    shard_of_connector,
    shard_of_message,
)
from .private_files import (
    FOLDER_MODE,
    exposure,
    keep_new_files_private,
    private_folder,
    private_opener,
)
from .records import (
    NO_CAUSE,
    TOKEN,
    Accepted,
    AgentText,
    AttachmentRow,
    Batch,
    Cause,
    FailedDelivery,
    Informed,
    IntakeRow,
    Job,
    NewAttachment,
    Node,
    OutboxEntry,
    Outcome,
    Part,
    Reading,
    Recipient,
    Recorded,
    Report,
    ReportKind,
    Situation,
    Unnamed,
    Unreadable,
)
from .sqlite.backup import Damaged, copy_database

__all__ = [
    "ALL_SHARDS",
    "FOLDER_MODE",
    "NO_CAUSE",
    "SHARDS",
    "TOKEN",
    "Accepted",
    "AgentText",
    "AttachmentRow",
    "Batch",
    "Cause",
    "Damaged",
    "FailedDelivery",
    "Informed",
    "IntakeRow",
    "Job",
    "Journal",
    "JournalUnavailable",
    "JournalUnusable",
    "NameJournal",
    "NewAttachment",
    "Node",
    "OutboxEntry",
    "Outcome",
    "Ownership",
    "Part",
    "Reading",
    "Recipient",
    "Recorded",
    "Report",
    "ReportJournal",
    "ReportKind",
    "ShardJournal",
    "ShardWorker",
    "Shards",
    "Situation",
    "SoleOwner",
    "Unnamed",
    "Unreadable",
    "copy_database",
    "examine_database",
    "exposure",
    "keep_new_files_private",
    "move_to_database",
    "move_to_folder",
    "nodes_of",
    "open_journal",
    "private_folder",
    "private_opener",
    "shard_of",
    "shard_of_connector",
    "shard_of_message",
    "sync_folder",
]
