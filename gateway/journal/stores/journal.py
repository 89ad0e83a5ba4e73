"""StoredJournal: everything of the journal that is the same in every engine."""

from gateway.journal.interface import Journal

from .agent_texts import AgentTextStore
from .attachments import AttachmentStore
from .conversations import ConversationStore
from .failures import FailureStore
from .outbox import OutboxStore
from .people import PeopleStore
from .reports import ReportStore
from .retention import RetentionStore
from .shards import ShardStore


class StoredJournal(
    AttachmentStore,
    OutboxStore,
    ShardStore,
    AgentTextStore,
    ConversationStore,
    ReportStore,
    FailureStore,
    RetentionStore,
    PeopleStore,
    Journal,
):
    """An engine adds the intake, the transactions, and what only its database needs."""
