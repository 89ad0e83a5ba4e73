"""WebP: its picture, or of one that moves the first frame."""

import ctypes
import mmap
import struct
from typing import Any

from PIL import Image, WebPImagePlugin

from normalizer.canvas import BYTES_PER_PIXEL, reduced
from normalizer.media import MediaRejected

from . import downscaling, libwebp, orientation, pixel_memory
from .libwebp import Facts
from .opened import Opened, Seen, Wish

#: Of a picture that moves the library holds twelve bytes a pixel, of a lossless one four, of others hardly any.
_MAX_MOVING, _MAX_LOSSLESS = 16_000_000, 32_000_000

#: From so many pixels on there must be something of them.
_LARGE = 8_000_000

_ABOUT = frozenset({b"EXIF", b"XMP ", b"ICCP"})
_MAX_CHUNKS = 10_000


def open_webp(data: memoryview, wish: Wish) -> Opened:
    size = _sides(data)
    wish.check(size)
    wish.check_substance(size, len(data), _LARGE)
    content, library = bytes(data), libwebp.library()
    facts = libwebp.still(library, content) if library else None
    if library and facts:
        return _still(library, content, facts, wish)
    wish.check(size, most=_MAX_MOVING)
    return _moving(content, wish)


def _still(library: ctypes.CDLL, content: bytes, facts: Facts, wish: Wish) -> Opened:
    size, mode = facts.size, "RGBA" if facts.translucent else "RGB"
    wish.check(size, most=_MAX_LOSSLESS if facts.lossless else None)
    wish.check_substance(size, len(content), _LARGE)
    fit = wish.fit(size)
    about = _about(content)

    def load(ground: mmap.mmap | None, _: Seen) -> Image.Image:
        goal = reduced(size, fit.factor)
        ground = pixel_memory.private(*goal) if ground is None else ground
        libwebp.decode(library, content, size, pixel_memory.pixels(ground, *goal))
        return pixel_memory.laid_over(ground, *goal, mode)

    return Opened(
        size=size,
        fit=fit,
        load=load,
        lays=downscaling.laid(mode, size, fit),
        orientation=orientation.stated(about.get(b"EXIF", b""), about.get(b"XMP ", b"")),
        profile=about.get(b"ICCP"),
        crisp=facts.lossless,
    )


def _moving(content: bytes, wish: Wish) -> Opened:
    # Pillow's own class would keep the pixels twice.
    library: Any = WebPImagePlugin._webp  # type: ignore[attr-defined]  # noqa: SLF001
    decoder = library.WebPAnimDecoder(content)
    size, _, _, _, mode = decoder.get_info()
    wish.check(size, most=_MAX_MOVING)
    fit = wish.fit(size)

    def load(ground: mmap.mmap | None, seen: Seen) -> Image.Image:
        frame = decoder.get_next()
        if frame is None:
            raise MediaRejected("corrupt", "a WebP that ends before its picture")
        stored = "RGBX" if mode == "RGB" else mode
        stride = size[0] * BYTES_PER_PIXEL
        return downscaling.Rows(frame[0], size, mode, stride, stored).shown(
            ground, fit.factor, seen
        )

    return Opened(
        size=size,
        fit=fit,
        load=load,
        lays=downscaling.laid(mode, size, fit),
        orientation=orientation.stated(
            decoder.get_chunk("EXIF") or b"", decoder.get_chunk("XMP ") or b""
        ),
        profile=decoder.get_chunk("ICCP") or None,
        crisp=content[12:16] == b"VP8L",
    )


def _about(content: bytes) -> dict[bytes, bytes]:
    """The first of each chunk that says something about the picture."""
    found: dict[bytes, bytes] = {}
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(content):
            break
        name, size = struct.unpack_from("<4sI", content, at)
        if name in _ABOUT:
            found.setdefault(name, content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found


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
