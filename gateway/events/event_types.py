"""All types of events: their data and their CloudEvents envelopes."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, StringConstraints
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from normalizer.events import Status

from .messages import (
    EchoedMessage,
    EditedMessage,
    Notice,
    OtherMessage,
    ReceivedMessage,
    SentMessage,
    UpdatedMessage,
    says_something,
)
from .types import Conversation, ConversationId, Explanation, NonEmpty, Timestamp, id_of

#: In the order of the contract.
EventType = Literal[
    "message.received",
    "attachment.updated",
    "message.status",
    "message.edited",
    "message.deleted",
    "reaction.changed",
    "conversation.closed",
    "conversation.updated",
    "conversation.merged",
    "message.echoed",
    "conversation.notice",
    "account.notice",
    "event.unrecognised",
]


class _InConversation(TypedDict):
    conversation: Conversation


class Received(_InConversation):
    message: Annotated[ReceivedMessage, AfterValidator(says_something)]


class Updated(_InConversation):
    message: UpdatedMessage


class StatusChange(_InConversation, Explanation):
    message: SentMessage
    status: Status
    reason: str | None
    watermark: NotRequired[
        Annotated[
            Timestamp, Field(description="The status applies to all texts sent up to this time")
        ]
    ]


class Edited(_InConversation):
    message: EditedMessage


class Deleted(_InConversation):
    message: OtherMessage


class ReactionChange(_InConversation):
    message: OtherMessage
    emoji: Annotated[str | None, Field(description="null removes the reaction")]


class ConversationEnd(_InConversation):
    pass


class Echoed(_InConversation):
    message: Annotated[EchoedMessage, AfterValidator(says_something)]


class ConversationChange(_InConversation):
    pass


class ConversationMerge(_InConversation):
    merged: Annotated[
        ConversationId, Field(description="The conversation that became a part of this one")
    ]


class Noticed(_InConversation):
    notice: Notice


class AccountNoticed(TypedDict):
    connector: NonEmpty
    platform: NonEmpty
    account: Annotated[
        str, Field(description="The brand's side: the id of a phone number, Page or business")
    ]
    notice: Notice


class Unrecognised(TypedDict):
    conversation: NotRequired[
        Annotated[Conversation, Field(description="Present if the conversation is known")]
    ]
    connector: NotRequired[
        Annotated[NonEmpty, Field(description="Present if the conversation is not known")]
    ]
    platform: NotRequired[
        Annotated[str, Field(description="Present if the conversation is not known")]
    ]
    reason: NonEmpty
    raw: Annotated[Any, Field(description="The entry as it was received")]


ConversationData = (
    Received
    | Updated
    | StatusChange
    | Edited
    | Deleted
    | ReactionChange
    | ConversationEnd
    | ConversationChange
    | ConversationMerge
    | Echoed
    | Noticed
    | Unrecognised
)
EventData = ConversationData | AccountNoticed


# envelopes ---------------------------------------------------------------------------------------


class _Envelope(TypedDict):
    """The attributes of CloudEvents 1.0."""

    specversion: Literal["1.0"]
    id: Annotated[str, id_of("evt"), Field(description="The same each time this event is sent")]
    source: Annotated[NonEmpty, Field(description="The connector's name in connectors.yaml")]
    time: Timestamp
    requestid: NotRequired[
        Annotated[
            NonEmpty,
            Field(
                description="The X-Request-Id of the delivery that the event came with; of a status, that of the call "
                "that brought the text"
            ),
        ]
    ]
    datacontenttype: Literal["application/json"]
    traceparent: NotRequired[
        Annotated[
            str,
            StringConstraints(pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$"),
            Field(description="The trace, if `traces.url` is set (W3C Trace Context)"),
        ]
    ]


class Event(_Envelope):
    """An event of any type, as builders return it."""

    type: EventType
    subject: NotRequired[ConversationId]
    data: EventData


class _EnvelopeInConversation(_Envelope):
    subject: ConversationId


class MessageReceived(_EnvelopeInConversation):
    """A consumer sent a message."""

    type: Literal["message.received"]
    data: Received


class AttachmentUpdated(_EnvelopeInConversation):
    """A pending attachment ended, or the state of an attachment changed later (expired, retried)."""

    type: Literal["attachment.updated"]
    data: Updated


class MessageStatus(_EnvelopeInConversation):
    """The status of an agent's text changed."""

    type: Literal["message.status"]
    data: StatusChange


class MessageEdited(_EnvelopeInConversation):
    """The consumer edited a message."""

    type: Literal["message.edited"]
    data: Edited


class MessageDeleted(_EnvelopeInConversation):
    """The consumer deleted a message."""

    type: Literal["message.deleted"]
    data: Deleted


class ReactionChanged(_EnvelopeInConversation):
    """The consumer reacted to a message, or removed the reaction."""

    type: Literal["reaction.changed"]
    data: ReactionChange


class ConversationClosed(_EnvelopeInConversation):
    """The consumer closed the conversation."""

    type: Literal["conversation.closed"]
    data: ConversationEnd


class ConversationUpdated(_EnvelopeInConversation):
    """The consumer's address, name or further addresses changed."""

    type: Literal["conversation.updated"]
    data: ConversationChange


class ConversationMerged(_EnvelopeInConversation):
    """Two conversations are one person's. What follows comes in the one that stays."""

    type: Literal["conversation.merged"]
    data: ConversationMerge


class MessageEchoed(_EnvelopeInConversation):
    """The business sent a message, but not through the gateway."""

    type: Literal["message.echoed"]
    data: Echoed


class ConversationNotice(_EnvelopeInConversation):
    """The platform reports something about a conversation that is not a message."""

    type: Literal["conversation.notice"]
    data: Noticed


class AccountNotice(_Envelope):
    """The platform reports something about the account, not about a conversation."""

    type: Literal["account.notice"]
    data: AccountNoticed


class EventUnrecognised(_Envelope):
    """An entry of a verified delivery could not be parsed."""

    type: Literal["event.unrecognised"]
    subject: NotRequired[
        Annotated[ConversationId, Field(description="Present if the conversation is known")]
    ]
    data: Unrecognised


def _names_its_conversation(event: Any) -> Any:
    """Raise ValueError unless envelope and data name the same conversation and connector."""
    data = event["data"]
    conversation = data.get("conversation")
    if event.get("subject") != (conversation["id"] if conversation else None):
        raise ValueError("subject and data.conversation.id differ")
    if event["source"] != (conversation or data).get("connector"):
        raise ValueError("source and the connector in data differ")
    return event


AnyEvent = Annotated[
    MessageReceived
    | AttachmentUpdated
    | MessageStatus
    | MessageEdited
    | MessageDeleted
    | ReactionChanged
    | ConversationClosed
    | ConversationUpdated
    | ConversationMerged
    | MessageEchoed
    | ConversationNotice
    | AccountNotice
    | EventUnrecognised,
    Field(discriminator="type"),
    AfterValidator(_names_its_conversation),
]
