"""The outbox's keys in the SQLite journal: counted in memory, because its process is the only writer."""

import itertools

from gateway.journal.operations.outbox import Outbox
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import OutboxEntry


class CountingOutbox(Outbox):
    """Puts events into lanes, with ascending keys."""

    def __init__(self, connection: Transaction) -> None:
        (last,) = connection.execute("SELECT coalesce(max(key), 0) FROM outbox").fetchone()
        self._keys = itertools.count(last + 1)

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
        key = next(self._keys)
        connection.execute(
            "INSERT INTO outbox (conversation, key, event_id, message, hold_until, body, behind) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (lane, key, event_id, message, hold_until, body, behind),
        )
        return OutboxEntry(key, lane, event_id, hold_until, body, behind)
