"""TIFF from scanners and fax services: the first page."""

import io
import struct
from dataclasses import dataclass

from PIL import Image, ImagePalette, TiffImagePlugin

from normalizer.canvas import Size
from normalizer.media import MediaRejected

from . import downscaling
from .opened import DecodeLimits, OpenedPhoto

#: Bytes of one value of each field type (TIFF 6.0, page 15).
_VALUE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_MAX_ENTRIES = 512
_MAX_CLAIMS = 16_000_000

#: A side is a short or long number, in BigTIFF also a longer one.
_SIZE_FORMATS = {3: "H", 4: "I", 16: "Q"}

#: All pixels are in memory at once: an A4 page at 500 dots per inch, or at 800 without colour.
_MAX_BYTES = 120_000_000
_NARROW = frozenset({"1", "L", "P"})

_WIDTH, _HEIGHT, _ICC = 256, 257, 34675
_COLOUR_MAP, _MOST_NARROW = 320, 255
_TILE_WIDTH = 322
_PLANAR, _IN_PLANES = 284, 2
_PHOTOMETRIC, _LUMA_AND_CHROMA = 262, 6
#: A compression that the library knows by name, but is built without: WebP.
_COMPRESSION, _NOT_BUILT_IN = 259, frozenset({50001})
#: Whether each pixel has its own colour or several share one.
_SAMPLING, _EACH = 530, (1, 1)


def open_tiff(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    limits.check(_size(data))
    image = _open(data)
    limits.check(image.size, most=_MAX_BYTES // (1 if image.mode in _NARROW else 4))
    fit = limits.fit(image.size)

    def load(*_: object) -> Image.Image:
        # Pillow turns a TIFF upright while loading it.
        image.load()
        return downscaling.downscaled(image, fit.factor)

    profile = image.tag_v2.get(_ICC)
    return OpenedPhoto(
        size=image.size,
        fit=fit,
        load=load,
        profile=profile if isinstance(profile, bytes) else None,
        lossless=True,
    )


def _open(data: memoryview) -> TiffImagePlugin.TiffImageFile:
    image = _parse(data)
    if _needs_libtiff(image):
        # A sandbox runs one job, so this setting affects only this file.
        TiffImagePlugin.READ_LIBTIFF = True
        image = _parse(data)
    if image.tag_v2.get(_COMPRESSION) in _NOT_BUILT_IN:
        raise MediaRejected("unsupported_type", "the TIFF has an unsupported compression")
    palette = image.tag_v2.get(_COLOUR_MAP, ())
    if image.mode == "P" and palette and max(palette) <= _MOST_NARROW:
        # Some scanner drivers fill a sixteen-bit colour table with eight-bit values, which would look black.
        image.palette = ImagePalette.raw("RGB;L", bytes(palette))
    return image


def _parse(data: memoryview) -> TiffImagePlugin.TiffImageFile:
    try:
        return TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    except SyntaxError as exc:
        # The library raises this for unknown layouts.
        raise MediaRejected(
            "unsupported_type", f"the TIFF has an unsupported layout: {exc}"
        ) from None


def _needs_libtiff(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether uncompressed pixels have a layout that only libtiff can decode."""
    tags = image.tag_v2
    coarse = tags.get(_PHOTOMETRIC) == _LUMA_AND_CHROMA and tags.get(_SAMPLING) != _EACH
    return _TILE_WIDTH in tags or tags.get(_PLANAR) == _IN_PLANES or coarse


@dataclass(frozen=True, slots=True)
class _Layout:
    """The layout of a directory: classic TIFF, or BigTIFF with wider numbers."""

    start: str
    start_at: int
    count: str
    entry: str
    value_at: int


_CLASSIC = _Layout("I", 4, "H", "HHI", 8)
_BIG = _Layout("Q", 8, "Q", "HHQ", 12)
_BIG_VERSION = 43


def _size(data: memoryview) -> Size:
    """Return width and height of the first page. Refuse a directory whose fields claim the file many times over."""
    order = "<" if bytes(data[:2]) == b"II" else ">"
    try:
        (version,) = struct.unpack_from(order + "H", data, 2)
        return _read_size(data, order, _BIG if version == _BIG_VERSION else _CLASSIC)
    except struct.error:
        raise MediaRejected("corrupt", "the TIFF has no directory") from None


def _read_size(data: memoryview, order: str, layout: _Layout) -> Size:
    (start,) = struct.unpack_from(order + layout.start, data, layout.start_at)
    (count,) = struct.unpack_from(order + layout.count, data, start)
    if count > _MAX_ENTRIES:
        raise MediaRejected("corrupt", f"the TIFF page has {count} fields")
    found = {_WIDTH: 0, _HEIGHT: 0}
    size = struct.calcsize(order + layout.entry) + struct.calcsize(order + layout.start)
    first = start + struct.calcsize(order + layout.count)
    claimed = 0
    for at in range(first, first + count * size, size):
        tag, kind, values = struct.unpack_from(order + layout.entry, data, at)
        # The library reads no more than the file holds, but it does so for each field.
        claimed += min(values * _VALUE_BYTES.get(kind, 1), len(data))
        if tag in found:
            size_format = _SIZE_FORMATS.get(kind, "I")
            (found[tag],) = struct.unpack_from(order + size_format, data, at + layout.value_at)
    if claimed > 2 * len(data) + _MAX_CLAIMS:
        raise MediaRejected("corrupt", "the TIFF's fields claim more than the file holds")
    return found[_WIDTH], found[_HEIGHT]
