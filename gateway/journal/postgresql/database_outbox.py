"""The outbox's keys in PostgreSQL: given out by the database, while the lane's conversation is locked."""

from gateway.journal.operations.outbox import Outbox
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import OutboxEntry

from .transaction import PostgresqlTransaction

#: The lock comes first: the count needs all of `lane` before a key is drawn. A transaction draws keys for a
#: lane while no other one can, so that keys are committed in their order within each lane.
_PUT = """WITH lane AS MATERIALIZED (SELECT key FROM conversation WHERE key = ? FOR NO KEY UPDATE)
    INSERT INTO outbox (conversation, event_id, message, hold_until, body, behind)
    SELECT CAST(? AS bigint), CAST(? AS text), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bytea),
    CAST(? AS bigint) FROM (SELECT count(*) FROM lane) AS locked RETURNING key"""


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
        values = (lane, lane, event_id, message, hold_until, body, behind)
        put = connection.execute(_PUT, values)
        entry = OutboxEntry(_UNKNOWN, lane, event_id, hold_until, body, behind)

        def learn_key() -> None:
            (entry.key,) = put.fetchone()

        connection.at_end.append(learn_key)
        return entry
