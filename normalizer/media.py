"""What safe media are: the limits, the outcome, and the words for what could not be made safe."""

import mmap
from dataclasses import dataclass
from typing import Literal

MediaKind = Literal["photo", "video"]

#: A retry will not help (policy or safety).
RejectedReason = Literal[
    "too_large",
    "unsupported_type",
    "malware",
    "corrupt",
    "too_many_pixels",
    "too_long",
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


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of contract section 6. Sizes in bytes, sides and pixels in pixels, times in seconds."""

    photo_max_bytes: int = 25_000_000
    photo_max_pixels: int = 64_000_000
    preview_max_side: int = 4096
    preview_max_bytes: int = 3_000_000
    thumbnail_max_bytes: int = 30_000
    thumbnail_side: int = 320
    video_max_bytes: int = 25_000_000
    video_max_seconds: float = 3600.0
    transcode: Literal["auto", "always"] = "auto"


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file an agent's browser may get. `content` of a video is a read-only map of anonymous memory."""

    name: Literal["thumbnail", "preview", "poster", "video"]
    media_type: Literal["image/jpeg", "image/png", "video/mp4"]
    width: int
    height: int
    content: bytes | mmap.mmap


@dataclass(frozen=True, slots=True)
class Clean:
    """A file made safe. `width` and `height` are those of the picture as it is seen, upright.

    A photo has the renditions thumbnail and preview; a video thumbnail, poster and video.
    """

    kind: MediaKind
    width: int
    height: int
    duration_seconds: float | None
    renditions: tuple[Rendition, ...]


class Unsafe(Exception):
    """A file that cannot be shown. `detail` is for people and names no customer's words."""

    state: Literal["rejected", "failed"]

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class MediaRejected(Unsafe):
    """Policy or safety refuses the file: a retry will not help."""

    state = "rejected"

    def __init__(self, reason: RejectedReason, detail: str = "") -> None:
        super().__init__(reason, detail)


class MediaFailed(Unsafe):
    """We could not do it this time: a retry may help."""

    state = "failed"

    def __init__(self, reason: FailedReason, detail: str = "") -> None:
        super().__init__(reason, detail)
