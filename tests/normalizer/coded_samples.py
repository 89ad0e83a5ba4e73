"""Pictures whose colours are described by codes or numbers, without an ICC profile."""

import io
import struct
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from .media_samples import encoded

#: x and y of white, red, green and blue, in the order of the PNG chunk.
D65 = (0.3127, 0.3290)
CHRM_SRGB = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
CHRM_P3 = (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
CHRM_ADOBE = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)

Chunk = tuple[bytes, bytes]


def chart(side: int = 8) -> Image.Image:
    """Return nine steps of each channel in every combination, in squares."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    red, green, blue = np.meshgrid(steps, steps, steps, indexing="ij")
    squares = np.stack([red, green, blue], -1).reshape(27, 27, 3)
    return Image.fromarray(squares.repeat(side, 0).repeat(side, 1))


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> Chunk:
    return b"cICP", bytes([primaries, transfer, matrix, full])


def gama(value: float) -> Chunk:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chrm(places: tuple[float, ...]) -> Chunk:
    return b"cHRM", b"".join(struct.pack(">I", round(each * 100_000)) for each in places)


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(image: Image.Image, *chunks: Chunk, before: bytes = b"") -> bytes:
    """Return a PNG with more chunks after the header, or before the chunk of that name."""
    source = encoded(image, "PNG")
    at = source.index(before) - 4 if before else 33
    return source[:at] + b"".join(png_chunk(*each) for each in chunks) + source[at:]


def avif(image: Image.Image, primaries: int, transfer: int) -> bytes:
    source = encoded(image, "AVIF", quality=100, subsampling="4:4:4")
    at = source.index(b"nclx") + 4
    return source[:at] + struct.pack(">HH", primaries, transfer) + source[at + 4 :]


def heic(image: Image.Image, primaries: int, transfer: int, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(
        buffer,
        quality=100,
        chroma=444,
        color_primaries=primaries,
        transfer_characteristics=transfer,
        **options,
    )
    return buffer.getvalue()


def ramp(width: int = 512) -> Image.Image:
    """Return all greys, and all shades from black over each colour to white."""
    shades = np.linspace(0, 255, width).round().astype(np.uint8)
    full, none = np.full_like(shades, 255), np.zeros_like(shades)
    rows = [(shades,) * 3, (shades, none, none), (none, shades, none), (none, none, shades)]
    rows += [(full, shades, shades), (shades, full, shades), (shades, shades, full)]
    bands = [np.stack(row, -1)[None].repeat(16, 0) for row in rows]
    assert all(one.shape == other.shape for one, other in pairwise(bands))
    return Image.fromarray(np.concatenate(bands))
