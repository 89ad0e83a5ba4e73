"""The outbox's keys in PostgreSQL: given out by the database, while the lane's conversation is locked."""

from gateway.journal.operations.outbox import Outbox
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import OutboxEntry

from .transaction import PostgresqlTransaction

#: The key of an entry until the end of its transaction.
_UNKNOWN = -1


class DatabaseOutbox(Outbox):
    """Puts events into lanes."""

    def put(
        self,
        connection: Transaction,
        lane: int,
        event_id: str,
        *,
        message: int | None = None,
        hold_until: int | None = None,
        body: bytes | None = None,
        behind: int | None = None,
    ) -> OutboxEntry:
        assert isinstance(connection, PostgresqlTransaction)
        entry = OutboxEntry(_UNKNOWN, lane, event_id, hold_until, body, behind)
        connection.put(entry, message)
        return entry
