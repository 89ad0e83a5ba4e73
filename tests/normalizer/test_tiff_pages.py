"""TIFF with more than one picture or without square pixels: faxes, and raw photos of cameras."""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from normalizer.media import Clean

from .assertions import assert_upright, rendition, shown
from .conftest import Sanitize
from .media_samples import encoded, oriented, quadrants
from .video_assertions import rejection_reason

pytestmark = pytest.mark.asyncio(loop_scope="module")

Fields = dict[int, tuple[int, Sequence[int]]]
SHORT, LONG, BYTE = 3, 4, 1
WIDTHS = {BYTE: "B", SHORT: "H", LONG: "I"}


@dataclass(frozen=True)
class Directory:
    """A picture: its fields but for the place of its data, the data, and the pictures that belong to it."""

    fields: Fields
    data: bytes
    inner: tuple["Directory", ...] = ()


def tiff(*pages: Directory) -> bytes:
    """Return a little-endian TIFF with a chain of pages."""
    parts = bytearray(b"II*\0\0\0\0\0")
    link = 4
    for page in pages:
        start, link_after = write(parts, page)
        struct.pack_into("<I", parts, link, start)
        link = link_after
    return bytes(parts)


def write(parts: bytearray, page: Directory) -> tuple[int, int]:
    """Write a directory. Return its offset, and that of the link to the next one."""
    inner = [write(parts, each)[0] for each in page.inner]
    place = len(parts)
    parts += page.data + bytes(len(page.data) % 2)
    fields = {**page.fields, 273: (LONG, [place]), 279: (LONG, [len(page.data)])}
    if inner:
        fields[330] = (LONG, inner)
    entries = b""
    for tag, (kind, values) in sorted(fields.items()):
        packed = struct.pack(f"<{len(values)}{WIDTHS[kind]}", *values)
        if len(packed) > 4:
            at = len(parts)
            parts += packed + bytes(len(packed) % 2)
            packed = struct.pack("<I", at)
        entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    start = len(parts)
    parts += struct.pack("<H", len(fields)) + entries + bytes(4)
    return start, len(parts) - 4


def plain(image: Image.Image, kind: int = 0, **more: Any) -> Directory:
    fields: Fields = {
        254: (LONG, [kind]),
        256: (LONG, [image.width]),
        257: (LONG, [image.height]),
        258: (SHORT, [8, 8, 8]),
        259: (SHORT, [1]),
        262: (SHORT, [2]),
        277: (SHORT, [3]),
        278: (LONG, [image.height]),
    }
    inner = more.pop("inner", ())
    return Directory({**fields, **more.pop("fields", {})}, image.tobytes(), inner)


