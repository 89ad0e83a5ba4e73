"""WebP: its first frame."""

import io
import struct

from PIL import Image, WebPImagePlugin

from normalizer.media import MediaRejected

from . import orientation
from .opened import Opened, Wish

#: libwebp holds an animation canvas twice and each frame twice more: sixteen bytes a pixel.
_MAX_PIXELS = 12_000_000


def open_webp(data: memoryview, wish: Wish) -> Opened:
    sides = _sides(data)
    wish.check(*sides, most=_MAX_PIXELS)
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
    wish.check(*image.size, most=_MAX_PIXELS)

    def load(_: object) -> Image.Image:
        image.load()
        return image

    exif = image.info.get("exif", b"")
    return Opened(
        size=image.size,
        load=load,
        orientation=orientation.of_exif(exif),
        profile=image.info.get("icc_profile"),
        crisp=data[12:16] == b"VP8L",
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
