"""The answers of the API, as types: the source of the schemas in the OpenAPI description."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from connectors.capabilities import Feature, Support
from gateway.events.attachments import (
    Attachment,
    FailedAttachment,
    PendingAttachment,
    ReadyAttachment,
    RejectedAttachment,
)
from gateway.events.messages import Content
from gateway.events.types import (
    AnyMapping,
    AttachmentId,
    ConversationId,
    ConversationSummary,
    MessageId,
    NonEmpty,
    Timestamp,
)

Count = Annotated[int, Field(ge=0)]


class ProblemDetails(TypedDict):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="The cause and the remedy, for people")]
    reason: NotRequired[Annotated[str, Field(description="The cause, for machines")]]


class ConversationPage(TypedDict):
    conversations: list[ConversationSummary]
    next: Annotated[ConversationId | None, Field(description="The `before` of the next page")]


class AssignedAgents(TypedDict):
    conversation: ConversationId
    agents: list[str]


class ClosedConversation(TypedDict):
    conversation: ConversationId
    state: Literal["closed"]
    told: Annotated[bool, Field(description="Whether the platform is informed")]  # allow-word


class ReopenedConversation(TypedDict):
    conversation: ConversationId
    state: Literal["open"]


class Informed(TypedDict):
    told: Annotated[bool, Field(description="Whether the platform was informed")]  # allow-word


class AcceptedText(TypedDict):
    id: MessageId
    status: Annotated[str, Field(description="accepted, or what became of it if it is a repeat")]


class ListedMessage(Content):
    """A consumer's message, or one that the business wrote elsewhere (an echo), as it is now."""

    id: MessageId
    platform_id: Annotated[str, Field(description="Empty once its text has expired")]
    sequence: NotRequired[Annotated[int, Field(ge=1, description="An echo has none")]]
    sender_app: NotRequired[Annotated[str | None, Field(description="Of an echo")]]
    sent_at: Timestamp
    received_at: Timestamp
    attachments: list[Attachment]


class MessagePage(TypedDict):
    messages: list[ListedMessage]
    next: Annotated[int | None, Field(description="The `after` of the next page")]


class ConversationReference(TypedDict):
    id: ConversationId


class Message(ListedMessage):
    """A message with the conversation that it belongs to."""

    conversation: ConversationReference


class AgentText(TypedDict):
    """A text that an agent sent, and what became of it."""

    id: MessageId
    conversation: ConversationReference
    agent: str
    text: str
    reply_to: str | None
    accepted_at: Timestamp
    status: Literal["accepted", "sent", "delivered", "read", "failed", "unknown"]
    reason: str | None
    code: str | None
    detail: str | None
    platform_ids: list[str]
    request_id: Annotated[
        str | None, Field(description="The X-Request-Id of the call that brought it")
    ]


class Progress(TypedDict):
    """How far the processing of a pending attachment is."""

    step: Literal["waiting", "waiting_for_turn", "fetching", "scanning", "making_safe"]
    percent: Annotated[int | None, Field(ge=0, le=100)]
    tries: Count
    next_try_at: Timestamp | None


class AttachmentInProgress(PendingAttachment):
    """A pending attachment."""

    progress: NotRequired[Progress]


CurrentAttachment = AttachmentInProgress | ReadyAttachment | RejectedAttachment | FailedAttachment


class Links(TypedDict, total=False):
    """Short-lived links by rendition; a text in another charset than the guessed one is `text-` and its name."""

    thumbnail: str
    preview: str
    poster: str
    video: str
    audio: str
    document: str
    text: str
    original: str
    pages: Annotated[list[str], Field(description="The pages of a document, in order")]


class AttachmentLinks(TypedDict):
    links: Links
    expires_at: Timestamp


class ConsumerLink(TypedDict):
    """A link for the consumer who sent a file."""

    url: str
    expires_at: Timestamp


class DeliveryFailure(TypedDict):
    """A delivery that holds something that could not be parsed."""

    id: Annotated[str, Field(pattern="^delivery_[0-9]+$")]
    kind: Literal["delivery"]
    connector: NonEmpty
    at: Timestamp
    reason: str
    can_retry: bool


class AttachmentFailure(TypedDict):
    """An attachment that could not be fetched or made safe."""

    id: AttachmentId
    kind: Literal["attachment"]
    connector: NonEmpty
    conversation: str
    at: Timestamp
    state: str
    reason: str | None
    code: str | None
    detail: str | None
    can_retry: bool


class EventFailure(TypedDict):
    """An event that the core refuses; its conversation waits behind it."""

    id: Annotated[str, Field(pattern="^evt_")]
    kind: Literal["event"]
    at: Timestamp
    attempts: Count
    reason: str
    can_retry: bool


