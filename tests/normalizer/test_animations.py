"""Animations: the first frame that shows something is the picture, and a search for it has its limits."""

import io
import time
from typing import Any

import pytest
from PIL import Image

from .assertions import alike, assert_upright, colour, rendition, shown
from .conftest import Sanitize
from .media_samples import encoded, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORMS = ["WEBP", "GIF", "PNG", "AVIF"]
OPTIONS: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}, "GIF": {"disposal": 2}}
RED, BLUE = (220, 30, 30, 255), (30, 30, 220, 255)


def plain(colour: tuple[int, int, int, int], size: tuple[int, int] = (200, 120)) -> Image.Image:
    return Image.new("RGBA", size, colour)


def nothing(size: tuple[int, int] = (200, 120)) -> Image.Image:
    return plain((255, 255, 255, 0), size)


def spot(size: tuple[int, int] = (200, 120)) -> Image.Image:
    """Return almost nothing: one pixel."""
    image = nothing(size)
    image.putpixel((3, 3), (0, 0, 0, 255))
    return image


def animation(form: str, *frames: Image.Image) -> bytes:
    first, *rest = frames
    options: dict[str, Any] = OPTIONS.get(form, {})
    buffer = io.BytesIO()
    first.save(buffer, form, save_all=True, append_images=rest, duration=100, loop=0, **options)
    return buffer.getvalue()


async def middle(sanitize: Sanitize, content: bytes) -> tuple[int, ...]:
    clean = await sanitize(content)
    image = Image.new("RGBA", (1, 1), "white")
    image.alpha_composite(Image.new("RGBA", (1, 1), colour(shown(clean, "preview"), 0.5, 0.5)))
    return colour(image.convert("RGB"), 0, 0)


@pytest.mark.parametrize("empty", [1, 2, 5])
@pytest.mark.parametrize("form", FORMS)
async def test_an_empty_beginning_is_passed_over(sanitize: Sanitize, form: str, empty: int) -> None:
    frames = [nothing() for _ in range(empty)]
    # Encoders leave out frames that are like the one before.
    for number, frame in enumerate(frames):
        frame.putpixel((number, 0), (9, 9, 9, 255 if form == "GIF" else 40))
    found = await middle(sanitize, animation(form, *frames, plain(RED), plain(BLUE)))
    assert alike(found, RED[:3], 12)


@pytest.mark.parametrize("form", FORMS)
async def test_a_beginning_that_shows_something_is_kept(sanitize: Sanitize, form: str) -> None:
    found = await middle(sanitize, animation(form, plain(RED), plain(BLUE), nothing()))
    assert alike(found, RED[:3], 12)


@pytest.mark.parametrize("form", FORMS)
async def test_an_animation_of_nothing_is_ready(sanitize: Sanitize, form: str) -> None:
    clean = await sanitize(animation(form, nothing(), spot(), nothing()))
    assert (clean.width, clean.height) == (200, 120)


@pytest.mark.parametrize("form", ["WEBP", "PNG", "AVIF"])
async def test_an_empty_still_stays_empty(sanitize: Sanitize, form: str) -> None:
    clean = await sanitize(encoded(nothing(), form))
    assert shown(clean, "preview").getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("form", FORMS)
async def test_the_later_frame_looks_right(sanitize: Sanitize, form: str) -> None:
    picture = quadrants(320, 240).convert("RGBA")
    clean = await sanitize(animation(form, nothing((320, 240)), picture, plain(RED, (320, 240))))
    assert (clean.width, clean.height) == (320, 240)
    assert_upright(shown(clean, "preview"), 30)
    assert_upright(shown(clean, "thumbnail").crop((40, 40, 280, 280)), 255)


@pytest.mark.parametrize("form", ["WEBP", "GIF", "PNG"])
async def test_damage_after_an_empty_beginning_is_survived(sanitize: Sanitize, form: str) -> None:
    source = animation(form, nothing((320, 240)), quadrants(320, 240).convert("RGBA"))
    damaged = source[:-60] + bytes(40) + source[-20:] if form == "WEBP" else source[:-40]
    clean = await sanitize(damaged)
    assert rendition(clean, "preview").width == 320


@pytest.mark.parametrize("form", ["WEBP", "GIF", "PNG"])
async def test_a_long_search_has_an_end(sanitize: Sanitize, form: str) -> None:
    frames = []
    for number in range(300):
        frame = nothing((64, 64))
        frame.putpixel((number % 64, number // 64), (number % 250, 9, 9, 255))
        frames.append(frame)
    started = time.monotonic()
    clean = await sanitize(animation(form, *frames, plain(RED, (64, 64))))
    assert clean.width == 64
    assert time.monotonic() - started < 5
