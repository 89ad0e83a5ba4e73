"""WebP: its first frame."""

import mmap
import struct
from typing import Any

from PIL import Image, WebPImagePlugin

from normalizer.media import MediaRejected

from . import bands, orientation
from .canvas import BYTES_PER_PIXEL
from .opened import Opened, Seen, Wish

#: libwebp holds twelve bytes a pixel: the picture, and a canvas as if it moved.
_MAX_PIXELS, _LARGE = 16_000_000, 8_000_000


def open_webp(data: memoryview, wish: Wish) -> Opened:
    size = _sides(data)
    wish.check(size, most=_MAX_PIXELS)
    wish.check_substance(size, len(data), _LARGE)
    # Pillow's own class would keep the pixels twice.
    library: Any = WebPImagePlugin._webp  # type: ignore[attr-defined]  # noqa: SLF001
    decoder = library.WebPAnimDecoder(bytes(data))
    size, _, _, _, mode = decoder.get_info()
    wish.check(size, most=_MAX_PIXELS)
    fit = wish.fit(size)

    def load(ground: mmap.mmap | None, seen: Seen) -> Image.Image:
        frame = decoder.get_next()
        if frame is None:
            raise MediaRejected("corrupt", "a WebP that ends before its picture")
        stored = "RGBX" if mode == "RGB" else mode
        stride = size[0] * BYTES_PER_PIXEL
        return bands.Rows(frame[0], size, mode, stride, stored).shown(ground, fit.factor, seen)

    return Opened(
        size=size,
        fit=fit,
        load=load,
        lays=bands.laid(mode, size, fit),
        orientation=orientation.stated(
            decoder.get_chunk("EXIF") or b"", decoder.get_chunk("XMP ") or b""
        ),
        profile=decoder.get_chunk("ICCP") or None,
        crisp=bytes(data[12:16]) == b"VP8L",
    )


def _sides(data: memoryview) -> tuple[int, int]:
    """Width and height, as the first chunk states them (WebP container specification)."""
    kind = bytes(data[12:16])
    try:
        if kind == b"VP8X":
            low, high = bytes(data[24:27]), bytes(data[27:30])
            return int.from_bytes(low, "little") + 1, int.from_bytes(high, "little") + 1
        if kind == b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    except struct.error:
        pass
    raise MediaRejected("corrupt", "a WebP without a picture")
