"""GIF: the first frame, cut out of the file before a decoder sees the rest; later ones if the first shows nothing."""

import io
import struct
from itertools import takewhile

from PIL import GifImagePlugin, Image

from normalizer.canvas import Size
from normalizer.media import MediaRejected

from . import downscaling, first_shown
from .opened import DecodeLimits, OpenedPhoto

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL = 0xF9

#: The sub-blocks of a frame hold 255 bytes, except for the last one.
_MAX_PIECES = 200_000
_MAX_EXTENSIONS = 1000

#: Left, top, right, bottom.
Box = tuple[int, int, int, int]

#: Empty frames pack a thousand pixels into a byte; real ones have a hundredth of that.
_MAX_PIXELS = 32_000_000


def open_gif(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    if len(data) < 13:
        raise MediaRejected("corrupt", "the GIF has no header")
    across, down = struct.unpack_from("<HH", data, 6)
    limits.check((max(across, 1), max(down, 1)), most=_MAX_PIXELS)
    stream, (frame,) = _cut(data, 1)
    # If a frame reaches beyond the screen, the library enlarges the screen.
    limits.check((max(across, frame[2]), max(down, frame[3])), most=_MAX_PIXELS)
    image = GifImagePlugin.GifImageFile(io.BytesIO(stream))
    limits.check(image.size, most=_MAX_PIXELS)
    fit = limits.fit(image.size)

    def load(*_: object) -> Image.Image:
        image.load()
        picture = _clear_around_frame(image, frame)
        if first_shown.is_empty(picture):
            picture = _first_shown(data, image.size) or picture
        return downscaling.downscaled(picture, fit.factor)

    return OpenedPhoto(size=image.size, fit=fit, load=load, lossless=True)


def _clear_around_frame(image: Image.Image, frame: Box) -> Image.Image:
    """Make the area around a small frame transparent, as browsers show it. The library paints it in a colour."""
    if frame == (0, 0, *image.size) or image.has_transparency_data:
        return image
    opacity = Image.new("L", image.size, 0)
    opacity.paste(255, frame)
    result = image.convert("RGBA")
    result.putalpha(opacity)
    return result


def _first_shown(data: memoryview, size: Size) -> Image.Image | None:
    """Return the first frame that shows something, among those that lie on the screen."""
    _, boxes = _cut(data, first_shown.frames_to_search(size))
    usable = takewhile(lambda box: box[2] <= size[0] and box[3] <= size[1], boxes)
    stream, _ = _cut(data, len(list(usable)) or 1)
    return first_shown.seek_shown(GifImagePlugin.GifImageFile(io.BytesIO(stream)))


def _cut(data: memoryview, frames: int) -> tuple[bytes, list[Box]]:
    """Return the file up to the end of the last of the first frames, and their positions on the screen."""
    at = 13 + _table_bytes(data[10])
    kept: list[memoryview | bytes] = [data[:at]]
    boxes: list[Box] = []
    while len(boxes) < frames:
        try:
            parts, box, at = _next_frame(data, at)
        except MediaRejected:
            if not boxes:
                raise
            break
        kept += parts
        boxes.append(box)
    return b"".join([*kept, bytes([_TRAILER])]), boxes


def _next_frame(data: memoryview, at: int) -> tuple[list[memoryview | bytes], Box, int]:
    """Return the pieces of a frame, its position on the screen, and the offset after it."""
    kept: list[memoryview | bytes] = []
    for _ in range(_MAX_EXTENSIONS):
        kind = _byte(data, at)
        if kind == _IMAGE:
            end = _end_of_pieces(data, at + 11 + _table_bytes(_byte(data, at + 9)))
            # If the end of the sub-blocks is missing, the decoder decides whether part of the picture is missing.
            return [*kept, data[at:end], bytes(1)], _frame_box(data, at), end
        if kind != _EXTENSION:
            break
        end = _end_of_pieces(data, at + 2)
        if _byte(data, at + 1) == _GRAPHIC_CONTROL:
            kept.append(data[at:end])
        at = end
    raise MediaRejected("corrupt", "the GIF has no frame")


def _frame_box(data: memoryview, at: int) -> Box:
    _byte(data, at + 8)
    left, top, width, height = struct.unpack_from("<HHHH", data, at + 1)
    return left, top, left + width, top + height


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_pieces(data: memoryview, at: int) -> int:
    for _ in range(_MAX_PIECES):
        if at >= len(data):
            return len(data)
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
    raise MediaRejected("corrupt", "the GIF has far too many sub-blocks")


def _byte(data: memoryview, at: int) -> int:
    if at >= len(data):
        raise MediaRejected("corrupt", "the GIF ends too early")
    return data[at]
