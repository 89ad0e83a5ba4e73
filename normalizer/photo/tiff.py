"""TIFF, as scanners and fax services send it: the first page."""

import io
import struct

from PIL import Image, TiffImagePlugin

from normalizer.media import MediaRejected

from . import bands
from .opened import Opened, Wish

#: Bytes of one value of each field type (TIFF 6.0, page 15).
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_MAX_ENTRIES = 512

#: All pixels lie in memory at once: those of an A4 page at 500 dots per inch, or at 800 without colour.
_MAX_BYTES = 120_000_000
_NARROW = frozenset({"1", "L", "P"})

_WIDTH, _HEIGHT, _ICC = 256, 257, 34675


def open_tiff(data: memoryview, wish: Wish) -> Opened:
    wish.check(_sides(data))
    image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    wish.check(image.size, most=_MAX_BYTES // (1 if image.mode in _NARROW else 4))
    fit = wish.fit(image.size)

    def load(_: object) -> Image.Image:
        # Pillow turns TIFF upright while it loads.
        image.load()
        return bands.shrunk(image, fit.factor)

    profile = image.tag_v2.get(_ICC)
    return Opened(
        size=image.size,
        fit=fit,
        load=load,
        profile=profile if isinstance(profile, bytes) else None,
        crisp=True,
    )


def _sides(data: memoryview) -> tuple[int, int]:
    """Width and height of the first page; refuses a directory whose fields claim the file many times."""
    order = "<" if bytes(data[:2]) == b"II" else ">"
    try:
        return _read_sides(data, order)
    except struct.error:
        raise MediaRejected("corrupt", "a TIFF without a directory") from None


def _read_sides(data: memoryview, order: str) -> tuple[int, int]:
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    sides = {_WIDTH: 0, _HEIGHT: 0}
    claimed = 0
    if count > _MAX_ENTRIES:
        raise MediaRejected("corrupt", f"a TIFF page with {count} fields")
    for index in range(count):
        tag, kind, many = struct.unpack_from(order + "HHI", data, start + 2 + 12 * index)
        claimed += many * _VALUE_BYTES.get(kind, 1)
        if tag in sides:
            form = "H" if kind == 3 else "I"
            (sides[tag],) = struct.unpack_from(order + form, data, start + 10 + 12 * index)
    if claimed > 2 * len(data) + 65536:
        raise MediaRejected("corrupt", "a TIFF whose fields claim more than there is")
    return sides[_WIDTH], sides[_HEIGHT]
