"""The common events: the form into which every platform's messages are translated first.

Values are frozen and convert to JSON and back (`dump`, `load`). Each event has an `id`, which is the same for every
repeat of the same fact and the key of duplicate detection; `account` is our side, `party` theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

#: Bytes of `extra` as JSON that are passed on. Larger fields are left out and named.
MAX_EXTRA = 16 * 1024

#: The line of a plain-text transcript for one attachment of each kind (contract, section 3).
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
    """The consumer. `id` is the address that we reply to; `aliases` are further ids that the platform uses."""

    id: str
    name: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaRef:
    """The platform's claims about a file, and the connector's private note on where to find it.

    Claims (`media_type`, `size` in bytes, `sha256` in hex or base64) are never trusted. `locator` holds no account
    credential; the gateway passes it to `Connector.media` without reading it.
    """

    locator: Mapping[str, Any]
    media_type: str | None = None
    name: str | None = None
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment. Without `media`, `details` holds the content or `refused` the reason.

    `details` is for locations (`latitude`, `longitude`, `name`, `address`, `url`) and contacts (`cards`). `refused`
    is the contract's reason if the platform itself could not deliver the file; `code` and `detail` are the
    platform's own code and words for it. `voice` marks sound that was recorded in the messenger.
    """

    kind: Kind
    media: MediaRef | None = None
    details: Mapping[str, Any] | None = None
    refused: str | None = None
    code: str | None = None
    detail: str | None = None
    voice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The fields that all events share. `sent_at` is the platform's own time, None if it sends none.

    `route` is what the connector needs, beside account and party, to answer: for example the subaccount that the
    consumer wrote to. It is stored with the conversation and returned in `Text.route`; it holds no credential.
    """

    id: str
    account: str
    party: Party
    sent_at: datetime | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """A message from a consumer. `text` is the body or caption, never a placeholder.

    `choice` is the machine-readable value of a tapped button, list row or postback. `extra` holds the platform's own
    fields that agents do not read but the core may, such as an order's items: at most MAX_EXTRA bytes as JSON, and as
    unstable as the platform. `history` marks an old message that the platform delivers after the fact: it never opens
    a reply window. `repeat_key` is the same for two messages with different ids that the platform sends for one act of
    the consumer.
    """

    type: Literal["message"] = "message"
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    forwarded: bool = False
    choice: str | None = None
    referral: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] | None = None
    history: bool = False
    repeat_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(Event):
    """A message from the business, sent from a native app or through us and repeated to us by the platform.

    `message_id` is the platform's id of that message; `key` is our own key, if the platform returns it. `extra` and
    `history` are those of a message.
    """

    type: Literal["echo"] = "echo"
    message_id: str
    key: str | None = None
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    sender_app: str | None = None
    extra: Mapping[str, Any] | None = None
    history: bool = False


Status = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Event):
    """The status of messages that we sent: those in `message_ids`, and all sent up to `watermark` if it is given.

    `code` and `detail` are the platform's own code and words for a failure.
    """

    type: Literal["receipt"] = "receipt"
    status: Status
    message_ids: tuple[str, ...] = ()
    watermark: datetime | None = None
    key: str | None = None
    reason: str | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction(Event):
    """The consumer's reaction to message `target`; `emoji` is None if the reaction was removed.

    `opens_window` as in a notice.
    """

    type: Literal["reaction"] = "reaction"
    target: str
    emoji: str | None
    opens_window: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Event):
    """The new text `text` of message `target`."""

    type: Literal["edit"] = "edit"
    target: str
    text: str | None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion(Event):
    """The consumer's deletion of message `target`."""

    type: Literal["deletion"] = "deletion"
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """The end of a conversation by the consumer: nothing may be sent until they write again."""

    type: Literal["closed"] = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Event):
    """A change of the consumer's address: they are `party` now, and the ids in `former` are no longer theirs.

    Answers go to `party.id` from now on. A former id may belong to a stranger tomorrow. `text` is for people.
    """

    type: Literal["identity"] = "identity"
    former: tuple[str, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Information from the platform that is not a message. `kind` is the platform's word for it.

    Referrals, opt-ins, typing, hand-overs, identity changes. `text` is for people, `details` for machines:
    `opted_out` in it is true or false if the consumer refused or allowed our texts. `party` is None if the notice
    concerns our account and not a conversation. `opens_window` says that the platform accepts answers again, as
    after a message: the consumer called, or entered through a link.
    """

    id: str
    type: Literal["notice"] = "notice"
    account: str
    party: Party | None = None
    sent_at: datetime | None = None
    kind: str
    text: str | None = None
    details: Mapping[str, Any] | None = None
    opens_window: bool = False
    route: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An entry of an authentic delivery that the connector could not read. `raw` is the entry as it arrived.

    `opens_window` says that it is a message from the consumer, of a type that is not known.
    """

    id: str
    type: Literal["unknown"] = "unknown"
    reason: str
    raw: Any = None
    account: str | None = None
    party: Party | None = None
    sent_at: datetime | None = None
    opens_window: bool = False


AnyEvent = (
    Message | Echo | Receipt | Reaction | Edit | Deletion | Closed | Identity | Notice | Unknown
)

_EVENTS: TypeAdapter[list[AnyEvent]] = TypeAdapter(
    list[Annotated[AnyEvent, Field(discriminator="type")]]
)


def dump(events: list[AnyEvent]) -> bytes:
    """Return events as a JSON array."""
    return orjson.dumps(events)


def load(data: bytes) -> list[AnyEvent]:
    """Return the events of a JSON array made by `dump`. Raise pydantic's ValidationError for anything else."""
    return _EVENTS.validate_json(data)


def with_content(event: AnyEvent) -> AnyEvent:
    """Return the event; a message or an echo without text and attachments gets an attachment that says so.

    An event shows what a person said, or that something could not be shown (contract, section 3).
    """
    if not isinstance(event, Message | Echo) or event.attachments:
        return event
    if event.text is not None and event.text.strip():
        return event
    return replace(event, text=None, attachments=(Attachment("unsupported"),))


def transcript(text: str | None, attachments: tuple[Attachment, ...]) -> str:
    """Return the plain-text transcript: one line for each attachment, or the text if there is none."""
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
    "Identity",
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
    "with_content",
]
