"""PNG: only the chunks that make the picture."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from normalizer.canvas import Size
from normalizer.media import MediaRejected

from . import coded_colour, colour, downscaling, first_shown, orientation, pixel_modes
from .coded_colour import CodedColours
from .opened import DecodeLimits, OpenedPhoto

_SIGNATURE_BYTES = 8
#: The colour type in the header, which is the first chunk.
_COLOURS_AT = 25
_USED = frozenset({b"eXIf", b"iCCP", b"iTXt", b"acTL"})
#: Colours without a profile. They count only before the palette and the picture.
_COLOURS = frozenset({b"cICP", b"sRGB", b"gAMA", b"cHRM"})
_FULL_RANGE_RGB = b"\0\1"
_XMP = b"XML:com.adobe.xmp"
_MAX_XMP_BYTES = 1_000_000
_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})

#: A picture of more pixels is decoded in steps if its kind allows that; otherwise its size is limited.
_LARGE = 16_000_000
_MAX_WHOLE_BYTES = 135_000_000
_EIGHT_BITS, _WIDE_DEPTH = 255, 16
_WIDE = frozenset({"RGB", "RGBA", "LA", "PA", "I", "I;16"})

#: Alpha doubles the time. A picture is refused if it takes more than half a second and is compressed like an empty
#: one.
_LARGE_TRANSLUCENT, _PIXELS_OF_A_BYTE = 32_000_000, 200

#: Bytes of the transparent colour by colour type (PNG, 11.3.1.1).
_PALETTE, _TRANSPARENT_BYTES = 3, {0: 2, 2: 6}

#: 25 MB in chunks of a hundred bytes have fewer.
_MAX_CHUNKS = 250_000


def open_png(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    """Open the photo; of an animated PNG, the picture that viewers without animation show."""
    stream, metadata = _split_chunks(data)
    if len(stream) < 33 or stream[12:16] != b"IHDR":
        raise MediaRejected("corrupt", "the PNG has no header")
    size: Size = struct.unpack_from(">II", stream, 16)
    limits.check(size)
    image = PngImagePlugin.PngImageFile(io.BytesIO(stream))
    if image.mode == "RGBA":
        limits.check_density(size, len(data), _LARGE_TRANSLUCENT, _PIXELS_OF_A_BYTE)
    fit = limits.fit(size)
    animated = b"acTL" in metadata and size[0] * size[1] <= _LARGE
    is_streamed = size[0] * size[1] > _LARGE and fit.factor > 1 and _can_stream(image)
    if size[0] * size[1] > _LARGE and not is_streamed:
        # Bytes a pixel in Pillow. A picture that fits at full size is not larger than the preview.
        limits.check(size, most=_MAX_WHOLE_BYTES // (4 if image.mode in _WIDE else 1))

    def load(*_: object) -> Image.Image:
        if is_streamed:
            return downscaling.StreamedPng(image, fit.factor).decode()
        image.load()
        picture = _fix_transparency(image, depth=stream[24])
        if animated and first_shown.is_empty(picture):
            picture = _first_shown(data) or picture
        return downscaling.downscaled(picture, fit.factor)

    turn = orientation.from_metadata(metadata.get(b"eXIf", b""), _xmp(metadata.get(b"iTXt", b"")))
    return OpenedPhoto(
        size=size,
        fit=fit,
        load=load,
        orientation=turn,
        profile=_profile(metadata.get(b"iCCP", b"")),
        colours=_coded_colours(metadata),
        lossless=True,
    )


def _fix_transparency(image: Image.Image, depth: int) -> Image.Image:
    """Scale the transparent colour, which the library compares as if all pictures had eight bits a channel."""
    transparent: Any = image.info.get("transparency")
    if isinstance(transparent, int) and image.mode.startswith("I;16"):
        opacity = np.where(np.asarray(image) == transparent, 0, 255).astype(np.uint8)
        result = pixel_modes.to_eight_bits(image)
        result.putalpha(Image.fromarray(opacity))
        return result
    if isinstance(transparent, int) and image.mode == "L":
        image.info["transparency"] = transparent * _EIGHT_BITS // (2**depth - 1)
    elif isinstance(transparent, tuple) and depth == _WIDE_DEPTH:
        image.info["transparency"] = tuple(each >> 8 for each in transparent)
    return image


def _can_stream(image: PngImagePlugin.PngImageFile) -> bool:
    """Whether rows are in order, have four bytes a pixel, and no colour is transparent."""
    return (
        image.mode in {"RGB", "RGBA"}
        and len(image.tile) == 1
        and not image.info.get("interlace")
        and "transparency" not in image.info
    )


def _first_shown(data: memoryview) -> Image.Image | None:
    """Return the first frame of an animation that shows something, or None if its frames cannot be decoded."""
    stream, _ = _split_chunks(data, _PICTURE | _ANIMATION)
    try:
        return first_shown.seek_shown(PngImagePlugin.PngImageFile(io.BytesIO(stream)))
    except (SyntaxError, OSError, EOFError, ValueError, LookupError):
        return None


def _split_chunks(
    data: memoryview, picture: frozenset[bytes] = _PICTURE
) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the file without descriptive chunks, and the first of each descriptive chunk that is used."""
    kept: list[memoryview] = [data[:_SIGNATURE_BYTES]]
    metadata: dict[bytes, bytes] = {}
    sizes: dict[bytes, int] = {}
    at = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            break
        size, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if name in picture and not (name == b"tRNS" and _is_out_of_place(data, sizes, size)):
            kept.append(data[at:end])
            sizes[name] = size
        elif end <= len(data) and _is_used(name, data[at + 8 : end - 4], sizes):
            metadata.setdefault(name, bytes(data[at + 8 : end - 4]))
        if name == b"IEND":
            return b"".join(kept), metadata
        at = end
    else:
        raise MediaRejected("corrupt", "the PNG has far too many chunks")
    return b"".join(kept), metadata


