"""Hostile files are refused for the right reason, or made harmless."""

import io
import re
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from bench import sanitize_sandbox as measurements
from normalizer.media import Clean, Limits, MediaFailed, MediaRejected
from normalizer.sanitizer import Sanitizer

from .assertions import alike, assert_bare, colour, shown
from .conftest import Sanitize, sanitize_with
from .media_samples import box, encoded, make_video, natural, noise, oriented, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def rejection_reason(sanitize: Sanitize, content: bytes) -> str:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(content)
    return refusal.value.reason


# neither photo nor video --------------------------------------------------------------------------

POSING = {
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "pdf": b"%PDF-1.7\n1 0 obj",
    "playlist": b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nfile:///etc/passwd\n",
    "concatenation": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "postscript": b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file",
    "script": b"#!/bin/sh\nid\n",
    "program": b"\x7fELF\x02\x01\x01" + bytes(100),
    "archive": b"PK\x03\x04" + bytes(100),
    "packed": b"\x1f\x8b\x08" + bytes(100),
    "bitmap": b"BM" + bytes(100),
    "icon": b"\0\0\1\0\1\0" + bytes(100),
    "photoshop": b"8BPS\0\1" + bytes(100),
    "imagemagick": b"push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'https://example.com'",
    "avi": b"RIFF\0\0\0\0AVI " + bytes(100),
    "text": b"just a note",
    "zeros": bytes(1000),
}


#: Files that programs would follow or run, and that are text to us.
WORDS = {"playlist", "concatenation", "postscript", "imagemagick", "text"}


@pytest.mark.parametrize("name", sorted(POSING.keys() - WORDS))
async def test_files_that_pose_as_media_are_refused(sanitize: Sanitize, name: str) -> None:
    expected = "corrupt" if name == "pdf" else "unsupported_type"
    assert await rejection_reason(sanitize, POSING[name]) == expected


@pytest.mark.parametrize("name", sorted(WORDS))
async def test_text_that_poses_as_media_is_only_text(sanitize: Sanitize, name: str) -> None:
    clean = await sanitize(POSING[name])
    assert (clean.kind, [each.name for each in clean.renditions]) == ("document", ["text"])


@pytest.mark.parametrize("name", POSING)
async def test_a_video_header_does_not_make_a_video(sanitize: Sanitize, name: str) -> None:
    """A real `ftyp` box in front, so that the file goes to the video decoder."""
    kind = box(b"ftyp", b"isom", bytes(4), b"mp42")
    assert await rejection_reason(sanitize, kind + POSING[name] * 50) == "corrupt"


