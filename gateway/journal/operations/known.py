"""What is known already: facts and messages that were recorded before, and messages that others refer to."""

from dataclasses import dataclass, field

from gateway.identifiers import Identifiers
from gateway.journal.records import Reading
from normalizer.events import Message

from .foreseen import Foreseen
from .transaction import Transaction

#: A platform repeats an answer within seconds (ms). Later, the consumer chose the same thing again.
_REPEATED_WITHIN = 10_000


@dataclass(slots=True)
class Known:
    """Recognises repeats within one transaction, and counts those of facts."""

    connection: Transaction
    ids: Identifiers
    foreseen: Foreseen = field(default_factory=Foreseen)
    duplicates: int = 0

    def is_known(self, id: str) -> bool:
        """Whether a message was recorded before; of an erased message only the id is left."""
        foreseen = self.foreseen.messages.get(id)
        if foreseen is not None:
            return foreseen
        seen = self.connection.execute("SELECT 1 FROM message WHERE id = ?", (id,))
        return seen.fetchone() is not None

    def is_repeat(self, reading: Reading, message: Message) -> bool:
        """Whether the platform sent the same act of the consumer before, under another id."""
        if message.repeat_key is None:
            return False
        id = self.ids.fact(reading.connector, f"repeat:{message.repeat_key}")
        row = self.connection.execute("SELECT seen_at FROM fact WHERE id = ?", (id,)).fetchone()
        if row is not None and abs(reading.received_at - row[0]) <= _REPEATED_WITHIN:
            return True
        self.connection.execute(
            "INSERT INTO fact (id, seen_at) VALUES (?, ?) "
            "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
            (id, reading.received_at),
        )
        return False

    def is_new(self, reading: Reading, event_id: str) -> bool:
        is_new = self.remember(reading, event_id)
        self.duplicates += not is_new
        return is_new

    def remember(self, reading: Reading, event_id: str) -> bool:
        """Remember a fact; False if it was known."""
        cursor = self.connection.execute(
            "INSERT INTO fact (id, seen_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (self.ids.fact(reading.connector, event_id), reading.received_at),
        )
        return cursor.rowcount == 1

    def quoted(self, connector: str, platform_id: str | None) -> str | None:
        """Return the gateway's id of a quoted message, if it is known."""
        if platform_id is None:
            return None
        id = self.target(connector, platform_id)
        is_ours = id != self.ids.message(connector, platform_id)
        return id if is_ours or self.is_known(id) else None

    def target(self, connector: str, platform_id: str) -> str:
        """Return the gateway's id of a message that the platform names: an agent's text or another message."""
        row = self.connection.execute(
            "SELECT o.id FROM part p JOIN outgoing o ON o.key = p.outgoing WHERE p.platform_id = ?",
            (platform_id,),
        ).fetchone()
        return str(row[0]) if row else self.ids.message(connector, platform_id)
