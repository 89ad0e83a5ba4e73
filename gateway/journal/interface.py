"""The journal's promises, which every engine keeps.

A write returns once it is durable, or raises `JournalUnavailable` and has not happened. Every change of state
and the event that announces it are one transaction. What a transaction made is announced to the subscribers
exactly once, after it is durable and in the order of the transactions; the announcement is a hint, and what it
names can also be found in the journal.

Times are milliseconds since 1970, UTC. A message's key and a position identify an attachment.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from gateway.events.messages import ReceivedMessage
from gateway.events.types import ConversationSummary
from gateway.identifiers import Identifiers

from .ownership import ShardJournal
from .people import PeopleJournal
from .records import (
    NO_CAUSE,
    NOBODY,
    Accepted,
    AgentText,
    AttachmentRow,
    Batch,
    Cause,
    FailedDelivery,
    Informed,
    IntakeRow,
    OutboxEntry,
    Outcome,
    Recipient,
    Recorded,
    Report,
    Situation,
    Unnamed,
)


class IntakeJournal(ABC):
    """Deliveries, from acceptance to the transaction that records their events."""

    #: Set whenever deliveries wait to be parsed.
    arrived: asyncio.Event

    @abstractmethod
    def append(self, delivery: Accepted) -> "asyncio.Future[None]":
        """Keep a verified delivery. The future completes once the delivery is durable."""

    @abstractmethod
    async def unread(self, after: int, limit: int) -> list[IntakeRow]:
        """At most `limit` intake rows after row `after`, in order of acceptance."""

    @property
    @abstractmethod
    def unread_bytes(self) -> int:
        """The size of the deliveries that have yet to be parsed, including those being accepted now."""

    @abstractmethod
    def bytes_to_come(self) -> int:
        """The bytes of disk that the journal may still need for what is already written."""

    @abstractmethod
    async def record(self, batch: Batch) -> Recorded:
        """Record the events of intake rows, and remove the rows.

        Facts that were recorded before are counted as duplicates and change nothing.
        """


class AttachmentJournal(ABC):
    """Attachments: pending until exactly one outcome is recorded."""

    @abstractmethod
    async def attachment(self, message: int, position: int) -> AttachmentRow | None:
        """One attachment; None if it is unknown or erased."""

    @abstractmethod
    async def find_attachment(self, id: str) -> AttachmentRow | None:
        """One attachment by its public id; None if it is unknown or erased."""

    @abstractmethod
    async def postpone(self, message: int, position: int, due: int, reason: str) -> None:
        """Record that an attempt failed for `reason`, and that the next one is due at `due`."""

    @abstractmethod
    async def name_attachment(self, message: int, position: int, name: str) -> None:
        """Keep the name of a pending attachment that only the platform's look-up revealed."""

    @abstractmethod
    async def finish(self, message: int, position: int, outcome: Outcome) -> bool:
        """Record an attachment's outcome and its event; False if it was no longer pending."""

    @abstractmethod
    async def retry(self, message: int, position: int) -> bool:
        """Make a failed or rejected attachment pending again; False if it cannot be fetched again."""


class OutboxJournal(ABC):
    """Events that the core has yet to accept, in one lane for each conversation.

    What these methods return is durable: an event must not go out that a power cut could still undo.
    """

    @abstractmethod
    async def next_entries(self, lane: int, after: int, limit: int) -> list[OutboxEntry]:
        """At most `limit` events of a lane after the event with key `after`, in order."""

    @abstractmethod
    async def freeze(self, lane: int, entry: int) -> OutboxEntry:
        """Give a held message's event its final body, with its attachments as they are now.

        Raises LookupError if the event is no longer in the outbox.
        """

    @abstractmethod
    def mark_delivered(self, entries: Iterable[tuple[int, int]]) -> "asyncio.Future[None]":
        """Remove events that the core has accepted, each given as (lane, key)."""

    @abstractmethod
    async def backlog(self) -> int:
        """The number of events that the core has yet to accept."""

    @abstractmethod
    async def backlog_of_connectors(self) -> dict[str, int]:
        """The same by connector, for events that belong to a conversation."""

    @abstractmethod
    async def oldest_event_at(self) -> int | None:
        """When the oldest of them was made, in ms; None if there is none."""


