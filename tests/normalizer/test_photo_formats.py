"""Formats in which our readers must do what the libraries leave out or do differently from browsers."""

import io
import struct
import zlib
from itertools import chain
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, TiffImagePlugin

from normalizer.decoders.photo import heif_items
from normalizer.media import MediaRejected

from .assertions import alike, assert_upright, colour, shown
from .conftest import Sanitize
from .media_samples import CORNERS, encoded, oriented, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED, GREEN, BLUE, YELLOW = CORNERS


#: Properties before the profile.
_OTHERS = (b"ispe", b"pixi", b"av1C")


# parts of a picture that are not visible ----------------------------------------------------------


def cropped(image: Image.Image, *window: int) -> bytes:
    """Return an AVIF with a clean aperture in place of a profile: width, height and the offset of its middle."""
    profile = b"x" * 28
    width, height, right, down = window
    aperture = struct.pack(">IIIIiIiI", width, 1, height, 1, right, 1, down, 1)
    source = encoded(image, "AVIF", icc_profile=profile, quality=90)
    assert source.count(b"colrprof" + profile) == 1
    source = source.replace(b"colrprof" + profile, b"clap" + aperture)
    # Properties that change a picture come last, and readers must understand them (the highest bit).
    known = source.index(b"ipco"), source.index(b"ipma")
    number = 1 + sum(source[: source.index(b"clap")].count(kind, known[0]) for kind in _OTHERS)
    numbers = source[known[1] + 15 :][: source[known[1] + 14]]
    changed = bytes([*(each for each in numbers if each != number), number | 0x80])
    return source.replace(numbers, changed)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize(
    ("window", "seen"),
    [
        ((300, 200, -150, -100), RED),
        ((300, 200, 150, -100), GREEN),
        ((300, 200, 150, 100), BLUE),
        ((299, 150, -150, 125), YELLOW),
    ],
)
async def test_only_the_crop_of_a_cropped_avif_is_shown(
    sanitize: Sanitize, mode: str, window: tuple[int, ...], seen: tuple[int, ...]
) -> None:
    clean = await sanitize(cropped(quadrants(600, 400, mode), *window))
    assert (clean.width, clean.height) == window[:2]
    preview = shown(clean, "preview").convert("RGB")
    assert preview.size == window[:2]
    wanted = Image.new("RGB", (1, 1), seen).convert(mode).convert("RGB").getpixel((0, 0))
    assert isinstance(wanted, tuple)
    for x, y in ((0.03, 0.03), (0.97, 0.03), (0.97, 0.97), (0.03, 0.97)):
        assert alike(colour(preview, x, y), wanted, 12)


async def test_a_large_crop_is_downscaled(sanitize: Sanitize) -> None:
    clean = await sanitize(cropped(quadrants(6000, 1000), 5400, 900, 300, 50))
    preview = shown(clean, "preview").convert("RGB")
    assert (clean.width, clean.height) == (5400, 900)
    assert alike(colour(preview, 0.4, 0.4), RED, 12)
    assert alike(colour(preview, 0.5, 0.5), BLUE, 12)


@pytest.mark.parametrize("window", [(700, 200, 0, 0), (300, 200, 200, 0), (0, 0, 0, 0)])
async def test_an_invalid_crop_is_ignored(sanitize: Sanitize, window: tuple[int, ...]) -> None:
    clean = await sanitize(cropped(quadrants(600, 400), *window))
    assert (clean.width, clean.height) == (600, 400)
    assert_upright(shown(clean, "preview"))


# orientation --------------------------------------------------------------------------------------


async def test_an_orientation_only_in_exif_turns_a_heic(sanitize: Sanitize) -> None:
    file = pillow_heif.from_pillow(quadrants(600, 400).transpose(Image.Transpose.ROTATE_90))
    file.info["exif"] = oriented(6)
    buffer = io.BytesIO()
    file.save(buffer, quality=90)
    source = buffer.getvalue()
    assert source.count(b"irot") == 1
    clean = await sanitize(source.replace(b"irot", b"free"))
    assert (clean.width, clean.height) == (600, 400)
    assert_upright(shown(clean, "preview"), 25)


async def test_exif_orientation_outweighs_an_older_xmp(sanitize: Sanitize) -> None:
    xmp = b"<x:xmpmeta><rdf:Description tiff:Orientation='6'/></x:xmpmeta>"
    clean = await sanitize(encoded(quadrants(), exif=oriented(1), xmp=xmp))
    assert_upright(shown(clean, "preview"), 25)


