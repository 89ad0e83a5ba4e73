"""Messages in events: received, updated, edited, echoed, or only referred to."""

from typing import Annotated, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from normalizer.events import TRANSCRIPT_LINES

from .attachments import Attachment
from .types import AnyMapping, MessageId, NonEmpty, Timestamp


class Content(TypedDict):
    """The content of a message."""

    text: Annotated[str | None, Field(description="The text or the caption, never a placeholder")]
    transcript: Annotated[str, Field(description="The message in a plain-text transcript")]
    reply_to: Annotated[str | None, Field(description="The message that this one answers")]
    choice: NotRequired[
        Annotated[str, Field(description="The payload of a tapped button or list row")]
    ]
    referral: NotRequired[
        Annotated[
            AnyMapping,
            Field(description="The ad or link that led the consumer here, as the platform sent it"),
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
        Field(description="The platform's id of the message; empty once its text has expired"),
    ]
    attachments: Annotated[
        list[Attachment],
        Field(min_length=1, max_length=1, description="The attachment that changed"),
    ]


class OtherMessage(TypedDict):
    """A reference to an earlier message."""

    id: MessageId
    platform_id: NonEmpty


class EditedMessage(OtherMessage):
    text: str | None
    transcript: str


class SentMessage(TypedDict):
    """A text of an agent. Platforms identify some only by their own id, and some only by a point in time."""

    id: MessageId | None
    platform_id: NonEmpty | None


class EchoedMessage(TypedDict):
    """A message that the business wrote elsewhere, for example in the platform's own app."""

    id: NotRequired[
        Annotated[
            MessageId, Field(description="The gateway's id, if the message is in its journal")
        ]
    ]
    platform_id: NonEmpty
    sent_at: NotRequired[Annotated[Timestamp, Field(description="The platform's timestamp")]]
    received_at: NotRequired[Annotated[Timestamp, Field(description="The gateway's timestamp")]]
    text: str | None
    transcript: str
    reply_to: str | None
    sender_app: Annotated[str | None, Field(description="The app that it was written with")]


class Notice(TypedDict):
    kind: Annotated[NonEmpty, Field(description="The platform's name for it")]
    text: Annotated[str | None, Field(description="For people")]
    details: Annotated[AnyMapping | None, Field(description="For machines")]


def transcript_fits(message: ReceivedMessage) -> ReceivedMessage:
    """Raise ValueError unless the transcript is the text or one line for each attachment."""
    lines = "\n".join(TRANSCRIPT_LINES[found["kind"]] for found in message["attachments"])
    if message["transcript"] != (lines or message["text"] or ""):
        raise ValueError("the transcript is neither the text nor one line for each attachment")
    return message