@pytest.mark.parametrize("name", POSING)
@pytest.mark.parametrize("start", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0"])
async def test_a_photo_signature_does_not_make_a_photo(
    sanitize: Sanitize, name: str, start: bytes
) -> None:
    assert await rejection_reason(sanitize, start + POSING[name] * 50) in {
        "corrupt",
        "too_many_pixels",
    }


async def test_an_empty_file_is_corrupt(sanitize: Sanitize) -> None:
    assert await rejection_reason(sanitize, b"") == "corrupt"


async def test_a_photo_that_is_also_a_page_is_only_a_photo(sanitize: Sanitize) -> None:
    page = b"<html><script>alert('CANARY')</script>"
    comment = b"\xff\xfe" + struct.pack(">H", len(page) + 2) + page
    photo = encoded(quadrants())
    clean = await sanitize(photo[:2] + comment + photo[2:] + page)
    assert all(b"CANARY" not in bytes(each.content) for each in clean.renditions)
    assert_bare(clean)


# sizes --------------------------------------------------------------------------------------------


async def test_files_that_are_too_large_are_refused_unread() -> None:
    running = Sanitizer(
        Limits(
            photo_max_bytes=5000,
            video_max_bytes=9000,
            audio_max_bytes=9000,
            document_max_bytes=1000,
        ),
        sandboxes=1,
    )
    await running.start()
    sanitize = sanitize_with(running)
    try:
        assert await rejection_reason(sanitize, encoded(noise(100, 100))) == "too_large"
        assert await rejection_reason(sanitize, make_video(seconds=2)) == "too_large"
        assert await rejection_reason(sanitize, bytes(10_000)) == "too_large"
    finally:
        await running.close()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, extra: bytes = b"", kind: int = 2, interlaced: int = 0) -> bytes:
    """Return a black picture of any size in almost no bytes."""
    channels = {0: 1, 2: 3, 6: 4}[kind]
    packer = zlib.compressobj(9)
    row = bytes(1 + width * channels)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, interlaced)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", rows)
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def claiming(photo: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose header states another size."""
    at = re.search(rb"\xff[\xc0\xc2]", photo)
    assert at
    return photo[: at.end() + 3] + struct.pack(">HH", height, width) + photo[at.end() + 7 :]


def scans(photo: bytes) -> list[int]:
    return [match.start() for match in re.finditer(rb"\xff\xda", photo)]


def webp(width: int, height: int) -> bytes:
    data = (
        b"\x2f"
        + struct.pack("<I", (width - 1) | (height - 1) << 14)
        + b"\x07\x10\x11\x11\x88\x88\xfe\x07\0"
    )
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bombs() -> Iterator[tuple[str, bytes, str]]:
    """Yield small files that would decode to something large or slow, and the reason for their refusal."""
    flat = encoded(Image.new("RGB", (64, 64)))
    yield "jpeg sides", claiming(flat, 65500, 65500), "too_many_pixels"
    yield "jpeg of nothing", claiming(flat, 7000, 6700), "corrupt"
    progressive = encoded(Image.new("RGB", (3000, 3000)), progressive=True)
    last = progressive[scans(progressive)[-1] : -2]
    yield "jpeg scans", progressive[:-2] + last * 600 + b"\xff\xd9", "corrupt"
    first = scans(progressive)[1]
    hidden = progressive[:first] + b"\xff\xfe\0\4\xff\xd9" + progressive[first:-2] + last * 600
    yield "jpeg scans behind a false end", hidden + b"\xff\xd9", "corrupt"
    yield "jpeg segments", flat[:2] + b"\xff\xfe\0\2" * 1_000_000 + flat[2:], "corrupt"
    yield (
        "png sides",
        png(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", 65000, 65000)),
        "too_many_pixels",
    )
    yield "interlaced png", png(8000, 7000, interlaced=1), "too_many_pixels"
    yield (
        "gif sides",
        b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6),
        "too_many_pixels",
    )
    yield "gif of 60 MP", encoded(Image.new("P", (8000, 7500)), "GIF"), "too_many_pixels"
    comment = b"\x21\xfe\1a\0"
    yield (
        "gif comments",
        b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + comment * 1_000_000,
        "corrupt",
    )
    frame = b"," + struct.pack("<HHHHB", 9, 9, 23000, 23000, 0) + b"\2\2\x44\1\0;"
    corner = b"\x21\xf9\4\xd5\0\0\1\0" + frame
    yield (
        "gif frame outside",
        b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0x80, 0, 0) + bytes(6) + corner,
        "too_many_pixels",
    )
    yield "webp sides", webp(16383, 16383), "too_many_pixels"
    yield "webp of nothing", webp(7000, 6700), "too_many_pixels"
    yield "smaller webp of nothing", webp(4000, 3900), "too_many_pixels"
    entries = b"".join(struct.pack("<HHII", 300 + n, 7, 20_000_000, 8) for n in range(60_000))
    yield "tiff fields", b"II*\0\x08\0\0\0" + struct.pack("<H", 60_000) + entries, "corrupt"
    sides = struct.pack("<HHII", 256, 3, 1, 10) + struct.pack("<HHII", 257, 3, 1, 10)
    few = b"".join(struct.pack("<HHII", 300 + n, 7, 20_000_000, 8) for n in range(400))
    yield (
        "tiff claims",
        b"II*\0\x08\0\0\0" + struct.pack("<H", 402) + sides + few + bytes(1_000_000),
        "corrupt",
    )
    large = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (6000, 6000))).save(large, quality=30)
    yield "heic of nothing", large.getvalue(), "too_many_pixels"
    yield (
        "avif of nothing",
        encoded(Image.new("RGB", (5000, 5000)), "AVIF", speed=10),
        "too_many_pixels",
    )


BOMBS = {name: (content, why) for name, content, why in bombs()}


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_are_refused(sanitizer: Sanitizer, sanitize: Sanitize, name: str) -> None:
    content, why = BOMBS[name]
    assert await rejection_reason(sanitize, content) == why
    # By now the sandbox of that file has ended, or a later one has.
    await sanitize(encoded(quadrants()))
    assert measurements.most_memory(sanitizer) <= 256 << 20


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(200_000_000))),
        chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(200_000_000))),
        chunk(b"iTXt", b"x\0\1\0\0\0" + zlib.compress(bytes(200_000_000))),
        b"".join(chunk(b"tEXt", b"k\0v") for _ in range(100_000)),
        chunk(b"eXIf", b"MM\0*" + bytes(60_000)),
    ],
    ids=["profile", "packed text", "packed words", "many texts", "exif"],
)
async def test_compressed_metadata_is_left_out(sanitize: Sanitize, extra: bytes) -> None:
    clean = await sanitize(png(20, 20, extra))
    assert (clean.width, clean.height) == (20, 20)


async def test_exif_that_repeats_itself_is_left_out(sanitize: Sanitize) -> None:
    entries = b"".join(struct.pack("<HHII", 0x9000 + n, 7, 60000, 100) for n in range(5000))
    exif = (b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 5000) + entries)[:65000]
    photo = encoded(quadrants(64, 48))
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert isinstance(await sanitize(photo[:2] + segment + photo[2:]), Clean)


async def test_an_animation_of_100_000_frames_becomes_one_frame(sanitize: Sanitize) -> None:
    frame = b"\x21\xf9\4\0\0\0\0\0," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    head = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0x80, 0, 0) + bytes(6)
    assert (await sanitize(head + frame * 100_000 + b";")).width == 10


# damage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
async def test_a_truncated_photo_is_corrupt_unless_most_of_it_decodes(
    sanitize: Sanitize, form: str, share: float
) -> None:
    content = encoded_as(natural(300, 200), form)
    cut = content[: int(len(content) * share)]
    if share > 0.5 and form in {"JPEG", "PNG", "GIF", "TIFF"}:
        clean = await sanitize(cut)
        assert (clean.width, clean.height) == (300, 200)
        before, after = shown(await sanitize(content), "preview"), shown(clean, "preview")
        assert alike(colour(before, 0.5, 0.3), colour(after, 0.5, 0.3), 8)
    else:
        assert await rejection_reason(sanitize, cut) == "corrupt"


@pytest.mark.parametrize("lies", [1, 6, 8])
async def test_missing_rows_are_counted_in_the_stored_orientation(
    sanitize: Sanitize, lies: int
) -> None:
    photo = encoded(natural(300, 200), exif=oriented(lies))
    assert (await sanitize(photo[: int(len(photo) * 0.8)])).kind == "photo"
    assert await rejection_reason(sanitize, photo[: int(len(photo) * 0.3)]) == "corrupt"


async def test_a_truncated_progressive_photo_shows_the_coarse_picture(
    sanitize: Sanitize,
) -> None:
    content = encoded_as(natural(600, 400), "PROGRESSIVE")
    clean = await sanitize(content[: int(len(content) * 0.6)])
    assert (clean.width, clean.height) == (600, 400)


async def test_a_truncated_large_png_is_shown_as_far_as_possible(sanitize: Sanitize) -> None:
    content = encoded(natural(600, 480).resize((6000, 4800)), "PNG", compress_level=1)
    assert (await sanitize(content[: int(len(content) * 0.8)])).width == 6000
    assert await rejection_reason(sanitize, content[: int(len(content) * 0.3)]) == "corrupt"


@pytest.mark.parametrize("size", [(900, 70_000), (70_000, 900)])
async def test_a_truncated_long_strip_uses_no_more_memory(
    size: tuple[int, int],
) -> None:
    strip = Image.linear_gradient("L").resize(size)
    content = encoded(Image.merge("RGBA", [strip] * 4), "PNG", compress_level=1)
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    sanitize = sanitize_with(running)
    try:
        assert (await sanitize(content)).width == size[0]
        assert await rejection_reason(sanitize, content[: len(content) // 3]) == "corrupt"
        # By now the sandbox of that file has ended, or a later one has.
        await sanitize(encoded(quadrants()))
        assert measurements.most_memory(running) <= 192 << 20
    finally:
        await running.close()


async def test_damage_within_the_picture_keeps_the_rows_before_it(sanitize: Sanitize) -> None:
    content = bytearray(encoded_as(natural(300, 200), "PNG"))
    for place in range(len(content) * 7 // 10, len(content) * 7 // 10 + 40):
        content[place] ^= 0x55
    assert (await sanitize(bytes(content))).width == 300


#: Reasons that allow no retry: the file itself is at fault.
ALLOWED = {("corrupt", ""), ("unsupported_type", ""), ("too_many_pixels", "")}


@pytest.mark.parametrize(
    "form", ["JPEG", "PROGRESSIVE", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF"]
)
async def test_damage_anywhere_affects_only_the_photo(sanitize: Sanitize, form: str) -> None:
    content = encoded_as(natural(160, 120), form)
    random = np.random.default_rng(len(content))
    outcomes: set[tuple[str, str]] = set()
    for _ in range(40):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), int(random.integers(1, 20))):
            damaged[place] = int(random.integers(256))
        try:
            assert_bare(await sanitize(bytes(damaged)))
        except (MediaRejected, MediaFailed) as refusal:
            outcomes.add((refusal.reason, refusal.detail if refusal.state == "failed" else ""))
    assert outcomes <= ALLOWED


def encoded_as(image: Image.Image, form: str) -> bytes:
    if form == "HEIF":
        buffer = io.BytesIO()
        pillow_heif.from_pillow(image).save(buffer, quality=80)
        return buffer.getvalue()
    return (
        encoded(image, "JPEG", progressive=True) if form == "PROGRESSIVE" else encoded(image, form)
    )


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
async def test_a_strip_longer_than_any_photo_is_refused(sanitize: Sanitize, form: str) -> None:
    strip = encoded(Image.new("L", (1_200_000, 2)), form)
    assert await rejection_reason(sanitize, strip) == "too_many_pixels"


async def test_a_heif_with_a_wrong_size_is_corrupt(sanitize: Sanitize) -> None:
    content = bytearray(encoded_as(natural(200, 153), "HEIF"))
    at = content.index(b"ispe") + 8
    (height,) = struct.unpack_from(">I", content, at + 4)
    struct.pack_into(">I", content, at + 4, height + 48)
    assert await rejection_reason(sanitize, bytes(content)) == "corrupt"
