"""The outbox: events that the core has yet to accept, in one lane for each conversation."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime

from gateway.journal.records import OutboxEntry
from gateway.timestamps import now_ms, to_ms

from .shards import Shards, within
from .taken import keep
from .transaction import Transaction

#: The time of an event as `envelope.render` writes it, near the start of the body.
_TIME = re.compile(rb'"time":"([^"]{20,30})"')
_PREFIX_BYTES = 500


class Outbox(ABC):
    """Puts events into lanes. Keys are ascending, so that they give the order of each lane."""

    @abstractmethod
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
        """Add an event to a lane, with its body, or held until `hold_until` (ms).

        It waits until the lane `behind` has no events.
        """


def lanes(connection: Transaction, shards: Shards | None = None) -> dict[int, int]:
    """Return the number of events in each lane of these shards, the lane that has waited longest first."""
    rows = connection.execute(
        f"SELECT conversation, count(*) FROM outbox WHERE {within('conversation', shards)} "
        "GROUP BY conversation ORDER BY min(key)"
    )
    return dict(rows.fetchall())


def newest_in_lanes(connection: Transaction, shards: Shards, after: int) -> dict[int, int]:
    """Return the key of the newest event of each lane of these shards that has events after key `after`."""
    rows = connection.execute(
        f"SELECT conversation, max(key) FROM outbox WHERE key > ? AND {within('conversation', shards)} "
        "GROUP BY conversation",
        (after,),
    )
    return dict(rows.fetchall())


def has_events(connection: Transaction, lane: int) -> bool:
    """Whether a lane has events that the core has yet to accept."""
    row = connection.execute("SELECT 1 FROM outbox WHERE conversation = ? LIMIT 1", (lane,))
    return row.fetchone() is not None


def next_entries(connection: Transaction, lane: int, after: int, limit: int) -> list[OutboxEntry]:
    """Return a lane's events after key `after`, in order."""
    rows = connection.execute(
        "SELECT key, conversation, event_id, hold_until, body, behind FROM outbox "
        "WHERE conversation = ? AND key > ? ORDER BY key LIMIT ?",
        (lane, after, limit),
    )
    return [OutboxEntry(*row) for row in rows]


def mark_delivered(connection: Transaction, entries: Iterable[tuple[int, int]]) -> None:
    """Remove events that the core has accepted: (conversation, key). They are kept for a while in `taken`."""
    keys = [key for _, key in entries]
    keep(connection, keys, now_ms())
    connection.executemany("DELETE FROM outbox WHERE key = ?", [(key,) for key in keys])


def size(connection: Transaction) -> int:
    """Return the number of events in the outbox."""
    (count,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return int(count)


def size_of_connectors(connection: Transaction) -> dict[str, int]:
    """Return the number of events by connector. Lanes are counted first, in the index alone."""
    rows = connection.execute(
        "SELECT c.connector, CAST(sum(o.events) AS bigint) FROM "
        "(SELECT conversation, count(*) AS events FROM outbox GROUP BY conversation) o "
        "JOIN conversation c ON c.key = o.conversation GROUP BY c.connector"
    )
    return dict(rows.fetchall())


def oldest_event_at(connection: Transaction) -> int | None:
    """Return the time (ms) of the event that has waited longest; of a held message, when it was received."""
    row = connection.execute(
        f"SELECT substr(o.body, 1, {_PREFIX_BYTES}), m.received_at FROM outbox o "
        "LEFT JOIN message m ON m.key = o.message ORDER BY o.key LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    body, received_at = row
    found = _TIME.search(body or b"")
    if found is None:
        return None if received_at is None else int(received_at)
    return to_ms(datetime.fromisoformat(found[1].decode()))
