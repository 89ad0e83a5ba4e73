"""Messages in events: received, updated, edited, echoed, or only referred to."""

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from normalizer.events import TRANSCRIPT_LINES

from .attachments import Attachment
from .types import AnyMapping, MessageId, NonEmpty, Timestamp


class _AnyContent(TypedDict):
    text: Annotated[str | None, Field(description="The text or the caption, never a placeholder")]
    transcript: Annotated[str, Field(description="The message in a plain-text transcript")]
    reply_to: Annotated[
        str | None, Field(description="The platform's id of the message that this one answers")
    ]
    reply_to_id: NotRequired[
        Annotated[MessageId | None, Field(description="The same message, if the gateway knows it")]
    ]
    extra: NotRequired[
        Annotated[
            AnyMapping,
            Field(
                description="More of what the platform sent, for machines, such as an order; at most 16 KiB, and as "
                "unstable as the platform. `omitted` names fields that were left out"
            ),
        ]
    ]
    request_id: NotRequired[
        Annotated[str, Field(description="The X-Request-Id of the delivery that brought it")]
    ]
    history: NotRequired[
        Annotated[bool, Field(description="An old message that the platform delivers afterwards")]
    ]
    deleted: NotRequired[Annotated[bool, Field(description="Whether its sender deleted it")]]


class Content(_AnyContent):
    """The content of a consumer's message."""

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


class EchoContent(_AnyContent):
    """The content of a message from the business."""

    sender_app: Annotated[str | None, Field(description="The app that it was written with")]


class _Identified(TypedDict):
    id: MessageId
    sent_at: Timestamp
    received_at: Timestamp


class ReceivedMessage(Content, _Identified):
    platform_id: Annotated[NonEmpty, Field(description="The platform's id of the message")]
    sequence: Annotated[
        int, Field(ge=1, description="1, 2, 3, … within the conversation, without gaps")
    ]
    attachments: list[Attachment]


class EchoedMessage(EchoContent, _Identified):
    """A message that the business wrote elsewhere, for example in the platform's own app."""

    platform_id: NonEmpty
    attachments: list[Attachment]


class UpdatedMessage(Content, _Identified):
    platform_id: Annotated[
        str,
        Field(description="The platform's id of the message; empty once its text has expired"),
    ]
    sequence: NotRequired[
        Annotated[int, Field(ge=1, description="Of a consumer's message; an echo has none")]
    ]
    sender_app: NotRequired[Annotated[str | None, Field(description="Of an echo")]]
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


class Notice(TypedDict):
    kind: Annotated[NonEmpty, Field(description="The platform's name for it")]
    text: Annotated[str | None, Field(description="For people")]
    details: Annotated[AnyMapping | None, Field(description="For machines")]


def says_something(message: Any) -> Any:
    """Raise ValueError unless a message has text or attachments, and the transcript shows exactly them."""
    if message.get("deleted"):
        return message
    lines = "\n".join(TRANSCRIPT_LINES[found["kind"]] for found in message["attachments"])
    if message["transcript"] != (lines or message["text"] or ""):
        raise ValueError("the transcript is neither the text nor one line for each attachment")
    if not message["transcript"]:
        raise ValueError("the message has neither text nor attachments")
    return message
