"""WebP: the picture, or the first frame of an animation that shows something."""

import ctypes
import mmap
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, WebPImagePlugin

from normalizer.canvas import BYTES_PER_PIXEL, reduced_size
from normalizer.media import MediaRejected

from . import downscaling, libwebp, orientation, pixel_memory
from .first_shown import alpha_of, first_shown
from .libwebp import Header
from .opened import DecodeLimits, OnRows, OpenedPhoto
from .shared_libraries import statements

#: The library holds twelve bytes a pixel of an animation, four of a lossless picture, almost none of others.
_MAX_ANIMATED, _MAX_LOSSLESS = 16_000_000, 32_000_000

#: Pictures of more pixels must have some content.
_LARGE = 8_000_000

_OPAQUE = np.full(1, 255, np.uint8)

_METADATA = frozenset({b"EXIF", b"XMP ", b"ICCP"})
_MAX_CHUNKS = 10_000


def open_webp(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    size = _size(data)
    limits.check(size)
    limits.check_density(size, len(data), _LARGE)
    content, library = bytes(data), libwebp.library()
    header = libwebp.read_still(library, content) if library else None
    if library and header:
        return _open_still(library, content, header, limits)
    limits.check(size, most=_MAX_ANIMATED)
    return _open_animation(content, limits)


def _open_still(
    library: ctypes.CDLL, content: bytes, header: Header, limits: DecodeLimits
) -> OpenedPhoto:
    size, mode = header.size, "RGBA" if header.translucent else "RGB"
    limits.check(size, most=_MAX_LOSSLESS if header.lossless else None)
    limits.check_density(size, len(content), _LARGE)
    fit = limits.fit(size)
    metadata = _metadata_chunks(content)

    def load(memory: mmap.mmap | None, _: OnRows) -> Image.Image:
        target_size = reduced_size(size, fit.factor)
        memory = pixel_memory.allocate(*target_size) if memory is None else memory
        libwebp.decode(library, content, size, pixel_memory.pixels(memory, *target_size))
        return pixel_memory.image_over(memory, *target_size, mode)

    return OpenedPhoto(
        size=size,
        fit=fit,
        load=load,
        canvas_mode=downscaling.canvas_mode(mode, size, fit),
        orientation=orientation.from_metadata(
            metadata.get(b"EXIF", b""), metadata.get(b"XMP ", b"")
        ),
        profile=metadata.get(b"ICCP"),
        lossless=header.lossless,
    )


def _open_animation(content: bytes, limits: DecodeLimits) -> OpenedPhoto:
    # Pillow's own class would keep two copies of the pixels.
    library: Any = WebPImagePlugin._webp  # type: ignore[attr-defined]  # noqa: SLF001
    with statements():
        decoder = library.WebPAnimDecoder(content)
    size, _, _, _, mode = decoder.get_info()
    limits.check(size, most=_MAX_ANIMATED)
    fit = limits.fit(size)

    def load(memory: mmap.mmap | None, on_rows: OnRows) -> Image.Image:
        rows = first_shown(_frames(decoder, mode), size)
        if rows is None:
            raise MediaRejected("corrupt", "the WebP ends before its picture")
        stored = "RGBX" if mode == "RGB" else mode
        stride = size[0] * BYTES_PER_PIXEL
        return downscaling.RawRows(rows, size, mode, stride, stored).to_image(
            memory, fit.factor, on_rows
        )

    return OpenedPhoto(
        size=size,
        fit=fit,
        load=load,
        canvas_mode=downscaling.canvas_mode(mode, size, fit),
        orientation=orientation.from_metadata(
            decoder.get_chunk("EXIF") or b"", decoder.get_chunk("XMP ") or b""
        ),
        profile=decoder.get_chunk("ICCP") or None,
        lossless=content[12:16] == b"VP8L",
    )


def _frames(decoder: Any, mode: str) -> Iterator[tuple[bytes, NDArray[np.uint8]]]:
    """Yield the frames with their alpha. An opaque one is the last, because it shows something."""
    while True:
        with statements():
            frame = decoder.get_next()
        if frame is None:
            return
        rows = frame[0]
        yield rows, alpha_of(rows) if mode == "RGBA" else _OPAQUE


def _metadata_chunks(content: bytes) -> dict[bytes, bytes]:
    """Return the first of each metadata chunk."""
    found: dict[bytes, bytes] = {}
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(content):
            break
        name, size = struct.unpack_from("<4sI", content, at)
        if name in _METADATA:
            found.setdefault(name, content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found


def _size(data: memoryview) -> tuple[int, int]:
    """Return width and height as the first chunk states them (WebP container specification)."""
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
    raise MediaRejected("corrupt", "the WebP has no picture")
