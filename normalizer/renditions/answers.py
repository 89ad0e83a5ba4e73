"""What a cell answered, believed only as far as it has been checked: its decoder may have been taken over."""

from dataclasses import dataclass
from typing import Any

from normalizer.canvas import MAX_SIDE, Canvas, Place
from normalizer.media import MediaFailed, MediaRejected, RejectedReason

_DETAIL_LETTERS = 200

#: What a decoder can know. That a file is malware, only a scanner says.
_REASONS: tuple[RejectedReason, ...] = (
    "unsupported_type",
    "corrupt",
    "too_many_pixels",
    "too_long",
)


@dataclass(frozen=True, slots=True)
class Painted:
    """The large picture on the canvas: its place checked against it, numbers checked to be numbers."""

    #: The photo as it is seen, upright, before it was made smaller.
    width: int
    height: int
    preview: Place
    translucent: bool
    crisp: bool

    @property
    def whole(self) -> bool:
        """Whether the preview has every pixel of the photo."""
        return self.width * self.height == self.preview.width * self.preview.height


def done(answer: dict[str, Any]) -> dict[str, Any]:
    """The result of a job; raises what the cell refused it with."""
    if isinstance(answer.get("done"), dict):
        return dict(answer["done"])
    reason: Any = answer.get("rejected")
    if reason in _REASONS:
        raise MediaRejected(reason, _words(answer.get("detail")))
    raise MediaFailed("decoder_crashed", _words(answer.get("failed", "no proper answer")))


def painted(note: dict[str, Any], canvas: Canvas) -> Painted:
    """Raises MediaFailed for what does not fit the canvas."""
    try:
        return Painted(
            width=whole(note["width"], MAX_SIDE),
            height=whole(note["height"], MAX_SIDE),
            preview=canvas.place(*_size(note["preview"])),
            translucent=note["translucent"] is True,
            crisp=note.get("crisp") is True,
        )
    except (KeyError, ValueError) as error:
        raise nonsense(error) from None


def rows(note: dict[str, Any], painted: Painted) -> int:
    """How many rows of the large picture are finished; raises MediaFailed for nonsense."""
    try:
        return whole(note.get("rows", painted.preview.height), painted.preview.height)
    except ValueError as error:
        raise nonsense(error) from None


def whole(value: object, most: int) -> int:
    """A number from 1 to `most`; raises ValueError for anything else."""
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError("a number out of range")
    return value


def nonsense(error: object) -> MediaFailed:
    return MediaFailed("decoder_crashed", f"the decoder answered nonsense: {error}")


def _size(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("no size")
    return whole(value[0], MAX_SIDE), whole(value[1], MAX_SIDE)


def _words(value: object) -> str:
    """Printable, short: it may end in a log or before an agent."""
    text = value if isinstance(value, str) else ""
    return "".join(c if " " <= c <= "~" else "?" for c in text[:_DETAIL_LETTERS])
