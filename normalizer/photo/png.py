"""PNG: the chunks that make the picture, and nothing of the others."""

import io
import struct
import zlib

from PIL import Image, PngImagePlugin

from normalizer.media import MediaRejected

from . import colour, orientation
from .opened import Opened, Wish

_SIGNATURE_BYTES = 8
_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})

#: Not even 25 MB in pieces of a hundred bytes has more.
_MAX_CHUNKS = 250_000


def open_png(data: memoryview, wish: Wish) -> Opened:
    """The photo; of an animated PNG the picture that viewers without animation show."""
    stream, extras = _essence(data)
    if len(stream) < 33 or stream[12:16] != b"IHDR":
        raise MediaRejected("corrupt", "a PNG without a header")
    width, height = struct.unpack_from(">II", stream, 16)
    wish.check(width, height)
    image = PngImagePlugin.PngImageFile(io.BytesIO(stream))

    def load(_: object) -> Image.Image:
        image.load()
        return image

    exif = extras.get(b"eXIf", b"")
    return Opened(
        size=(width, height),
        load=load,
        orientation=orientation.of_exif(exif),
        profile=_profile(extras.get(b"iCCP", b"")),
        crisp=True,
    )


def _essence(data: memoryview) -> tuple[bytes, dict[bytes, bytes]]:
    """The file without what only describes it, and the first of each describing chunk we use."""
    kept: list[memoryview] = [data[:_SIGNATURE_BYTES]]
    extras: dict[bytes, bytes] = {}
    at = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            break
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if name in _PICTURE:
            kept.append(data[at:end])
        elif name in {b"eXIf", b"iCCP"} and end <= len(data):
            extras.setdefault(name, bytes(data[at + 8 : end - 4]))
        if name == b"IEND":
            return b"".join(kept), extras
        at = end
    else:
        raise MediaRejected("corrupt", "a PNG in far too many pieces")
    return b"".join(kept), extras


def _profile(chunk: bytes) -> bytes | None:
    _, separator, packed = chunk.partition(b"\0")
    if not separator or packed[:1] != b"\0":
        return None
    try:
        return zlib.decompressobj().decompress(packed[1:], colour.MAX_PROFILE_BYTES) or None
    except zlib.error:
        return None
