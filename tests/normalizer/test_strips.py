"""Strips: pictures so long that their shorter side would become unreadable at the limit for other pictures."""

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bench import sanitize_sandbox as measurements
from normalizer.canvas import Canvas
from normalizer.decoders.photo.scaling import fit
from normalizer.media import Limits
from normalizer.sanitizer import Sanitizer

from .assertions import assert_upright, content, rendition, shown
from .conftest import Sanitize, sanitize_with
from .media_samples import encoded, noise, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")


def conversation(width: int, height: int) -> Image.Image:
    """Return a screenshot of bubbles with lines of text, different in every place."""
    image = Image.new("RGB", (width, height), (240, 240, 245))
    draw = ImageDraw.Draw(image)
    for number, top in enumerate(range(20, height - 120, 140)):
        left = 40 if number % 2 else width // 4
        draw.rounded_rectangle((left, top, left + width * 2 // 3, top + 110), 20, (200, 230, 255))
        draw.text((left + 20, top + 10), f"Message {number}, sent at {top}", "black", font_size=32)
        draw.text((left + 20, top + 55), "It does this all day long.", "black", font_size=32)
    return image


def text_is_readable(preview: Image.Image, source: Image.Image) -> bool:
    """Whether the part around one message differs little from the same part of the source."""
    scale = preview.width / source.width
    top = 20 + 140 * (source.height // 280)
    box = (0, top, source.width, top + 140)
    wanted = np.asarray(source.crop(box).convert("L")).astype(int)
    part = preview.crop(tuple(round(each * scale) for each in box))  # type: ignore[arg-type]
    found = np.asarray(part.convert("L").resize((source.width, 140))).astype(int)
    return bool(np.abs(found - wanted).mean() < 6)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("size", [(1080, 30000), (1170, 12000), (720, 28000)])
async def test_a_long_screenshot_keeps_its_width(
    sanitize: Sanitize, form: str, size: tuple[int, int]
) -> None:
    if form == "TIFF":
        size = (size[0], min(size[1], 27_000))
    source = conversation(*size)
    options = {"compression": "tiff_lzw"} if form == "TIFF" else {}
    clean = await sanitize(encoded(source, form, **options))
    preview = rendition(clean, "preview")
    assert (preview.width, preview.height) == size
    assert len(preview.content) <= 3_000_000
    assert text_is_readable(shown(clean, "preview"), source)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
async def test_the_longest_screenshot_stays_readable(sanitize: Sanitize, form: str) -> None:
    source = conversation(1080, 59_000)
    preview = rendition(await sanitize(encoded(source, form)), "preview")
    assert (preview.width, preview.height) == (540, 29_500)


async def test_a_strip_of_noise_is_narrowed_until_it_fits(sanitize: Sanitize) -> None:
    clean = await sanitize(encoded(noise(800, 20_000), quality=60))
    preview = shown(clean, "preview")
    assert len(content(clean, "preview")) <= 3_000_000
    assert preview.width > 163
    assert preview.height / preview.width == pytest.approx(25, abs=0.1)


@pytest.mark.parametrize("size", [(20_000, 1000), (1000, 20_000)])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
async def test_flat_and_tall_strips_show_the_whole_picture(
    sanitize: Sanitize, form: str, size: tuple[int, int]
) -> None:
    clean = await sanitize(encoded(quadrants(*size), form))
    assert_upright(shown(clean, "preview"))
    assert shown(clean, "preview").size == size


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1"])
async def test_strips_of_every_pixel_format_are_ready(sanitize: Sanitize, mode: str) -> None:
    source = conversation(1080, 28_000).convert(mode)
    preview = rendition(await sanitize(encoded(source, "PNG")), "preview")
    # Dithering is noise, which takes more bytes.
    assert preview.width == 1080 or (mode in "P1" and preview.width > 400)
    assert preview.height / preview.width == pytest.approx(28_000 / 1080, abs=0.1)


@pytest.mark.parametrize(
    ("size", "longest"),
    [((1170, 9000), 4096), ((9000, 1200), 4096), ((31, 30_000), 4096), ((4096, 4096), 4096)],
)
async def test_other_pictures_keep_the_limit(size: tuple[int, int], longest: int) -> None:
    assert max(fit(size, 4096, range(1, 65)).size) <= longest


async def test_every_size_fits_the_canvas() -> None:
    random = np.random.default_rng(7)
    for side in (320, 1024, 2560, 4096):
        for _ in range(2000):
            short = int(random.integers(1, 8001))
            long = int(random.integers(1, min(1 << 20, 64_000_000 // short) + 1))
            for size in ((short, long), (long, short)):
                for factors in (range(1, 65), (1, 2, 4, 8)):
                    if factors == (1, 2, 4, 8) and max(size) > 65_500:
                        continue
                    found = fit(size, side, factors)
                    assert Canvas(side).holds(*found.size), (size, side, found)


async def test_strips_take_bounded_memory() -> None:
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    try:
        for options in ({"form": "PNG"}, {"form": "JPEG"}):
            chosen: Any = options
            await sanitize_with(running)(encoded(conversation(1080, 30_000), **chosen))
        assert measurements.most_memory(running) <= 420 << 20
    finally:
        await running.close()
