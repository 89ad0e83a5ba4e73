"""Attachments in events: one shape for each state, so that state, reason and renditions always agree."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from normalizer.events import Kind
from normalizer.media import FailedReason, RejectedReason

from .types import AttachmentId, Open, Part, Pixels, optional


class Picture(Part):
    media_type: Literal["image/jpeg"]
    bytes: int = Field(ge=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    width: Pixels
    height: Pixels


class Preview(Picture):
    media_type: Literal["image/jpeg", "image/png"]  # type: ignore[assignment] # one more type


class Film(Picture):
    media_type: Literal["video/mp4"]  # type: ignore[assignment] # another type


class PhotoRenditions(Part):
    thumbnail: Picture
    preview: Preview


class VideoRenditions(Part):
    thumbnail: Picture
    poster: Picture
    video: Film


class Location(Part):
    model_config = ConfigDict(extra="allow")

    latitude: float = Field(ge=-90, le=90, strict=False)
    longitude: float = Field(ge=-180, le=180, strict=False)
    name: str = optional("What the place is called")
    address: str = optional("Its address")
    url: str = optional("A link to it")


Nothing = Annotated[Open, Field(max_length=0, description="Nothing to show")]


class _Attachment(Part):
    id: AttachmentId
    kind: Kind
    name: str | None = Field(description="The file's name as the sender had it")
    width: Pixels | None = Field(description="Of the picture as it is seen, upright")
    height: Pixels | None
    duration_seconds: Annotated[float, Field(ge=0)] | None
    detail: str = optional("More about the reason, for people who operate the gateway")
    location: Location = optional("Of kind location: where")
    contacts: list[Open] = optional("Of kind contact: the cards, as the platform tells them")
    unsupported: Open = optional("Of kind unsupported: what the platform tells about it")


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

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        if self.kind in {"photo", "video", "sticker"} and self.renditions == {}:
            raise ValueError(f"a {self.kind} is ready without any rendition")
        return self


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


Attachment = Annotated[
    PendingAttachment | ReadyAttachment | RejectedAttachment | FailedAttachment,
    Field(discriminator="state"),
]