# JPEG ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"JFIF\0", b"JFIF\0\1", b"JFIF\0\1\2\0\0\1"])
async def test_a_truncated_jfif_header_is_ignored(sanitize: Sanitize, body: bytes) -> None:
    photo = encoded(quadrants())
    assert photo[2:6] == b"\xff\xe0\0\x10"
    segment = struct.pack(">BBH", 0xFF, 0xE0, len(body) + 2) + body
    assert_upright(shown(await sanitize(photo[:2] + segment + photo[20:]), "preview"), 25)


# GIF ----------------------------------------------------------------------------------------------


def frame(source: bytearray) -> int:
    """Return the offset of the first frame's description in a GIF without extensions."""
    at = 13 + (3 << (source[10] & 7) + 1)
    assert source[at] == 0x2C
    return at


async def test_the_area_around_a_small_frame_is_transparent(sanitize: Sanitize) -> None:
    source = bytearray(encoded(quadrants(60, 40).quantize(8), "GIF"))
    struct.pack_into("<HH", source, 6, 120, 80)
    struct.pack_into("<HH", source, frame(source) + 1, 60, 40)
    preview = shown(await sanitize(bytes(source)), "preview")
    assert preview.size == (120, 80)
    assert colour(preview, 0.1, 0.1)[3] == colour(preview, 0.9, 0.1)[3] == 0
    assert alike(colour(preview, 0.6, 0.6), (*RED, 255), 3)
    assert alike(colour(preview, 0.95, 0.95), (*BLUE, 255), 3)


async def test_a_frame_far_larger_than_its_screen_is_refused(sanitize: Sanitize) -> None:
    source = bytearray(encoded(quadrants(60, 40).quantize(8), "GIF"))
    struct.pack_into("<HH", source, frame(source) + 5, 65535, 65535)
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(bytes(source))
    assert refusal.value.reason == "too_many_pixels"


