"""GIF: the first frame, cut out of the file before a decoder sees the rest."""

import io
import struct

from PIL import GifImagePlugin, Image

from normalizer.media import MediaRejected

from . import bands
from .opened import Opened, Wish

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL = 0xF9

#: Pieces of a frame hold 255 bytes but for the last one.
_MAX_PIECES = 200_000
_MAX_EXTENSIONS = 1000

#: Frames of nothing pack a thousand pixels into a byte; what people send has a hundredth of this.
_MAX_PIXELS = 32_000_000


def open_gif(data: memoryview, wish: Wish) -> Opened:
    if len(data) < 13:
        raise MediaRejected("corrupt", "a GIF without a header")
    wish.check(struct.unpack_from("<HH", data, 6), most=_MAX_PIXELS)
    stream = _first_frame(data)
    image = GifImagePlugin.GifImageFile(io.BytesIO(stream))
    wish.check(image.size, most=_MAX_PIXELS)
    fit = wish.fit(image.size)

    whole = (0, 0, *image.size)
    place = image.tile[0].extents or whole

    def load(*_: object) -> Image.Image:
        image.load()
        shown = image if place == whole else _on_nothing(image, place)
        return bands.shrunk(shown, fit.factor)

    return Opened(size=image.size, fit=fit, load=load, crisp=True)


def _on_nothing(image: Image.Image, place: tuple[int, int, int, int]) -> Image.Image:
    """A frame that is smaller than its picture: browsers leave the rest empty, whatever the file says."""
    whole = Image.new("RGBA", image.size)
    whole.paste(image.crop(place).convert("RGBA"), place)
    return whole


def _first_frame(data: memoryview) -> bytes:
    at = 13 + _table_bytes(data[10])
    kept = [data[:at]]
    for _ in range(_MAX_EXTENSIONS):
        kind = _byte(data, at)
        if kind == _IMAGE:
            end = _end_of_pieces(data, at + 11 + _table_bytes(_byte(data, at + 9)))
            # Where the end of the pieces is missing, the decoder tells whether a part of the picture is.
            return b"".join([*kept, data[at:end], bytes([0, _TRAILER])])
        if kind != _EXTENSION:
            break
        end = _end_of_pieces(data, at + 2)
        if _byte(data, at + 1) == _GRAPHIC_CONTROL:
            kept.append(data[at:end])
        at = end
    raise MediaRejected("corrupt", "a GIF without a frame")


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
    raise MediaRejected("corrupt", "a GIF in far too many pieces")


def _byte(data: memoryview, at: int) -> int:
    if at >= len(data):
        raise MediaRejected("corrupt", "a GIF that ends too early")
    return data[at]
