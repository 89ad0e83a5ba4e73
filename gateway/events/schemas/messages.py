"""Messages in events: received, updated, edited, echoed, or only named."""

from typing import Self

from pydantic import Field, model_validator

from normalizer.events import TRANSCRIPT_LINES

from .attachments import Attachment
from .types import MessageId, Moment, Open, Part, Word, optional


class _Message(Part):
    id: MessageId
    platform_id: str = Field(
        description="The platform's id of the message; empty once its words have expired"
    )
    sequence: int = Field(ge=1, description="1, 2, 3, … within the conversation, without gaps")
    sent_at: Moment
    received_at: Moment
    text: str | None = Field(description="The body or the caption, never a placeholder")
    transcript: str = Field(description="What a plain-text transcript shows")
    reply_to: str | None = Field(description="The message that this one answers")
    choice: str = optional("The machine's word behind a tapped button or list row")
    referral: Open = optional("What brought the consumer here, as the platform tells it")
    forwarded: bool = optional("Whether the message was forwarded")


class ReceivedMessage(_Message):
    platform_id: Word = Field(description="The platform's id of the message")
    attachments: list[Attachment]

    @model_validator(mode="after")
    def _transcript_fits(self) -> Self:
        lines = "\n".join(TRANSCRIPT_LINES[attachment.kind] for attachment in self.attachments)
        if self.transcript != (lines or self.text or ""):
            raise ValueError("the transcript is neither the text nor one line for each attachment")
        return self


class UpdatedMessage(_Message):
    attachments: list[Attachment] = Field(
        min_length=1, max_length=1, description="The one that changed"
    )


class OtherMessage(Part):
    """A message told about earlier."""

    id: MessageId
    platform_id: Word


class EditedMessage(OtherMessage):
    text: str | None
    transcript: str


class SentMessage(Part):
    """A text of ours. Platforms tell of some by their own id only, of some by a point in time."""

    id: MessageId | None
    platform_id: Word | None


class EchoedMessage(Part):
    """What the business wrote elsewhere, in the platform's own app for instance."""

    id: MessageId = optional("Ours, where the message is in our journal")
    platform_id: Word
    sent_at: Moment = optional("The platform's time")
    received_at: Moment = optional("Ours")
    text: str | None
    transcript: str
    reply_to: str | None
    sender_app: str | None = Field(description="The app it was written with")


class ToldNotice(Part):
    kind: Word = Field(description="In the platform's word")
    text: str | None = Field(description="For people")
    details: Open | None = Field(description="For machines")
