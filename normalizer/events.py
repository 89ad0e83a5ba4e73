"""The common events: what every platform's words become before anything else looks at them.

Values are frozen and go through JSON both ways (`dump`, `load`). Each event has `id`, the same for every
repeat of the same fact (the key of duplicate detection); `account`, our side; `party`, theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter

Kind = Literal[
    "photo",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contact",
    "unsupported",
]

#: What a plain-text transcript shows for one attachment of each kind (contract, section 3).
TRANSCRIPT_LINES: Mapping[Kind, str] = {
    "photo": "[photo message]",
    "video": "[video message]",
    "audio": "[audio message]",
    "document": "[document]",
    "sticker": "[sticker]",
    "location": "[location]",
    "contact": "[contact]",
    "unsupported": "[unsupported message]",
}


@dataclass(frozen=True, slots=True)
class Party:
    """The consumer. `id` is what we reply to; `aliases` are further names the platform knows them by."""

    id: str
    name: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaRef:
    """What a platform claims about a file, and the connector's private note on how to find it.

    Claims (`media_type`, `size` in bytes, `sha256` in hex or base64) are never trusted. `locator` holds no
    account credential; the gateway hands it back to `Connector.media` unread.
    """

    locator: Mapping[str, Any]
    media_type: str | None = None
    name: str | None = None
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment. Without `media` there is nothing to fetch: `details` says what it is, or `refused` why.

    `details` is for locations (`latitude`, `longitude`, `name`, `address`, `url`) and contacts (`cards`).
    `refused` names the contract's reason when the platform itself could not deliver the file.
    """

    kind: Kind
    media: MediaRef | None = None
    details: Mapping[str, Any] | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share. `sent_at` is the platform's own time, None where it tells none."""

    id: str
    account: str
    party: Party
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """A consumer wrote. `text` is the body or caption, never a placeholder.

    `choice` is the machine's word behind a tapped button, list row or postback.
    """

    type: Literal["message"] = "message"
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    forwarded: bool = False
    choice: str | None = None
    referral: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(Event):
    """The business wrote, from a native app or through us: the platform repeats it to every listener.

    `message_id` is the platform's id of that message; `key` is ours, where the platform hands it back.
    """

    type: Literal["echo"] = "echo"
    message_id: str
    key: str | None = None
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    sender_app: str | None = None


Status = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Event):
    """What became of messages of ours: those in `message_ids`, and all sent up to `watermark` if given."""

    type: Literal["receipt"] = "receipt"
    status: Status
    message_ids: tuple[str, ...] = ()
    watermark: datetime | None = None
    key: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(Event):
    """The consumer reacted to message `target`; `emoji` None takes the reaction back."""

    type: Literal["reaction"] = "reaction"
    target: str
    emoji: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Event):
    """Message `target` now reads `text`."""

    type: Literal["edit"] = "edit"
    target: str
    text: str | None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion(Event):
    """The consumer took message `target` back."""

    type: Literal["deletion"] = "deletion"
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """The consumer closed the conversation: nothing may be sent until they write again."""

    type: Literal["closed"] = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something the platform tells that is no message: `kind` in the platform's word.

    Referrals, opt-ins, typing, hand-overs, identity changes. `text` is for people, `details` for machines:
    `opted_out` true or false in it says whether the consumer wants texts of ours.
    `party` is None where it tells about our account and not about a conversation.
    """

    id: str
    type: Literal["notice"] = "notice"
    account: str
    party: Party | None = None
    sent_at: datetime | None = None
    kind: str
    text: str | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What an authentic delivery held that the connector could not read. `raw` is the entry as it came."""

    id: str
    type: Literal["unknown"] = "unknown"
    reason: str
    raw: Any = None
    account: str | None = None
    party: Party | None = None
    sent_at: datetime | None = None


AnyEvent = Message | Echo | Receipt | Reaction | Edit | Deletion | Closed | Notice | Unknown

_EVENTS: TypeAdapter[list[AnyEvent]] = TypeAdapter(
    list[Annotated[AnyEvent, Field(discriminator="type")]]
)


def dump(events: list[AnyEvent]) -> bytes:
    """Events as a JSON array."""
    return orjson.dumps(events)


def load(data: bytes) -> list[AnyEvent]:
    """The events of a JSON array made by `dump`; raises pydantic's ValidationError for anything else."""
    return _EVENTS.validate_json(data)


def transcript(text: str | None, attachments: tuple[Attachment, ...]) -> str:
    """What a plain-text transcript shows: one line for each attachment, or the text when there is none."""
    if not attachments:
        return text or ""
    return "\n".join(TRANSCRIPT_LINES[attachment.kind] for attachment in attachments)


__all__ = [
    "TRANSCRIPT_LINES",
    "AnyEvent",
    "Attachment",
    "Closed",
    "Deletion",
    "Echo",
    "Edit",
    "Event",
    "Kind",
    "MediaRef",
    "Message",
    "Notice",
    "Party",
    "Reaction",
    "Receipt",
    "Status",
    "Unknown",
    "dump",
    "load",
    "transcript",
]
