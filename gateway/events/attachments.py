"""Attachments in events, with one type for each state, so that state, reason and renditions always agree."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, GetPydanticSchema, with_config
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from normalizer.charsets import GUESSED
from normalizer.events import Kind
from normalizer.media import FailedReason, RejectedReason, RenditionType
from normalizer.sound import BARS

from .types import AnyMapping, AttachmentId, Explanation, NonEmpty, Pixels

State = Literal["pending", "ready", "rejected", "failed"]


class _File(TypedDict):
    bytes: Annotated[int, Field(ge=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Rendition(_File):
    width: Pixels
    height: Pixels


class Picture(_Rendition):
    media_type: Literal["image/jpeg"]


class Preview(_Rendition):
    media_type: Literal["image/jpeg", "image/png"]


class Video(_Rendition):
    media_type: Literal["video/mp4"]


class Audio(_File):
    media_type: Literal["audio/mp4"]


class PhotoRenditions(TypedDict):
    thumbnail: Picture
    preview: Preview


class VideoRenditions(TypedDict):
    thumbnail: Picture
    poster: Picture
    video: Video


class AudioRenditions(TypedDict):
    audio: Audio


class Document(_File):
    """The pages as pictures, in a PDF of ours."""

    media_type: Literal["application/pdf"]


class Text(_File):
    """The text that the file holds. Nothing proves that it is what the document shows."""

    media_type: Literal["text/plain; charset=utf-8"]


class PagesRenditions(TypedDict):
    thumbnail: Picture
    preview: Picture
    document: Document
    text: NotRequired[Text]


class Original(_File):
    """The sender's file as it came, found clean by the scanner; only with `media.originals: unshown`. To be saved."""

    media_type: Literal["application/octet-stream"]


class TextRenditions(TypedDict):
    text: Text
    original: NotRequired[Original]


class OriginalRenditions(TypedDict):
    original: Original


@with_config(ConfigDict(extra="allow"))
class Location(TypedDict):
    latitude: Annotated[float, Field(ge=-90, le=90, strict=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, strict=False)]
    name: NotRequired[Annotated[str, Field(description="The name of the place")]]
    address: NotRequired[Annotated[str, Field(description="The address of the place")]]
    url: NotRequired[Annotated[str, Field(description="A link to the place")]]


class Source(TypedDict):
    """The original, by its bytes; never what the platform declared."""

    media_type: Annotated[str | None, Field(description="null if the bytes do not tell")]
    bytes: Annotated[int, Field(ge=0)]


Nothing = Annotated[AnyMapping, Field(max_length=0, description="Empty: there is nothing to show")]


class _Attachment(Explanation):
    id: AttachmentId
    kind: Kind
    name: Annotated[str | None, Field(description="The file name that the sender used")]
    width: Annotated[Pixels | None, Field(description="In pixels, of the upright image")]
    height: Pixels | None
    duration_seconds: Annotated[float, Field(ge=0)] | None
    source: NotRequired[Annotated[Source, Field(description="Once the file was fetched")]]
    pages_total: NotRequired[
        Annotated[
            int,
            Field(
                ge=1,
                description="Pages of a fax or scan, of which the first is shown, or of a document",
            ),
        ]
    ]
    voice: NotRequired[
        Annotated[
            bool,
            Field(description="Whether the sound is a voice message, as the platform says"),
        ]
    ]
    complete: NotRequired[
        Annotated[
            bool,
            Field(
                description="false if a part of a sound or a document is damaged or exceeds a limit"
            ),
        ]
    ]
    waveform: NotRequired[
        Annotated[
            list[Annotated[int, Field(ge=0, le=255)]],
            Field(
                min_length=BARS,
                max_length=BARS,
                description="How loud equal parts of the sound are; the loudest is 255",
            ),
        ]
    ]
    pages: NotRequired[
        Annotated[int, Field(ge=1, description="Pages of a document that are shown")]
    ]
    text_differs: NotRequired[
        Annotated[
            bool,
            Field(description="true if a document holds text that it does not show, or hides some"),
        ]
    ]
    charset: NotRequired[
        Annotated[Literal["guessed"], Field(description="The text says nothing about its charset")]
    ]
    charsets: NotRequired[
        Annotated[
            list[Annotated[str, Field(pattern="^[a-z0-9_]{3,12}$")]],
            Field(
                min_length=2,
                max_length=len(GUESSED),
                description="The charset of `text`, and others that may be meant: each has a link `text-` and its name",
            ),
        ]
    ]
    location: NotRequired[
        Annotated[Location, Field(description="The place, if the kind is location")]
    ]
    contacts: NotRequired[
        Annotated[
            list[AnyMapping],
            Field(
                description="The cards, if the kind is contact: as the platform sent them, or read from a vCard"
            ),
        ]
    ]
    unsupported: NotRequired[
        Annotated[
            AnyMapping, Field(description="The platform's description, if the kind is unsupported")
        ]
    ]


class PendingAttachment(_Attachment):
    """Being fetched or sanitized; `attachment.updated` follows."""

    state: Literal["pending"]
    reason: None
    renditions: Nothing


class ReadyAttachment(_Attachment):
    """Safe to show, or complete without a file (location, contact)."""

    state: Literal["ready"]
    reason: None
    renditions: (
        PhotoRenditions
        | VideoRenditions
        | AudioRenditions
        | PagesRenditions
        | TextRenditions
        | Nothing
    )


class RejectedAttachment(_Attachment):
    """Refused by policy or for safety; a retry does not help."""

    state: Literal["rejected"]
    reason: RejectedReason
    renditions: OriginalRenditions | Nothing


class FailedAttachment(_Attachment):
    """Not available; a retry may help."""

    state: Literal["failed"]
    reason: FailedReason
    renditions: Nothing


def _shows_something(attachment: ReadyAttachment) -> ReadyAttachment:
    kind = attachment["kind"]
    if kind in {"photo", "video", "audio", "sticker", "document"} and not attachment["renditions"]:
        raise ValueError(f"a {kind} is ready but has no rendition")
    if kind == "contact" and not attachment.get("contacts"):
        raise ValueError("a contact is ready but has no card")
    return attachment


_ByState = Annotated[
    PendingAttachment
    | Annotated[ReadyAttachment, AfterValidator(_shows_something)]
    | RejectedAttachment
    | FailedAttachment,
    Field(discriminator="state"),
]


class AttachmentInAnyState(_Attachment):
    """The type that builders return: the state is a column of the journal, so it is not known statically."""

    state: State
    reason: NonEmpty | None
    renditions: dict[str, Any]


class RenditionOfAnyType(_File):
    """The type that builders return for a stored file."""

    media_type: RenditionType
    width: NotRequired[Pixels]
    height: NotRequired[Pixels]


Attachment = Annotated[
    AttachmentInAnyState,
    GetPydanticSchema(lambda _source, handler: handler.generate_schema(_ByState)),
]
