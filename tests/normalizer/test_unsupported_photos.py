"""Variants of known formats that we cannot decode are unsupported; the file is not called damaged."""

import re
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from .assertions import alike, colour, shown
from .conftest import Sanitize
from .media_samples import encoded, quadrants
from .video_assertions import rejection_reason

pytestmark = pytest.mark.asyncio(loop_scope="module")


def framed(
    *, marker: int | None = None, bits: int | None = None, channels: int | None = None
) -> bytes:
    """Return a JPEG whose frame header states another process, precision or number of channels."""
    photo = bytearray(encoded(quadrants()))
    found = re.search(rb"\xff\xc0", photo)
    assert found
    at = found.start()
    if channels is not None:
        photo[at + 9] = channels
        extra = b"".join(bytes([number, 0x11, 0]) for number in range(4, channels + 1))
        (size,) = struct.unpack_from(">H", photo, at + 2)
        struct.pack_into(">H", photo, at + 2, 8 + 3 * channels)
        photo[at + 2 + size : at + 2 + size] = extra
        if channels < 3:
            del photo[at + 4 + 6 + 3 * channels : at + 2 + size]
    if marker is not None:
        photo[at + 1] = marker
    if bits is not None:
        photo[at + 4] = bits
    return bytes(photo)


def from_video_encoder(codec: str, pixel_format: str) -> bytes:
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 240, pixel_format
    encoder.time_base = Fraction(1, 1)
    frame = av.VideoFrame.from_ndarray(np.asarray(quadrants(320, 240)), format="rgb24")
    frame = frame.reformat(format=pixel_format)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize("bits", [2, 12, 16])
async def test_a_jpeg_of_another_precision_is_unsupported(sanitize: Sanitize, bits: int) -> None:
    assert await rejection_reason(sanitize, framed(bits=bits)) == "unsupported_type"
    assert await rejection_reason(sanitize, framed(bits=bits, marker=0xC1)) == "unsupported_type"


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7])
async def test_a_jpeg_of_another_process_is_unsupported(sanitize: Sanitize, marker: int) -> None:
    assert await rejection_reason(sanitize, framed(marker=marker)) == "unsupported_type"


@pytest.mark.parametrize("channels", [2, 5])
async def test_a_jpeg_of_odd_channels_is_unsupported(sanitize: Sanitize, channels: int) -> None:
    assert await rejection_reason(sanitize, framed(channels=channels)) == "unsupported_type"


@pytest.mark.parametrize(
    ("codec", "pixel_format"), [("ljpeg", "bgr24"), ("ljpeg", "yuvj444p"), ("jpegls", "rgb24")]
)
async def test_a_lossless_jpeg_is_unsupported(
    sanitize: Sanitize, codec: str, pixel_format: str
) -> None:
    source = from_video_encoder(codec, pixel_format)
    assert await rejection_reason(sanitize, source) == "unsupported_type"


@pytest.mark.parametrize("compression", [99, 34712, 34887, 34925 - 1, 50001, 50002])
async def test_a_tiff_of_another_compression_is_unsupported(
    sanitize: Sanitize, compression: int
) -> None:
    source = encoded(quadrants(), "TIFF")
    field = struct.pack("<HHIH", 259, 3, 1, 1)
    assert field in source
    source = source.replace(field, struct.pack("<HHIH", 259, 3, 1, compression))
    assert await rejection_reason(sanitize, source) == "unsupported_type"


async def test_an_extended_jpeg_of_eight_bits_is_ready(sanitize: Sanitize) -> None:
    image = shown(await sanitize(framed(marker=0xC1)), "preview")
    assert alike(colour(image, 0.25, 0.25), (220, 40, 40), 12)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
async def test_jpegs_of_one_and_four_channels_are_ready(sanitize: Sanitize, mode: str) -> None:
    clean = await sanitize(encoded(Image.new(mode, (64, 64))))
    assert (clean.width, clean.height) == (64, 64)