def sensor(width: int, height: int, photometric: int = 32803) -> Directory:
    fields: Fields = {
        254: (LONG, [0]),
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [16]),
        259: (SHORT, [1]),
        262: (SHORT, [photometric]),
        277: (SHORT, [1]),
    }
    return Directory(fields, bytes(width * height * 2 // 64))


def preview(image: Image.Image, exif: bytes = b"") -> Directory:
    fields: Fields = {
        254: (LONG, [1]),
        256: (LONG, [image.width]),
        257: (LONG, [image.height]),
        258: (SHORT, [8, 8, 8]),
        259: (SHORT, [7]),
        262: (SHORT, [6]),
        277: (SHORT, [3]),
    }
    return Directory(fields, encoded(image, "JPEG", quality=90, **({"exif": exif} if exif else {})))


THUMBNAIL = Image.new("RGB", (256, 171), (90, 90, 90))
DNG: Fields = {50706: (BYTE, [1, 4, 0, 0])}


def raw(*inner: Directory, **fields: Any) -> bytes:
    return tiff(plain(THUMBNAIL, 1, inner=inner, fields={**DNG, **fields.pop("fields", {})}))


# raw photos ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("photometric", [32803, 34892])
async def test_a_dng_shows_its_largest_preview(sanitize: Sanitize, photometric: int) -> None:
    small, large = preview(Image.new("RGB", (1100, 800))), preview(quadrants(2016, 1512))
    clean = await sanitize(raw(sensor(4032, 3024, photometric), small, large))
    assert (clean.width, clean.height) == (2016, 1512)
    assert_upright(shown(clean, "preview"))


@pytest.mark.parametrize("photometric", [32803, 34892])
async def test_a_dng_without_a_preview_is_unsupported(sanitize: Sanitize, photometric: int) -> None:
    source = raw(sensor(4032, 3024, photometric))
    assert await rejection_reason(sanitize, source) == "unsupported_type"


async def test_a_dng_of_a_small_preview_is_unsupported(sanitize: Sanitize) -> None:
    source = raw(sensor(4032, 3024), preview(quadrants(640, 480)))
    assert await rejection_reason(sanitize, source) == "unsupported_type"


async def test_a_dng_of_a_thumbnail_alone_is_unsupported(sanitize: Sanitize) -> None:
    """Its sensor data are in a form that we cannot see."""
    assert await rejection_reason(sanitize, raw(preview(quadrants(200, 100)))) == "unsupported_type"


async def test_a_small_dng_shows_a_preview_of_its_size(sanitize: Sanitize) -> None:
    clean = await sanitize(raw(sensor(640, 480), preview(quadrants(640, 480))))
    assert (clean.width, clean.height) == (640, 480)
    assert_upright(shown(clean, "preview"))


async def test_a_dng_states_the_orientation_of_its_preview(sanitize: Sanitize) -> None:
    lying = quadrants(1200, 1600).transpose(Image.Transpose.ROTATE_90)
    turned: Fields = {274: (SHORT, [6])}
    source = raw(sensor(1600, 1200), preview(lying), fields=turned)
    clean = await sanitize(source)
    assert (clean.width, clean.height) == (1200, 1600)
    assert_upright(shown(clean, "preview"))


async def test_the_orientation_of_a_preview_counts_more(sanitize: Sanitize) -> None:
    upright = preview(quadrants(1600, 1200), exif=oriented(1))
    turned: Fields = {274: (SHORT, [6])}
    clean = await sanitize(raw(sensor(1600, 1200), upright, fields=turned))
    assert (clean.width, clean.height) == (1600, 1200)


async def test_a_preview_that_cannot_be_decoded_is_passed_over(sanitize: Sanitize) -> None:
    broken = preview(quadrants(3000, 2000))
    broken = Directory(broken.fields, broken.data[:2] + bytes(500))
    clean = await sanitize(raw(sensor(4032, 3024), broken, preview(quadrants(1200, 900))))
    assert (clean.width, clean.height) == (1200, 900)


async def test_other_raw_formats_show_the_preview_of_their_first_page(sanitize: Sanitize) -> None:
    """As Sony's and Nikon's: a place and a length instead of a strip."""
    image = encoded(quadrants(1616, 1080))
    first = plain(THUMBNAIL, 1, inner=(sensor(4032, 3024),))
    source = bytearray(tiff(first))
    place = len(source)
    first.fields.update({513: (LONG, [0x11111111]), 514: (LONG, [len(image)])})
    source = bytearray(tiff(first))
    source = bytearray(source.replace(b"\x11\x11\x11\x11", struct.pack("<I", len(source))) + image)
    assert len(source) > place
    clean = await sanitize(bytes(source))
    assert (clean.width, clean.height) == (1616, 1080)
    assert_upright(shown(clean, "preview"))


async def test_canons_newer_raw_photos_are_unsupported(sanitize: Sanitize) -> None:
    source = struct.pack(">I", 24) + b"ftypcrx \0\0\0\1crx isom" + bytes(1000)
    assert await rejection_reason(sanitize, source) == "unsupported_type"


async def test_the_picture_is_shown_and_not_its_small_copy(sanitize: Sanitize) -> None:
    clean = await sanitize(tiff(plain(THUMBNAIL, 1), plain(quadrants(1000, 700))))
    assert (clean.width, clean.height, clean.pages_total) == (1000, 700, 1)
    assert_upright(shown(clean, "preview"))


async def test_a_picture_below_its_small_copy_is_shown(sanitize: Sanitize) -> None:
    clean = await sanitize(tiff(plain(THUMBNAIL, 1, inner=(plain(quadrants(1000, 700)),))))
    assert (clean.width, clean.height) == (1000, 700)


# pixels that are not square -----------------------------------------------------------------------


def fax(size: tuple[int, int], dpi: tuple[float, float], **options: Any) -> bytes:
    image = quadrants(*size).convert("L")
    if options.get("compression", "").startswith("group"):
        image = image.point([0] * 128 + [255] * 128).convert("1")
    return encoded(
        image, "TIFF", resolution_unit=2, x_resolution=dpi[0], y_resolution=dpi[1], **options
    )


@pytest.mark.parametrize(
    ("size", "dpi", "wanted"),
    [
        ((1728, 1078), (204, 98), (1728, 2244)),
        ((1728, 2156), (204, 196), (1728, 2244)),
        ((1728, 4301), (204, 391), (3312, 4301)),
        ((1728, 1100), (200, 100), (1728, 2200)),
        ((864, 1078), (98, 98), (864, 1078)),
        ((600, 400), (300, 299.5), (600, 400)),
        ((600, 400), (1, 300), (600, 400)),
        ((600, 400), (0, 100), (600, 400)),
    ],
)
@pytest.mark.parametrize("compression", ["group4", "tiff_lzw", "raw"])
async def test_a_fax_has_the_shape_of_its_paper(
    sanitize: Sanitize,
    size: tuple[int, int],
    dpi: tuple[float, float],
    wanted: tuple[int, int],
    compression: str,
) -> None:
    clean = await sanitize(fax(size, dpi, compression=compression))
    assert clean.width == pytest.approx(wanted[0], abs=1)
    assert clean.height == pytest.approx(wanted[1], abs=1)
    assert_shape(clean, wanted)


def assert_shape(clean: Clean, wanted: tuple[int, int]) -> None:
    made = rendition(clean, "preview")
    assert made.width / made.height == pytest.approx(wanted[0] / wanted[1], rel=0.01)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_turned_fax_has_the_shape_of_its_paper(
    sanitize: Sanitize, orientation: int
) -> None:
    image = Image.new("L", (600, 400), 200)
    source = encoded(image, "TIFF", x_resolution=200, y_resolution=100, tiffinfo={274: orientation})
    clean = await sanitize(source)
    expected = (800, 600) if orientation >= 5 else (600, 800)
    assert (clean.width, clean.height) == expected
    assert_shape(clean, expected)


# pages --------------------------------------------------------------------------------------------


def paged(count: int, **options: Any) -> bytes:
    first, *rest = [Image.new("L", (80, 60), number % 200) for number in range(count)]
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=rest, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("count", [1, 2, 3, 40, 300])
@pytest.mark.parametrize("big", [False, True])
async def test_the_pages_of_a_fax_are_counted(sanitize: Sanitize, count: int, big: bool) -> None:
    clean = await sanitize(paged(count, big_tiff=big))
    assert clean.pages_total == count
    assert (clean.width, clean.height) == (80, 60)


async def test_pages_that_lead_in_a_circle_are_counted_once(sanitize: Sanitize) -> None:
    source = bytearray(tiff(plain(quadrants(64, 48)), plain(quadrants(64, 48))))
    (first,) = struct.unpack_from("<I", source, 4)
    last = len(source) - 4
    struct.pack_into("<I", source, last, first)
    assert (await sanitize(bytes(source))).pages_total == 2


async def test_a_link_that_leads_nowhere_ends_the_pages(sanitize: Sanitize) -> None:
    source = bytearray(tiff(plain(quadrants(64, 48))))
    struct.pack_into("<I", source, len(source) - 4, len(source) - 1)
    assert (await sanitize(bytes(source))).pages_total == 1


async def test_small_copies_are_not_counted_as_pages(sanitize: Sanitize) -> None:
    source = tiff(plain(quadrants(640, 480)), plain(THUMBNAIL, 1), plain(quadrants(640, 480), 2))
    assert (await sanitize(source)).pages_total == 2


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_other_formats_have_one_page(sanitize: Sanitize, form: str) -> None:
    assert (await sanitize(encoded(quadrants(), form))).pages_total == 1
