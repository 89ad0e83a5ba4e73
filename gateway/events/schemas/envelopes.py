"""Every type of event: its CloudEvents envelope and its data."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from normalizer.events import Status

from .messages import (
    EchoedMessage,
    EditedMessage,
    OtherMessage,
    ReceivedMessage,
    SentMessage,
    ToldNotice,
    UpdatedMessage,
)
from .types import Conversation, ConversationId, Moment, Part, Word, id_of, optional


class _Data(Part):
    conversation: Conversation


class Received(_Data):
    message: ReceivedMessage


class Updated(_Data):
    message: UpdatedMessage


class StatusChange(_Data):
    message: SentMessage
    status: Status
    reason: str | None
    watermark: Moment = optional("All of ours up to this moment")


class Edited(_Data):
    message: EditedMessage


class Deleted(_Data):
    message: OtherMessage


class ReactionChange(_Data):
    message: OtherMessage
    emoji: str | None = Field(description="null takes the reaction back")


class ConversationEnd(_Data):
    pass


class Echoed(_Data):
    message: EchoedMessage


class Noticed(_Data):
    notice: ToldNotice


class AccountNoticed(Part):
    connector: Word
    platform: Word
    account: str = Field(description="Our side: a phone number's, Page's or business's id")
    notice: ToldNotice


class Unrecognised(Part):
    conversation: Conversation = optional("Where it is known")
    connector: Word = optional("Where the conversation is not known")
    platform: str = optional("Where the conversation is not known")
    reason: Word
    raw: Any = Field(description="The entry as it came")


# envelopes ---------------------------------------------------------------------------------------


class _Envelope(Part):
    """CloudEvents 1.0."""

    specversion: Literal["1.0"]
    id: Annotated[str, id_of("evt")] = Field(description="The same for every repeat of this event")
    source: Word = Field(description="The connector's name in connectors.yaml")
    time: Moment
    datacontenttype: Literal["application/json"]


class _InConversation(_Envelope):
    subject: ConversationId
    data: _Data

    @model_validator(mode="after")
    def _one_conversation(self) -> Self:
        if self.subject != self.data.conversation.id:
            raise ValueError("subject and data.conversation.id differ")
        if self.source != self.data.conversation.connector:
            raise ValueError("source and data.conversation.connector differ")
        return self


class MessageReceived(_InConversation):
    """A consumer wrote."""

    type: Literal["message.received"]
    data: Received


class AttachmentUpdated(_InConversation):
    """An attachment that was pending ended, or was retried."""

    type: Literal["attachment.updated"]
    data: Updated


class MessageStatus(_InConversation):
    """What became of an agent's text."""

    type: Literal["message.status"]
    data: StatusChange


class MessageEdited(_InConversation):
    """The consumer changed a message."""

    type: Literal["message.edited"]
    data: Edited


class MessageDeleted(_InConversation):
    """The consumer took a message back."""

    type: Literal["message.deleted"]
    data: Deleted


class ReactionChanged(_InConversation):
    """The consumer reacted to a message, or no longer does."""

    type: Literal["reaction.changed"]
    data: ReactionChange


class ConversationClosed(_InConversation):
    """The consumer closed the conversation."""

    type: Literal["conversation.closed"]
    data: ConversationEnd


class MessageEchoed(_InConversation):
    """The business wrote, by another way than the gateway."""

    type: Literal["message.echoed"]
    data: Echoed


class ConversationNotice(_InConversation):
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
    subject: ConversationId = optional("Where the conversation is known")
    data: Unrecognised

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        known: Conversation | None = self.data.conversation
        if self.subject != (known.id if known else None):
            raise ValueError("subject and data.conversation.id differ")
        if self.source != (known.connector if known else self.data.connector):
            raise ValueError("source and the connector in data differ")
        return self


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
]
