"""Answers of a sandbox, trusted only after checks: its decoder may be compromised."""

import logging
from dataclasses import dataclass
from typing import Any

from normalizer.canvas import MAX_SIDE, Canvas, PixelLayout
from normalizer.media import MediaFailed, MediaRejected, RejectedReason

_log = logging.getLogger(__name__)

_DETAIL_LETTERS = 200

#: More pages are not counted.
MAX_PAGES = 10_000

#: Reasons that a decoder can give. Only a scanner can report malware.
_REASONS: tuple[RejectedReason, ...] = (
    "unsupported_type",
    "corrupt",
    "too_many_pixels",
    "too_long",
    "protected",
)


@dataclass(frozen=True, slots=True)
class Painted:
    """The large picture on the canvas, with all numbers checked and its layout inside the canvas."""

    #: The size of the upright photo before it was downscaled.
    width: int
    height: int
    preview: PixelLayout
    translucent: bool
    lossless: bool
    #: The number of pages, of which this is the first.
    pages: int

    @property
    def is_full_size(self) -> bool:
        """Whether the preview has every pixel of the photo."""
        return self.width * self.height == self.preview.width * self.preview.height


def result_of(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a job. Raise the sandbox's refusal."""
    if isinstance(answer.get("done"), dict):
        return dict(answer["done"])
    reason: Any = answer.get("rejected")
    if reason in _REASONS:
        raise MediaRejected(reason, _printable(answer.get("detail")))
    if "mistake" in answer:
        # An alarm: the file may be fine, and a report of this line helps to show it.
        _log.error("decoder_mistake: %s", _printable(answer["mistake"]))
    raise MediaFailed(
        "decoder_crashed", _printable(answer.get("failed", "the answer is incomplete"))
    )


def parse_painted(note: dict[str, Any], canvas: Canvas) -> Painted:
    """Parse a note about the picture. Raise MediaFailed if it does not fit the canvas."""
    try:
        return Painted(
            width=parse_number(note["width"], MAX_SIDE),
            height=parse_number(note["height"], MAX_SIDE),
            preview=canvas.layout(*_parse_size(note["preview"])),
            translucent=note["translucent"] is True,
            lossless=note.get("lossless") is True,
            pages=parse_number(note.get("pages", 1), MAX_PAGES),
        )
    except (KeyError, ValueError) as exc:
        raise invalid_answer(exc) from None


def parse_rows(note: dict[str, Any], parse_painted: Painted) -> int:
    """Return the number of finished rows of the large picture. Raise MediaFailed if it is invalid."""
    rows, height = note.get("rows", parse_painted.preview.height), parse_painted.preview.height
    try:
        return 0 if type(rows) is int and rows == 0 else parse_number(rows, height)
    except ValueError as exc:
        raise invalid_answer(exc) from None


def parse_number(value: object, most: int) -> int:
    """Return a number from 1 to `most`. Raise ValueError for anything else."""
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError("a number is out of range")
    return value


def invalid_answer(error: object) -> MediaFailed:
    return MediaFailed("decoder_crashed", f"the decoder's answer is invalid: {error}")


def _parse_size(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("a size is missing")
    return parse_number(value[0], MAX_SIDE), parse_number(value[1], MAX_SIDE)


def _printable(value: object) -> str:
    """Shorten the text and replace unprintable characters, because it may end in a log or be shown to an agent."""
    text = value if isinstance(value, str) else ""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:_DETAIL_LETTERS])
