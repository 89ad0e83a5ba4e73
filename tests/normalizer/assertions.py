"""Assertions about renditions: the pictures they show and the bytes they hold."""

import io
import struct
from typing import Any

from PIL import Image

from normalizer.media import Clean, Rendition

from .media_samples import CORNERS


def rendition(clean: Clean, name: str) -> Rendition:
    return next(each for each in clean.renditions if each.name == name)


def content(clean: Clean, name: str) -> bytes:
    return bytes(rendition(clean, name).content)


def shown(clean: Clean, name: str) -> Image.Image:
    image = Image.open(io.BytesIO(content(clean, name)))
    image.load()
    made = rendition(clean, name)
    assert image.size == (made.width, made.height)
    assert Image.MIME[image.format or ""] == made.media_type
    return image


def colour(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """Return the colour at a place given as shares of the sides."""
    place = (int(x * image.width), int(y * image.height))
    found: Any = image.convert("RGBA" if "A" in image.mode else "RGB").getpixel(place)
    return tuple(found)


def alike(one: tuple[int, ...], other: tuple[int, ...], tolerance: int) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= tolerance


def assert_upright(image: Image.Image, tolerance: int = 12) -> None:
    for (x, y), expected in zip(
        ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)), CORNERS, strict=True
    ):
        found = colour(image.convert("RGB"), x, y)
        assert alike(found, expected, tolerance), f"{found} at {x}, {y}; expected {expected}"


def assert_bare_jpeg(data: bytes) -> None:
    """Assert that nothing but the picture is left: no EXIF, comment or profile, and nothing after the end."""
    assert data[:2] == b"\xff\xd8"
    at = 2
    while data[at + 1] != 0xDA:
        marker = data[at + 1]
        assert marker in {0xE0, 0xDB, 0xC0, 0xC4, 0xDD}, hex(marker)
        (size,) = struct.unpack_from(">H", data, at + 2)
        if marker == 0xE0:
            assert (data[at + 4 : at + 9], size) == (b"JFIF\0", 16)
        assert marker != 0xDD or size == 4
        at += 2 + size
    assert data.index(b"\xff\xd9", at) == len(data) - 2


def assert_bare_png(data: bytes) -> None:
    at, kinds = 8, []
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kinds.append(data[at + 4 : at + 8])
        at += 12 + size
    assert set(kinds) <= {b"IHDR", b"IDAT", b"IEND"}
    assert at == len(data)


def assert_bare(clean: Clean) -> None:
    """Assert that all pictures of a clean file are bare."""
    for each in clean.renditions:
        if each.media_type == "image/jpeg":
            assert_bare_jpeg(bytes(each.content))
        elif each.media_type == "image/png":
            assert_bare_png(bytes(each.content))
