"""What is known already: facts and messages that were recorded before, and messages that others refer to."""

from dataclasses import dataclass, field

from gateway.identifiers import Identifiers
from gateway.journal.records import Reading
from normalizer.events import Message

from .foreseen import Foreseen
from .receipts import sent_part
from .transaction import Transaction

#: A platform repeats an answer within seconds (ms). Later, the consumer chose the same thing again.
_REPEATED_WITHIN = 10_000

# What many events write; an engine may write many of each with one statement. The first is for facts that are new.
INSERT_FACT = "INSERT INTO fact (id, seen_at) VALUES (?, ?)"
INSERT_REPEATED = f"{INSERT_FACT} ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"


def repeat_of(key: str) -> str:
    """Return the name of the fact that the consumer did something with this key."""
    return f"repeat:{key}"


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
        id = self.ids.fact(reading.connector, repeat_of(message.repeat_key))
        seen_at = self._seen_at(id)
        if seen_at is not None and abs(reading.received_at - seen_at) <= _REPEATED_WITHIN:
            return True
        self._note(INSERT_REPEATED, id, reading.received_at)
        return False

    def _seen_at(self, fact: str) -> int | None:
        """Return when a fact was recorded (ms); None if it was not."""
        if fact in self.foreseen.facts:
            return self.foreseen.facts[fact]
        row = self.connection.execute("SELECT seen_at FROM fact WHERE id = ?", (fact,)).fetchone()
        return None if row is None else int(row[0])

    def _note(self, statement: str, fact: str, at: int) -> None:
        self.connection.execute(statement, (fact, at))
        if fact in self.foreseen.facts:
            self.foreseen.facts[fact] = at

    def is_new(self, reading: Reading, event_id: str) -> bool:
        is_new = self.remember(reading, event_id)
        self.duplicates += not is_new
        return is_new

    def remember(self, reading: Reading, event_id: str) -> bool:
        """Remember a fact; False if it was known."""
        id = self.ids.fact(reading.connector, event_id)
        if id not in self.foreseen.facts:
            cursor = self.connection.execute(
                f"{INSERT_FACT} ON CONFLICT DO NOTHING", (id, reading.received_at)
            )
            return cursor.rowcount == 1
        if self.foreseen.facts[id] is not None:
            return False
        self._note(INSERT_FACT, id, reading.received_at)
        return True

    def quoted(self, connector: str, platform_id: str | None) -> str | None:
        """Return the gateway's id of a quoted message, if it is known."""
        if platform_id is None:
            return None
        id = self.target(connector, platform_id)
        is_ours = id != self.ids.message(connector, platform_id)
        return id if is_ours or self.is_known(id) else None

    def target(self, connector: str, platform_id: str) -> str:
        """Return the gateway's id of a message that the platform names: an agent's text or another message."""
        part = sent_part(self.connection, self.foreseen, platform_id)
        return part.text if part else self.ids.message(connector, platform_id)
