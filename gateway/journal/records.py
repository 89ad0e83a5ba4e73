"""The values that the journal accepts and returns. Times are milliseconds since 1970, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from gateway.events.attachments import Attachment, Source, State
from normalizer.events import AnyEvent, Kind

#: The lane of events without a conversation.
NO_CONVERSATION = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """A verified delivery as the journal keeps it: the raw body, and what else `parse` needs."""

    connector: str
    received_at: int
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    #: The id of the request that brought it; empty for one that an earlier version accepted.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class IntakeRow:
    """Deliveries that were accepted in one commit."""

    id: int
    deliveries: tuple[Accepted, ...]


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A new attachment: `pending` with `media` (a MediaRef as JSON), or ended already."""

    kind: Kind
    state: State
    reason: str | None = None
    name: str | None = None
    media: bytes | None = None
    details: bytes | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One event of a delivery, with its attachments after the attachment rules.

    `reply_window` is how long (ms) the platform accepts answers after the consumer acted, None if it always does.
    `reports_opt_in` says that the platform reports it if a consumer accepts texts again; otherwise their next
    message shows it.
    """

    connector: str
    platform: str
    received_at: int
    event: AnyEvent
    attachments: tuple[NewAttachment, ...] = ()
    reply_window: int | None = None
    reports_opt_in: bool = False
    #: The id of the request that brought it; empty if it is not known.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A delivery with an entry that could not be parsed, and the reason."""

    delivery: Accepted
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of some intake rows. Recording them and removing the rows is one transaction."""

    intake: tuple[int, ...]
    readings: tuple[Reading, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(slots=True)
class OutboxEntry:
    """One event in the outbox. `body` is None while it is held, or while only the journal has it.

    The event waits until the lane `behind` has no events: that conversation became a part of this one.
    """

    key: int
    conversation: int
    event_id: str
    hold_until: int | None
    body: bytes | None
    behind: int | None = None

    @property
    def held(self) -> bool:
        return self.hold_until is not None


@dataclass(frozen=True, slots=True)
class Job:
    """One attachment to fetch at `due` (ms). `media` is its MediaRef as JSON.

    `is_late` says that the last attempt found the platform unreachable.
    """

    message: int
    position: int
    due: int
    conversation: int
    connector: str
    media: bytes
    is_late: bool = False
    #: Whether nobody can have tried to fetch it before.
    is_new: bool = False


class RecordedMessage(NamedTuple):
    """A message that was recorded, or recognised as a repeat, and the request that brought it."""

    request_id: str
    connector: str
    conversation: str | None
    message: str
    attachments: int
    is_repeat: bool = False


class RecordedText(NamedTuple):
    """An agent's text whose status has changed, and the request that brought the text.

    `receipt` is the request that brought the status, if it came with a delivery.
    """

    request_id: str
    connector: str
    conversation: str
    message: str
    status: str
    reason: str | None
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of a transaction, announced to the journal's subscribers once it is durable."""

    #: New events in the outbox.
    entries: tuple[OutboxEntry, ...] = ()
    #: Held events that got their final body.
    frozen: tuple[OutboxEntry, ...] = ()
    #: Attachments to fetch.
    jobs: tuple[Job, ...] = ()
    #: Whether there are parts of agents' texts to send.
    new_parts: bool = False
    #: Whether there are reports for platforms.
    new_reports: bool = False
    #: Lanes of conversations that were erased.
    erased: tuple[int, ...] = ()
    #: Waiting events without a conversation that were removed, by their keys.
    withdrawn: tuple[int, ...] = ()
    #: What was recorded of each message, for the log.
    messages: tuple["RecordedMessage", ...] = ()
    #: Agents' texts whose status has changed, for the log.
    texts: tuple["RecordedText", ...] = ()
    #: Facts that were recorded before.
    duplicates: int = 0
    #: Ids of events that an operator wants to be sent to the core again.
    retried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment as a worker or the API sees it."""

    id: str
    message: int
    position: int
    message_id: str
    conversation_id: str
    connector: str
    received_at: int
    kind: Kind
    state: str
    reason: str | None
    attempts: int
    due: int | None
    media: Any
    view: Attachment
    #: Names the try that stored the files; "" where the store needs no such name.
    token: str = ""
    #: The id of the request that brought the message; empty if it is not known.
    request_id: str = ""


#: The name under which a rendition keeps its token in the journal. Events do not show it.
TOKEN = "token"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an attachment. `renditions` maps name to {media_type, bytes, sha256, width, height}.

    A rendition may also have a `TOKEN`.

    `kind` is what the bytes are, None if they were not seen; `source` is {media_type, bytes} of the original.
    """

    state: str
    reason: str | None = None
    detail: str | None = None
    name: str | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    renditions: Any = None
    code: str | None = None
    kind: Kind | None = None
    source: Source | None = None
    #: Facts that the attachment shows beside the others.
    details: Mapping[str, Any] | None = None


ReportKind = Literal["outcome", "forget", "closed"]


@dataclass(frozen=True, slots=True)
class Informed:
    """The connectors, by name, whose platforms are informed of each kind of report."""

    outcome: frozenset[str] = frozenset()
    forget: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()


#: No platform is informed of anything.
NOBODY = Informed()


@dataclass(frozen=True, slots=True)
class Report:
    """What a platform has yet to be informed of. `content` are the arguments of the connector's flow."""

    key: int
    kind: ReportKind
    content: Mapping[str, Any]
    attempts: int
    made_at: int
    #: The id of the request that led to it; empty if it is not known.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A node as operators see it; times are RFC 3339."""

    name: str
    version: str
    is_alive: bool
    started_at: str
    seen_at: str
    shards: tuple[int, ...]
    #: Events that wait for the core, and bytes of deliveries that wait to be parsed, in these shards.
    waiting: int
    unread: int


class Cause(NamedTuple):
    """Why a text failed: the contract's reason, and the platform's own code and words."""

    reason: str | None = None
    code: str | None = None
    detail: str | None = None


NO_CAUSE = Cause()


@dataclass(frozen=True, slots=True)
class AgentText:
    """An agent's text. `id` is derived from the conversation and the idempotency key."""

    id: str
    conversation: str
    agent: str
    text: str
    parts: tuple[str, ...]
    reply_to: str | None
    #: The id of the request that brought it; empty if it is not known.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts that decide whether a text may be sent now."""

    key: int
    connector: str
    account: str
    #: When the consumer last opened the platform's reply window; None if only the platform knows.
    opened_at: int | None
    closed: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a text to send."""

    outgoing: int
    position: int
    id: str
    text: str
    state: str
    attempts: int
    due: int
    connector: str
    conversation: int
    reply_to: str | None
    account: str
    #: The public id of the conversation, and that of the request that brought the text: for the log.
    conversation_id: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where an answer to a consumer goes now."""

    account: str
    consumer: str
    route: str | None
    last_message_at: int | None


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A conversation whose consumer has no name; `consumer` is the platform's address of the consumer."""

    conversation: str
    account: str
    consumer: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What a database is, what it must not be, and what operators should know of it."""

    what: str
    faults: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """A person to erase: any of their ids; from all connectors if `connector` is None.

    `consumer` is None once everything is erased but that is not recorded yet.
    """

    id: str
    consumer: str | None
    connector: str | None
    #: The id of the request that asked for it; empty if it is not known.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """An unreadable delivery as operators see it, and its content."""

    view: dict[str, Any]
    delivery: Accepted
