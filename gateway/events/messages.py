"""Messages in events: received, updated, edited, echoed, or only named."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from normalizer.events import TRANSCRIPT_LINES

from .attachments import Attachment
from .types import AnyMapping, MessageId, NonEmpty, Timestamp


class Content(TypedDict):
    """What a message says."""

    text: Annotated[str | None, Field(description="The body or the caption, never a placeholder")]
    transcript: Annotated[str, Field(description="What a plain-text transcript shows")]
    reply_to: Annotated[str | None, Field(description="The message that this one answers")]
    choice: NotRequired[
        Annotated[str, Field(description="The machine's word behind a tapped button or list row")]
    ]
    referral: NotRequired[
        Annotated[
            AnyMapping,
            Field(description="What brought the consumer here, as the platform tells it"),
        ]
    ]
    forwarded: NotRequired[Annotated[bool, Field(description="Whether the message was forwarded")]]


class _Message(Content):
    id: MessageId
    sequence: Annotated[
        int, Field(ge=1, description="1, 2, 3, … within the conversation, without gaps")
    ]
    sent_at: Timestamp
    received_at: Timestamp


class ReceivedMessage(_Message):
    platform_id: Annotated[NonEmpty, Field(description="The platform's id of the message")]
    attachments: list[Attachment]


class UpdatedMessage(_Message):
    platform_id: Annotated[
        str,
        Field(description="The platform's id of the message; empty once its words have expired"),
    ]
    attachments: Annotated[
        list[Attachment],
        Field(min_length=1, max_length=1, description="The one that changed"),
    ]


class OtherMessage(TypedDict):
    """A message told about earlier."""

    id: MessageId
    platform_id: NonEmpty


class EditedMessage(OtherMessage):
    text: str | None
    transcript: str


class SentMessage(TypedDict):
    """A text of ours. Platforms tell of some by their own id only, of some by a point in time."""

    id: MessageId | None
    platform_id: NonEmpty | None


class EchoedMessage(TypedDict):
    """What the business wrote elsewhere, in the platform's own app for instance."""

    id: NotRequired[
        Annotated[MessageId, Field(description="Ours, where the message is in our journal")]
    ]
    platform_id: NonEmpty
    sent_at: NotRequired[Annotated[Timestamp, Field(description="The platform's time")]]
    received_at: NotRequired[Annotated[Timestamp, Field(description="Ours")]]
    text: str | None
    transcript: str
    reply_to: str | None
    sender_app: Annotated[str | None, Field(description="The app it was written with")]


class Notice(TypedDict):
    kind: Annotated[NonEmpty, Field(description="In the platform's word")]
    text: Annotated[str | None, Field(description="For people")]
    details: Annotated[AnyMapping | None, Field(description="For machines")]


def transcript_fits(message: ReceivedMessage) -> ReceivedMessage:
    """Raise ValueError unless the transcript is the text or one line for each attachment."""
    lines = "\n".join(TRANSCRIPT_LINES[found["kind"]] for found in message["attachments"])
    if message["transcript"] != (lines or message["text"] or ""):
        raise ValueError("the transcript is neither the text nor one line for each attachment")
    return message