def _is_out_of_place(data: memoryview, before: dict[bytes, int], size: int) -> bool:
    """Whether a transparency chunk is ignored by viewers: repeated, too early, too late, or of the wrong length."""
    if b"IHDR" not in before or {b"tRNS", b"IDAT"} & before.keys():
        return True
    if data[_COLOURS_AT] == _PALETTE:
        return not 0 < size <= before.get(b"PLTE", 0) // 3
    return size != _TRANSPARENT_BYTES.get(data[_COLOURS_AT])


def _is_used(name: bytes, content: memoryview, before: dict[bytes, int]) -> bool:
    if name in _COLOURS:
        return not {b"PLTE", b"IDAT"} & before.keys()
    return name in _USED and (name != b"iTXt" or bytes(content[: len(_XMP)]) == _XMP)


def _coded_colours(metadata: dict[bytes, bytes]) -> CodedColours | None:
    """Return the colours that count more than a profile, or that stand in for one (PNG, third edition, 4.3)."""
    codes = metadata.get(b"cICP", b"")
    if len(codes) == _CICP_BYTES and codes[2:] == _FULL_RANGE_RGB:
        coded = coded_colour.from_cicp(codes[0], codes[1])
        if coded is not None:
            return coded
    gamma = metadata.get(b"gAMA", b"")
    if len(gamma) != _GAMMA_BYTES or {b"iCCP", b"sRGB"} & metadata.keys():
        return None
    return coded_colour.from_gamma(
        _UNITS / max(1, int.from_bytes(gamma, "big")), _chromaticities(metadata)
    )


_CICP_BYTES, _GAMMA_BYTES, _CHROMATICITIES, _UNITS = 4, 4, ">8I", 100_000


def _chromaticities(metadata: dict[bytes, bytes]) -> coded_colour.Chromaticities | None:
    chunk = metadata.get(b"cHRM", b"")
    if len(chunk) != struct.calcsize(_CHROMATICITIES):
        return None
    wx, wy, *colours = (each / _UNITS for each in struct.unpack(_CHROMATICITIES, chunk))
    rx, ry, gx, gy, bx, by = colours
    return rx, ry, gx, gy, bx, by, wx, wy


def _xmp(chunk: bytes) -> bytes:
    """Return the text of an XMP chunk, decompressed as far as it may contain the orientation."""
    packed = chunk[len(_XMP) + 1 : len(_XMP) + 2] == b"\1"
    text = chunk[len(_XMP) + 3 :].partition(b"\0")[2].partition(b"\0")[2]
    if not packed:
        return text
    try:
        return zlib.decompressobj().decompress(text, _MAX_XMP_BYTES)
    except zlib.error:
        return b""


def _profile(chunk: bytes) -> bytes | None:
    _, separator, packed = chunk.partition(b"\0")
    if not separator or packed[:1] != b"\0":
        return None
    try:
        return zlib.decompressobj().decompress(packed[1:], colour.MAX_PROFILE_BYTES) or None
    except zlib.error:
        return None
