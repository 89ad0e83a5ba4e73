"""Attachments in events: one shape for each state, so that state, reason and renditions always agree."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, GetPydanticSchema, with_config
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from normalizer.events import Kind
from normalizer.media import FailedReason, RejectedReason

from .types import AnyMapping, AttachmentId, NonEmpty, Pixels

State = Literal["pending", "ready", "rejected", "failed"]


class _Rendition(TypedDict):
    bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    width: Pixels
    height: Pixels


class Picture(_Rendition):
    media_type: Literal["image/jpeg"]


class Preview(_Rendition):
    media_type: Literal["image/jpeg", "image/png"]


class Video(_Rendition):
    media_type: Literal["video/mp4"]


class PhotoRenditions(TypedDict):
    thumbnail: Picture
    preview: Preview


class VideoRenditions(TypedDict):
    thumbnail: Picture
    poster: Picture
    video: Video


@with_config(ConfigDict(extra="allow"))
class Location(TypedDict):
    latitude: Annotated[float, Field(ge=-90, le=90, strict=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, strict=False)]
    name: NotRequired[Annotated[str, Field(description="What the place is called")]]
    address: NotRequired[Annotated[str, Field(description="Its address")]]
    url: NotRequired[Annotated[str, Field(description="A link to it")]]


Nothing = Annotated[AnyMapping, Field(max_length=0, description="Nothing to show")]


class _Attachment(TypedDict):
    id: AttachmentId
    kind: Kind
    name: Annotated[str | None, Field(description="The file's name as the sender had it")]
    width: Annotated[Pixels | None, Field(description="Of the picture as it is seen, upright")]
    height: Pixels | None
    duration_seconds: Annotated[float, Field(ge=0)] | None
    detail: NotRequired[
        Annotated[
            str, Field(description="More about the reason, for people who operate the gateway")
        ]
    ]
    location: NotRequired[Annotated[Location, Field(description="Of kind location: where")]]
    contacts: NotRequired[
        Annotated[
            list[AnyMapping],
            Field(description="Of kind contact: the cards, as the platform tells them"),
        ]
    ]
    unsupported: NotRequired[
        Annotated[
            AnyMapping, Field(description="Of kind unsupported: what the platform tells about it")
        ]
    ]


class PendingAttachment(_Attachment):
    """Still being fetched or made safe; `attachment.updated` follows."""

    state: Literal["pending"]
    reason: None
    renditions: Nothing


class ReadyAttachment(_Attachment):
    """Safe to be shown, or complete in itself (location, contact)."""

    state: Literal["ready"]
    reason: None
    renditions: PhotoRenditions | VideoRenditions | Nothing


class RejectedAttachment(_Attachment):
    """Refused by policy or for safety: a retry will not help."""

    state: Literal["rejected"]
    reason: RejectedReason
    renditions: Nothing


class FailedAttachment(_Attachment):
    """Not to be had: a retry may help."""

    state: Literal["failed"]
    reason: FailedReason
    renditions: Nothing


def _shows_something(attachment: ReadyAttachment) -> ReadyAttachment:
    kind = attachment["kind"]
    if kind in {"photo", "video", "sticker"} and not attachment["renditions"]:
        raise ValueError(f"a {kind} is ready without any rendition")
    return attachment


_ByState = Annotated[
    PendingAttachment
    | Annotated[ReadyAttachment, AfterValidator(_shows_something)]
    | RejectedAttachment
    | FailedAttachment,
    Field(discriminator="state"),
]


class AttachmentInAnyState(_Attachment):
    """What builders make: the state is a column of the journal, so mypy cannot know which one it is."""

    state: State
    reason: NonEmpty | None
    renditions: dict[str, Any]


class RenditionOfAnyType(_Rendition):
    """What builders make of a file in storage."""

    media_type: Literal["image/jpeg", "image/png", "video/mp4"]


Attachment = Annotated[
    AttachmentInAnyState,
    GetPydanticSchema(lambda _source, handler: handler.generate_schema(_ByState)),
]