# PNG ----------------------------------------------------------------------------------------------


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    depth: int, kind: int, row: bytes, nothing: bytes, *, width: int, before: bytes = b""
) -> bytes:
    """Return a PNG of equal rows with one transparent colour."""
    header = struct.pack(">IIBBBBB", width, 8, depth, kind, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            before,
            chunk(b"tRNS", nothing),
            chunk(b"IDAT", zlib.compress((b"\0" + row) * 8)),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.parametrize(
    ("depth", "kind", "row", "nothing"),
    [
        (1, 0, b"\x0f", b"\0\1"),
        (2, 0, b"\x00\xaa", b"\0\2"),
        (4, 0, b"\x00\x00\x77\x77", b"\0\7"),
        (8, 0, b"\0\0\0\0\x50\x50\x50\x50", b"\0\x50"),
        (16, 0, b"\0\0" * 4 + b"\x12\x34" * 4, b"\x12\x34"),
        (8, 2, b"\0\0\0" * 4 + b"\1\2\3" * 4, b"\0\1\0\2\0\3"),
        (16, 2, b"\0" * 24 + b"\x10\0\x20\0\x30\0" * 4, b"\x10\0\x20\0\x30\0"),
    ],
)
async def test_a_transparent_colour_is_found_at_any_depth(
    sanitize: Sanitize, depth: int, kind: int, row: bytes, nothing: bytes
) -> None:
    preview = shown(await sanitize(png(depth, kind, row, nothing, width=8)), "preview")
    assert colour(preview, 0.2, 0.5) == (0, 0, 0, 255)
    assert colour(preview, 0.8, 0.5)[3] == 0


@pytest.mark.parametrize("entries", [0, 3])
async def test_transparency_that_does_not_fit_the_palette_is_ignored(
    sanitize: Sanitize, entries: int
) -> None:
    palette = chunk(b"PLTE", bytes([*RED, *BLUE]))
    source = png(8, 3, b"\0\0\0\0\1\1\1\1", bytes(entries), width=8, before=palette)
    preview = shown(await sanitize(source), "preview")
    assert alike(colour(preview, 0.2, 0.5)[:3], RED, 3)
    assert alike(colour(preview, 0.8, 0.5)[:3], BLUE, 3)
    assert preview.mode == "RGB"


# TIFF ---------------------------------------------------------------------------------------------


def tiff(size: tuple[int, int], pieces: list[bytes], tags: dict[int, Any], *, tiled: bool) -> bytes:
    """Return an uncompressed TIFF of our own pieces."""
    offsets, counts = (324, 325) if tiled else (273, 279)
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    entries = {256: size[0], 257: size[1], 259: 1, **tags}
    entries[counts] = tuple(len(piece) for piece in pieces)
    for tag, value in entries.items():
        directory[tag] = value
    directory[offsets] = (0,) * len(pieces)
    length = len(header_and(directory))
    # The library counts strips from the end of the directory.
    first = length if tiled else 0
    starts = [first + sum(len(piece) for piece in pieces[:index]) for index in range(len(pieces))]
    directory[offsets] = tuple(starts)
    head = header_and(directory)
    assert len(head) == length
    return head + b"".join(pieces)


def header_and(directory: TiffImagePlugin.ImageFileDirectory_v2) -> bytes:
    buffer = io.BytesIO()
    directory.save(buffer)
    return buffer.getvalue()


async def test_tiles_beyond_the_edge_are_put_in_place(sanitize: Sanitize) -> None:
    grey = np.asarray(quadrants(200, 150, "L"))
    whole = np.zeros((256, 256), np.uint8)
    whole[:150, :200] = grey
    pieces = [whole[y : y + 128, x : x + 128].tobytes() for y in (0, 128) for x in (0, 128)]
    tags = {258: 8, 262: 1, 277: 1, 322: 128, 323: 128}
    preview = shown(await sanitize(tiff((200, 150), pieces, tags, tiled=True)), "preview")
    assert_alike(preview, Image.fromarray(grey))


async def test_sixteen_bit_colours_in_planes_are_combined(sanitize: Sanitize) -> None:
    image = quadrants(64, 48)
    planes = [(np.asarray(each).astype("<u2") * 257).tobytes() for each in image.split()]
    tags = {258: (16, 16, 16), 262: 2, 277: 3, 278: 48, 284: 2}
    preview = shown(await sanitize(tiff((64, 48), planes, tags, tiled=False)), "preview")
    assert_alike(preview, image)


async def test_subsampled_colours_are_spread_over_their_pixels(sanitize: Sanitize) -> None:
    image = quadrants(64, 48)
    luma, blue, red = (np.asarray(each) for each in image.convert("YCbCr").split())
    units = np.stack([luma[:, ::2], luma[:, 1::2], blue[:, ::2], red[:, ::2]], -1)
    tags = {
        258: (8, 8, 8),
        262: 6,
        277: 3,
        278: 48,
        284: 1,
        530: (2, 1),
        532: (0.0, 255.0, 128.0, 255.0, 128.0, 255.0),
    }
    preview = shown(await sanitize(tiff((64, 48), [units.tobytes()], tags, tiled=False)), "preview")
    assert_alike(preview, image)


async def test_a_palette_of_eight_bit_values_is_not_black(sanitize: Sanitize) -> None:
    row = b"\0" * 32 + b"\1" * 32
    columns = [[each[place] for each in (RED, BLUE)] + [0] * 254 for place in range(3)]
    tags = {258: 8, 262: 3, 277: 1, 278: 48, 320: tuple(chain(*columns))}
    preview = shown(await sanitize(tiff((64, 48), [row * 48], tags, tiled=False)), "preview")
    assert alike(colour(preview, 0.2, 0.5)[:3], RED, 12)
    assert alike(colour(preview, 0.8, 0.5)[:3], BLUE, 12)


async def test_a_tiff_with_an_unknown_layout_is_unsupported(sanitize: Sanitize) -> None:
    tags = {258: (64, 64, 64), 262: 2, 277: 3, 278: 48, 339: (3, 3, 3)}
    source = tiff((64, 48), [bytes(64 * 48 * 24)], tags, tiled=False)
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(source)
    assert refusal.value.reason == "unsupported_type"


def assert_alike(found: Image.Image, wanted: Image.Image) -> None:
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)):
        one, other = colour(found.convert("RGB"), x, y), colour(wanted.convert("RGB"), x, y)
        assert alike(one, other, 14), f"{one} at {x}, {y}; expected {other}"


async def test_damaged_heif_boxes_never_raise() -> None:
    source = cropped(quadrants(60, 40), 30, 20, -15, -10)
    assert heif_items.crop(heif_items.properties(memoryview(source)), (60, 40)) == (0, 0, 30, 20)
    random = np.random.default_rng(1)
    for _ in range(500):
        damaged = np.frombuffer(source, np.uint8).copy()
        places = random.integers(0, source.index(b"mdat"), 3)
        damaged[places] = random.integers(0, 256, 3)
        heif_items.crop(heif_items.properties(memoryview(damaged.tobytes())), (60, 40))
    for length in range(0, len(source), 7):
        heif_items.properties(memoryview(source[:length]))
