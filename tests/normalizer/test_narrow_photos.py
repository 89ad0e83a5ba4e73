"""Pictures of one or a few pixels across: lines, rulers and cut-off edges are photos like any other."""

import io
import random

import pytest
from PIL import Image

from .assertions import rendition, shown
from .conftest import Sanitize
from .media_samples import encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The longest side that each format, or the library that encodes the samples, can hold.
LONGEST = {
    "JPEG": 65_500,
    "PNG": 70_000,
    "GIF": 65_535,
    "WEBP": 16_383,
    "TIFF": 70_000,
    "AVIF": 9_000,
    "HEIF": 9_000,
}
SHORT = (1, 2, 3, 5, 7, 8, 9, 15, 17, 33, 63)


def narrow_sizes(form: str) -> list[tuple[int, int]]:
    """Return sizes around the limits, and some of no particular kind, standing and lying."""
    chosen = random.Random(form)  # the same sizes in every run
    longest = LONGEST[form]
    sizes = [(1, longest), (1, 4096), (1, 4097), (1, 9000), (2, 8193), (3, 8999), (1, 1)]
    sizes += [(chosen.choice(SHORT), chosen.randint(1, longest)) for _ in range(6)]
    # The library's encoder of HEVC needs thirty-two pixels; its decoder does not.
    least = 32 if form == "HEIF" else 1
    sizes = [(max(least, short), max(least, long)) for short, long in sizes]
    return [size for pair in sizes for size in (pair, pair[::-1])]


def narrow(form: str, size: tuple[int, int], mode: str) -> bytes:
    image = Image.new(mode, size, (200, 30, 30) if mode == "RGB" else 90)
    if form == "HEIF":
        import pillow_heif

        buffer = io.BytesIO()
        pillow_heif.from_pillow(image.convert("RGB")).save(buffer, quality=50)
        return buffer.getvalue()
    return encoded(image, form)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("form", LONGEST)
async def test_narrow_and_flat_pictures_are_ready(sanitize: Sanitize, form: str, mode: str) -> None:
    for size in narrow_sizes(form):
        clean = await sanitize(narrow(form, size, mode))
        assert (clean.width, clean.height) == size
        preview = shown(clean, "preview")
        assert min(max(size), 2048) <= max(preview.size) <= 4096, size
        assert rendition(clean, "thumbnail").width <= 320


@pytest.mark.parametrize("orientation", [1, 6])
async def test_a_jpeg_one_pixel_wide_is_ready(sanitize: Sanitize, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = encoded(Image.new("RGB", (1, 9000), (200, 30, 30)), exif=exif.tobytes())
    clean = await sanitize(source)
    assert {clean.width, clean.height} == {1, 9000}
    assert {rendition(clean, "preview").width, rendition(clean, "preview").height} == {1, 4096}
