"""Nothing of a photo but its pixels survives: no metadata, no thumbnail, no appended data."""

import struct
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from normalizer.media import Clean

from .assertions import assert_bare
from .conftest import Sanitize
from .media_samples import encoded, heic, quadrants
from .profiles import DISPLAY_P3, profile

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANARIES = [b"CANARY", b"52.5200", b"iPhone", b"Photoshop", b"http://ns.adobe.com", b"PK\x03\x04"]


def with_segments(photo: bytes) -> bytes:
    """Add everything that cameras and editors leave in a JPEG."""

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x9286] = "CANARY Apple", "iPhone 52.5200", b"CANARY"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    extra = segment(0xE1, exif.tobytes()) + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0CANARY")
    extra += segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x06CANARY") + segment(
        0xFE, b"CANARY"
    )
    extra += segment(0xE2, b"MPF\0CANARY") + segment(0xEB, b"CANARY" * 100)
    extra += segment(0xE2, b"ICC_PROFILE\0\1\1" + profile(DISPLAY_P3))
    return photo[:2] + extra + photo[2:] + b"PK\x03\x04CANARY" + bytes(50_000)


async def test_no_metadata_of_a_jpeg_survives(sanitize: Sanitize) -> None:
    assert_clean_of_canaries(await sanitize(with_segments(encoded(quadrants()))))


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "GIF", "AVIF"])
async def test_no_metadata_of_other_formats_survives(sanitize: Sanitize, form: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "CANARY 52.5200"
    options: dict[str, Any] = {"exif": exif.tobytes()}
    if form == "PNG":
        text = PngInfo()
        text.add_text("Comment", "CANARY")
        text.add_itxt("XML:com.adobe.xmp", "CANARY", zip=True)
        options["pnginfo"] = text
    if form == "GIF":
        options = {"comment": b"CANARY"}
    if form in {"WEBP", "AVIF"}:
        options["xmp"] = b"<x:xmpmeta>CANARY</x:xmpmeta>"
    if form != "GIF":
        options["icc_profile"] = profile(DISPLAY_P3)
    assert_clean_of_canaries(await sanitize(encoded(quadrants(), form, **options) + b"CANARY"))


async def test_no_metadata_of_a_heic_survives(sanitize: Sanitize) -> None:
    image = quadrants()
    image.info["xmp"] = b"CANARY"
    image.info["icc_profile"] = profile(DISPLAY_P3)
    exif = Image.Exif()
    exif[0x010E] = "CANARY 52.5200"
    image.info["exif"] = exif.tobytes()
    assert_clean_of_canaries(await sanitize(heic(image)))


def assert_clean_of_canaries(clean: Clean) -> None:
    for each in clean.renditions:
        for canary in CANARIES:
            assert canary not in bytes(each.content), (each.name, canary)
    assert_bare(clean)
