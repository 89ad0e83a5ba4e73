"""Announcer: puts the events of one transaction into the outbox."""

from dataclasses import dataclass, field

from gateway.events.envelope import about, render
from gateway.events.event_types import (
    AccountNoticed,
    ConversationData,
    EventType,
    Unrecognised,
)
from gateway.journal.records import NO_CONVERSATION, OutboxEntry, Recorded, RecordedText

from .outbox import Outbox
from .transaction import Transaction


@dataclass(slots=True)
class Announcer:
    """Collects the entries that it puts into the outbox."""

    connection: Transaction
    outbox: Outbox
    #: The request that brought what is announced.
    request_id: str = ""
    entries: list[OutboxEntry] = field(default_factory=list)
    #: Agents' texts whose status has changed.
    texts: list[RecordedText] = field(default_factory=list)

    def add(self, recorded: Recorded) -> None:
        """Add what was announced about agents' texts."""
        self.entries += recorded.entries
        self.texts += (text._replace(receipt=self.request_id) for text in recorded.texts)

    def announce(
        self,
        lane: int,
        id: str,
        type: EventType,
        time: int,
        data: ConversationData,
        *,
        message: int | None = None,
        behind: int | None = None,
    ) -> None:
        """Announce an event about a conversation, after all present events of lane `behind`."""
        body = about(id, type, time, data, self.request_id)
        self._put(lane, id, body, message=message, behind=behind)

    def announce_without_conversation(
        self, id: str, type: EventType, source: str, time: int, data: AccountNoticed | Unrecognised
    ) -> None:
        """Announce an event without a conversation; these events share a lane."""
        body = render(
            id,
            type,
            source=source,
            subject=None,
            time=time,
            data=data,
            request_id=self.request_id,
        )
        self._put(NO_CONVERSATION, id, body)

    def hold(self, lane: int, id: str, message: int, until: int) -> None:
        """Announce a message once its media are done, or at `until` (ms)."""
        self.entries.append(
            self.outbox.put(self.connection, lane, id, message=message, hold_until=until)
        )

    def _put(
        self,
        lane: int,
        id: str,
        body: bytes,
        message: int | None = None,
        behind: int | None = None,
    ) -> None:
        self.entries.append(
            self.outbox.put(self.connection, lane, id, message=message, body=body, behind=behind)
        )