class DeliveryFailureInFull(DeliveryFailure):
    """A delivery that could not be parsed, with its content."""

    query: dict[str, str]
    body: Annotated[str, Field(description="At most the first 16 KiB")]
    bytes: Count
    request_id: Annotated[
        str | None, Field(description="The X-Request-Id of the delivery, also in the log")
    ]


Failure = DeliveryFailure | AttachmentFailure | EventFailure
FailureInFull = DeliveryFailureInFull | EventFailure | CurrentAttachment


class FailureList(TypedDict):
    failures: list[Failure]


class RetryResult(TypedDict):
    id: str
    status: Literal["accepted", "done", "failed", "unchanged", "unknown"]
    detail: str


class RetryResults(TypedDict):
    results: list[RetryResult]


class ConnectorHealth(TypedDict):
    state: Literal["ok", "waiting", "needs action"]
    account: str | None
    detail: str | None
    checked_at: Timestamp | None


class ContentLimit(TypedDict):
    max_bytes: int | None
    max_count: int | None


class ConnectorCapabilities(TypedDict):
    connector: NonEmpty
    platform: NonEmpty
    label: str
    features: dict[Feature, Support]
    notes: dict[str, str]
    limits: dict[str, ContentLimit]
    max_text: int | None
    max_text_bytes: int | None
    reply_window_seconds: float | None
    health: ConnectorHealth


class CapabilityChart(TypedDict):
    connectors: list[ConnectorCapabilities]


class ComponentCheck(TypedDict):
    state: Literal["ok", "warn", "fail"]
    detail: str


class Readiness(TypedDict):
    status: Literal["ready", "degraded", "not ready"]
    checks: dict[str, ComponentCheck]


class MessageEvent(TypedDict):
    """An event about a message, and when the core took it."""

    id: Annotated[str, Field(pattern="^evt_")]
    type: str
    state: Literal["held", "waiting", "taken"]
    time: Timestamp | None
    taken_at: Annotated[
        Timestamp | None, Field(description="null while the core has yet to take it")
    ]


class LookedUpMessage(TypedDict):
    """What became of a message, found by the platform's id of it."""

    connector: NonEmpty
    platform_id: NonEmpty
    state: Annotated[
        Literal[
            "waiting_for_media",
            "waiting_for_core",
            "taken",
            "erased",
            "unreadable",
            "accepted",
            "sent",
            "delivered",
            "read",
            "failed",
            "unknown",
        ],
        Field(description="Where it is now; from `accepted` on, of an agent's text"),
    ]
    received_at: Timestamp | None
    request_id: Annotated[
        str | None,
        Field(
            description="The X-Request-Id of the delivery or the call that brought it, also in the log"
        ),
    ]
    message: Message | AgentText | None
    events: Annotated[
        list[MessageEvent],
        Field(description="In order; those that were taken are kept for core.replay_window"),
    ]
    attachments: list[Attachment]
    failures: Annotated[list[str], Field(description="Ids for /v1/failures")]


class View(TypedDict):
    """One look at a file."""

    number: Count
    at: Timestamp
    agent: str
    attachment: str
    kind: Annotated[str | None, Field(description="null once it is erased")]
    rendition: str
    conversation: str
    part: Annotated[
        str | None,
        Field(
            description="null if the whole file was sent; the range, such as `bytes 0-99/1000`; or `unchanged` if the "
            "browser had it already"
        ),
    ]


class ViewPage(TypedDict):
    views: list[View]
    next: Annotated[str | None, Field(description="The `before` of the next page")]


class ErasureStarted(TypedDict):
    id: Annotated[str, Field(pattern="^era_[0-9a-f]+$")]


class ErasureReceipt(TypedDict):
    """What an erasure removed. It holds no personal data; the id that was asked for is hashed with a secret key."""

    id: Annotated[str, Field(pattern="^era_[0-9a-f]+$")]
    state: Literal["pending", "done"]
    consumer_hash: Annotated[
        str, Field(pattern="^hash_", description="The same for each erasure of the same id")
    ]
    connector: str | None
    conversations: Count
    messages: Annotated[Count, Field(description="Of the consumer, of agents, and echoes")]
    files: Annotated[Count, Field(description="Attachments")]
    requested_at: Timestamp
    finished_at: Timestamp | None


class ReplayedEvents(TypedDict):
    events: Annotated[Count, Field(description="How many events are sent again")]


class ExportLine(TypedDict):
    """One line of an export; the other keys depend on `type`."""

    type: Literal[
        "export",
        "conversation",
        "message",
        "attachment",
        "agent_text",
        "event",
        "view",
        "workspace",
        "failure",
    ]


#: The OpenAPI description itself.
AnyObject = dict[str, Any]
#: Content that is passed on as the platform sent it.
Raw = AnyMapping