class AgentTextJournal(ABC):
    """Agents' texts and the parts in which each goes to its platform."""

    @abstractmethod
    async def situation(self, conversation: str) -> Situation | None:
        """The facts that decide whether a text may be sent now; None if the conversation is unknown."""

    @abstractmethod
    async def agent_text(self, id: str) -> dict[str, Any] | None:
        """An agent's text as the API shows it."""

    @abstractmethod
    async def accept_text(self, new: AgentText) -> bool:
        """Keep an agent's text; False if its id was accepted before or the conversation is unknown."""

    @abstractmethod
    async def trying(self, text: int, position: int) -> Recipient | None:
        """Record that a part is about to be sent, and return to whom; None if it is already settled."""

    @abstractmethod
    async def part_is_open(self, text: int, position: int) -> bool:
        """Whether the outcome of a part is still unknown."""

    @abstractmethod
    async def postpone_part(self, text: int, position: int, due: int) -> None:
        """Record that the platform did not accept a part, and that the next attempt is due at `due`."""

    @abstractmethod
    async def settle_part(
        self,
        text: int,
        position: int,
        state: str,
        *,
        platform_id: str | None = None,
        cause: Cause = NO_CAUSE,
    ) -> None:
        """Record that a part reached a state, and the event for the core, in one transaction.

        With the reason `opted_out`, the consumer does not accept texts any more.
        """


class ConversationJournal(ABC):
    """Conversations, their messages, and the audit of views.

    The id of a conversation that was merged into another goes on to work: what is asked of it is answered by the one
    that stays, only its messages stay listed under it.
    """

    @abstractmethod
    async def assign(self, conversation: str, agents: tuple[str, ...]) -> bool:
        """Set the assigned agents; False if the conversation is unknown."""

    @abstractmethod
    async def close_conversation(self, conversation: str, request_id: str = "") -> bool:
        """Close a conversation until the consumer writes again; False if it is unknown."""

    @abstractmethod
    async def reopen_conversation(self, conversation: str) -> bool | None:
        """Take back that it was closed; whether it is open now, None if it is unknown.

        It is not if the consumer closed it.
        """

    @abstractmethod
    async def agents_of(self, conversation: str) -> tuple[str, ...] | None:
        """The assigned agents; None if the conversation is unknown."""

    @abstractmethod
    async def conversation(self, id: str) -> ConversationSummary | None:
        """One conversation with its state; None if it is unknown."""

    @abstractmethod
    async def conversations(
        self,
        *,
        connector: str | None = None,
        consumer: str | None = None,
        before: str | None = None,
        limit: int,
    ) -> list[ConversationSummary]:
        """At most `limit` conversations, the newest first, after conversation `before`.

        `consumer` is any address of the person. A conversation that was merged into another is not listed.
        """

    @abstractmethod
    async def message(self, id: str) -> dict[str, Any] | None:
        """A message or an echo as events show it, with its conversation."""

    @abstractmethod
    async def messages(
        self, conversation: str, after: int, limit: int
    ) -> list[ReceivedMessage] | None:
        """A conversation's messages with a sequence above `after`; None if it is unknown."""

    @abstractmethod
    async def message_origin(self, id: str) -> tuple[str, str, str, str] | None:
        """Connector, account, consumer and platform id of a consumer's message."""

    @abstractmethod
    async def quotable(self, conversation: str, message: str) -> str | None:
        """The platform's id of a message of this conversation, for a reply that quotes it; None if there is none."""

    @abstractmethod
    async def latest_message(self, conversation: str) -> tuple[str, str, str] | None:
        """Account, consumer and platform id of the consumer's latest message."""

    @abstractmethod
    async def record_view(
        self,
        *,
        at: int,
        agent: str,
        attachment: str,
        rendition: str,
        conversation: str,
        part: str | None,
    ) -> None:
        """Record for the audit that an agent read a rendition; `part` is the range that was sent, None for all."""


class NameJournal(ABC):
    """Names of consumers whose messages contain none."""

    @abstractmethod
    async def unnamed(self, connector: str, limit: int) -> list[Unnamed]:
        """At most `limit` conversations without a name and not settled by `name_consumer`, the newest first."""

    @abstractmethod
    async def name_consumer(self, conversation: str, name: str | None) -> bool:
        """Record a consumer's name, and announce it; False if nothing was changed.

        None records that the platform does not reveal the name: `unnamed` never returns the conversation again. A
        name that arrived with a message in the meantime is kept.
        """


