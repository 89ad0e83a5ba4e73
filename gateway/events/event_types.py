"""Every type of event: its data and its CloudEvents envelope."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field
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
    transcript_fits,
)
from .types import Conversation, ConversationId, NonEmpty, Timestamp, id_of

#: In the order of the contract.
EventType = Literal[
    "message.received",
    "attachment.updated",
    "message.status",
    "message.edited",
    "message.deleted",
    "reaction.changed",
    "conversation.closed",
    "message.echoed",
    "conversation.notice",
    "account.notice",
    "event.unrecognised",
]


class _InConversation(TypedDict):
    conversation: Conversation


class Received(_InConversation):
    message: Annotated[ReceivedMessage, AfterValidator(transcript_fits)]


class Updated(_InConversation):
    message: UpdatedMessage


class StatusChange(_InConversation):
    message: SentMessage
    status: Status
    reason: str | None
    watermark: NotRequired[Annotated[Timestamp, Field(description="All of ours up to this moment")]]


class Edited(_InConversation):
    message: EditedMessage


class Deleted(_InConversation):
    message: OtherMessage


class ReactionChange(_InConversation):
    message: OtherMessage
    emoji: Annotated[str | None, Field(description="null takes the reaction back")]


class ConversationEnd(_InConversation):
    pass


class Echoed(_InConversation):
    message: EchoedMessage


class Noticed(_InConversation):
    notice: Notice


class AccountNoticed(TypedDict):
    connector: NonEmpty
    platform: NonEmpty
    account: Annotated[
        str, Field(description="Our side: a phone number's, Page's or business's id")
    ]
    notice: Notice


class Unrecognised(TypedDict):
    conversation: NotRequired[Annotated[Conversation, Field(description="Where it is known")]]
    connector: NotRequired[
        Annotated[NonEmpty, Field(description="Where the conversation is not known")]
    ]
    platform: NotRequired[Annotated[str, Field(description="Where the conversation is not known")]]
    reason: NonEmpty
    raw: Annotated[Any, Field(description="The entry as it came")]


ConversationData = (
    Received
    | Updated
    | StatusChange
    | Edited
    | Deleted
    | ReactionChange
    | ConversationEnd
    | Echoed
    | Noticed
    | Unrecognised
)
EventData = ConversationData | AccountNoticed


# envelopes ---------------------------------------------------------------------------------------


class _Envelope(TypedDict):
    """CloudEvents 1.0."""

    specversion: Literal["1.0"]
    id: Annotated[str, id_of("evt"), Field(description="The same for every repeat of this event")]
    source: Annotated[NonEmpty, Field(description="The connector's name in connectors.yaml")]
    time: Timestamp
    datacontenttype: Literal["application/json"]


class Event(_Envelope):
    """An event of any type, as builders make it."""

    type: EventType
    subject: NotRequired[ConversationId]
    data: EventData


class _EnvelopeInConversation(_Envelope):
    subject: ConversationId


class MessageReceived(_EnvelopeInConversation):
    """A consumer wrote."""

    type: Literal["message.received"]
    data: Received


class AttachmentUpdated(_EnvelopeInConversation):
    """An attachment that was pending ended, or was retried."""

    type: Literal["attachment.updated"]
    data: Updated


class MessageStatus(_EnvelopeInConversation):
    """What became of an agent's text."""

    type: Literal["message.status"]
    data: StatusChange


class MessageEdited(_EnvelopeInConversation):
    """The consumer changed a message."""

    type: Literal["message.edited"]
    data: Edited


class MessageDeleted(_EnvelopeInConversation):
    """The consumer took a message back."""

    type: Literal["message.deleted"]
    data: Deleted


class ReactionChanged(_EnvelopeInConversation):
    """The consumer reacted to a message, or no longer does."""

    type: Literal["reaction.changed"]
    data: ReactionChange


class ConversationClosed(_EnvelopeInConversation):
    """The consumer closed the conversation."""

    type: Literal["conversation.closed"]
    data: ConversationEnd


class MessageEchoed(_EnvelopeInConversation):
    """The business wrote, by another way than the gateway."""

    type: Literal["message.echoed"]
    data: Echoed


class ConversationNotice(_EnvelopeInConversation):
    """The platform tells something about a conversation that is no message."""

    type: Literal["conversation.notice"]
    data: Noticed


class AccountNotice(_Envelope):
    """The platform tells something about our account, not about a conversation."""

    type: Literal["account.notice"]
    data: AccountNoticed


class EventUnrecognised(_Envelope):
    """What an authentic delivery held that could not be read."""

    type: Literal["event.unrecognised"]
    subject: NotRequired[
        Annotated[ConversationId, Field(description="Where the conversation is known")]
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
    | MessageEchoed
    | ConversationNotice
    | AccountNotice
    | EventUnrecognised,
    Field(discriminator="type"),
    AfterValidator(_names_its_conversation),
]
