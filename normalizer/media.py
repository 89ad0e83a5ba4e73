"""The definition of safe media: limits, outcomes, and the reasons for which a file cannot be made safe."""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

MediaKind = Literal["photo", "video", "audio", "document", "contact"]

#: A retry does not help (policy or safety).
RejectedReason = Literal[
    "too_large",
    "unsupported_type",
    "malware",
    "corrupt",
    "too_many_pixels",
    "too_long",
    "protected",
    "disabled",
]

#: A retry may help.
FailedReason = Literal[
    "gone",
    "expired",
    "unauthorized",
    "unreachable",
    "checksum_mismatch",
    "blocked_host",
    "scanner_unavailable",
    "decoder_crashed",
]


#: The types of the files that may be sent to an agent's browser.
RenditionType = Literal[
    "image/jpeg",
    "image/png",
    "video/mp4",
    "audio/mp4",
    "application/pdf",
    "text/plain; charset=utf-8",
    "application/octet-stream",
]


RenditionName = Literal[
    "thumbnail", "preview", "poster", "video", "audio", "document", "text", "original"
]


#: A text whose charset was guessed, in another charset, whose name follows.
OTHER_TEXT = "text-"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of contract section 6. Sizes in bytes, sides and pixels in pixels, times in seconds."""

    photo_max_bytes: int = 25_000_000
    photo_max_pixels: int = 64_000_000
    preview_max_side: int = 4096
    preview_max_bytes: int = 3_000_000
    thumbnail_max_bytes: int = 30_000
    thumbnail_side: int = 320
    video_max_bytes: int = 25_000_000
    video_max_seconds: float = 3600.0
    transcode: Literal["auto", "always"] = "auto"
    audio_max_bytes: int = 25_000_000
    audio_max_seconds: float = 7200.0
    document_max_bytes: int = 25_000_000
    document_max_pages: int = 50
    text_max_bytes: int = 200_000
    originals: Literal["never", "unshown"] = "never"

    @property
    def largest(self) -> int:
        """The size that no file may exceed, whatever it is."""
        return max(
            self.photo_max_bytes,
            self.video_max_bytes,
            self.audio_max_bytes,
            self.document_max_bytes,
        )


@dataclass(frozen=True, slots=True)
class Rendition:
    """A file that may be sent to an agent's browser. `content` of a video is a read-only map of anonymous memory.

    `width` and `height` of sound, of a document, of its text and of an original are 0. An original is the sender's
    file itself, found clean by a scanner; its `content` is a read-only map of that file.
    """

    #: A RenditionName, or `text-` and a charset.
    name: str
    media_type: RenditionType
    width: int
    height: int
    content: bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class Clean:
    """A file that was made safe. `width` and `height` are those of the upright picture.

    A photo has the renditions thumbnail and preview; a video has thumbnail, poster and video. They show the first of
    `pages_total` pages. Sound has audio. A document has text, and pages as pictures if it is a PDF; a contact has its
    cards in `facts` alone. The size of these three is 0 by 0. `original` may be added to a text. If nothing of a file
    can be shown, it is the only rendition, and `refusal` says why.
    """

    kind: MediaKind
    width: int
    height: int
    duration_seconds: float | None
    renditions: tuple[Rendition, ...]
    pages_total: int = 1
    #: What events say beside the renditions, such as `complete`.
    facts: Mapping[str, Any] | None = None
    refusal: "MediaRejected | None" = None

    def with_renditions(self, *renditions: Rendition) -> "Clean":
        return replace(self, renditions=renditions)


class Unsafe(Exception):
    """A file that cannot be shown. `detail` is for people and never contains customers' text."""

    state: Literal["rejected", "failed"]

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class MediaRejected(Unsafe):
    """A file that policy or safety refuses: a retry does not help."""

    state = "rejected"

    def __init__(self, reason: RejectedReason, detail: str = "") -> None:
        super().__init__(reason, detail)


class MediaFailed(Unsafe):
    """A file that could not be processed this time: a retry may help."""

    state = "failed"

    def __init__(self, reason: FailedReason, detail: str = "") -> None:
        super().__init__(reason, detail)