class ReportJournal(ABC):
    """Reports: what platforms have yet to be informed of. They are added with the change that they report."""

    #: The connectors whose platforms are informed. Nobody is until it is set.
    informed: Informed = NOBODY
    ids: Identifiers

    @abstractmethod
    async def due_reports(self, connector: str, now: int, limit: int) -> list[Report]:
        """At most `limit` reports for a connector's platform that are due at `now`, the oldest first."""

    @abstractmethod
    async def next_report(self, connector: str) -> int | None:
        """When the next report for a connector's platform is due; None if there is none."""

    @abstractmethod
    async def report_waits_for_text(self, key: int) -> bool:
        """Whether a text that was accepted before this report is still to be sent to the same person."""

    @abstractmethod
    async def report_done(self, key: int) -> None:
        """Remove a report that the platform took, or that was given up."""

    @abstractmethod
    async def postpone_report(self, key: int, due: int) -> None:
        """Record that the platform did not take a report, and that the next attempt is due at `due`."""

    @abstractmethod
    async def expire_reports(self, before: int) -> int:
        """Remove reports made before `before`; return the number of them."""


class FailureJournal(ABC):
    """Deliveries that could not be parsed and attachments that could not be fetched, for operators."""

    @abstractmethod
    async def failures(self, limit: int) -> list[dict[str, Any]]:
        """The latest unreadable deliveries and failed attachments, the newest first."""

    @abstractmethod
    async def retriable_failures(self) -> list[str]:
        """The ids of all failures that can be retried, the oldest first."""

    @abstractmethod
    async def failed_delivery(self, id: str) -> FailedDelivery | None:
        """An unreadable delivery; None if `id` does not name one."""

    @abstractmethod
    async def settle_failure(self, id: str, reason: str | None) -> None:
        """Record that a delivery was parsed again; `reason` is None unless part of it is still unreadable."""


class RetentionJournal(ABC):
    """Expiry and erasure. Files are deleted after the journal has forgotten them."""

    @abstractmethod
    async def expire_media(self, before: int) -> int:
        """Expire a batch of media that became ready before `before`; return the number of them."""

    @abstractmethod
    async def expire_photos_beyond(self, message: int, keep: int) -> None:
        """Expire the oldest photos of a message's conversation beyond the newest `keep`."""

    @abstractmethod
    async def expire_texts(self, texts_before: int, memory_before: int) -> int:
        """Blank a batch of old messages and forget old deduplication records; return the number of changed rows."""

    @abstractmethod
    async def erase(self, conversation: str, request_id: str = "") -> bool:
        """Erase a conversation; False if it is unknown. Its files are then listed by `files_to_delete`."""

    @abstractmethod
    async def files_to_delete(self) -> list[str]:
        """A batch of attachments whose files must be deleted."""

    @abstractmethod
    async def files_deleted(self, attachments: list[str]) -> None:
        """Record that the files of these attachments are deleted."""

    @abstractmethod
    async def shrink(self, spare: int) -> bool:
        """Return some of the free space beyond `spare` bytes to the disk; True while there is more."""

    @abstractmethod
    async def scrub_free_pages(self) -> None:
        """Make sure that no erased or blanked data remains readable in the journal's files."""


class Journal(
    IntakeJournal,
    ShardJournal,
    AttachmentJournal,
    OutboxJournal,
    AgentTextJournal,
    ConversationJournal,
    NameJournal,
    ReportJournal,
    FailureJournal,
    RetentionJournal,
    PeopleJournal,
):
    """The whole journal, used from one event loop."""

    #: The installation's secret key: identifiers and signed links are derived from it.
    key: bytes
    ids: Identifiers
    #: How long a message may wait for its files. It may be changed at any time.
    hold_ms: int

    @abstractmethod
    def subscribe(self, receiver: Callable[[Recorded], None]) -> None:
        """Announce to `receiver` what each transaction made. A receiver must return at once and not raise."""

    @abstractmethod
    async def check_health(self) -> None:
        """Raise JournalUnavailable if the journal cannot be read or written."""

    @abstractmethod
    async def watch(self) -> None:
        """Raise once the journal can no longer be used and the process has to be restarted."""

    @abstractmethod
    async def close(self) -> None:
        """Finish the writes that were submitted, then close."""
