"""Colours that codes describe look as in Chromium, which decodes and converts without any of our code."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from PIL import Image
from playwright.async_api import Page, async_playwright

from tests.workspace.browser import _ARGUMENTS, chromium

from .assertions import shown
from .coded_samples import (
    CHRM_ADOBE,
    CHRM_P3,
    CHRM_SRGB,
    Chunk,
    avif,
    chart,
    chrm,
    cicp,
    gama,
    heic,
    png,
    ramp,
)
from .conftest import Sanitize
from .media_samples import encoded, natural, oriented
from .profiles import ADOBE_RGB, profile

pytestmark = pytest.mark.asyncio(loop_scope="module")

PQ, HLG, SRGB = 16, 18, 13
Pixels = NDArray[np.int16]

#: Primaries and transfer. Some say nothing, or nothing that browsers know.
CODES = {
    "Display P3": (12, SRGB),
    "Display P3, camera's curve": (12, 1),
    "Display P3, PQ": (12, PQ),
    "Display P3, HLG": (12, HLG),
    "BT.2020, PQ": (9, PQ),
    "BT.2020, HLG": (9, HLG),
    "BT.2020, ten bits": (9, 14),
    "BT.2020, twelve bits": (9, 15),
    "BT.2020, sRGB curve": (9, SRGB),
    "BT.709": (1, 1),
    "BT.709, PQ": (1, PQ),
    "BT.709, HLG": (1, HLG),
    "sRGB": (1, SRGB),
    "linear light": (1, 8),
    "gamma 2.2": (1, 4),
    "gamma 2.8": (1, 5),
    "cinema P3": (11, 17),
    "SMPTE 240M": (7, 7),
    "BT.601, 525 lines": (6, 6),
    "BT.601, 625 lines": (5, 6),
    "NTSC": (4, 4),
    "Illuminant C": (8, SRGB),
    "EBU 3213": (22, SRGB),
    "XYZ": (10, SRGB),
    "nothing": (2, 2),
    "only a transfer": (2, PQ),
    "only primaries": (9, 2),
    "reserved": (99, 99),
    "reserved transfer": (9, 0),
    "reserved primaries": (0, SRGB),
}

#: PNG chunks after the header.
CHUNKS: dict[str, tuple[Chunk, ...]] = {
    "a gamma of 1": (gama(1.0),),
    "a gamma of 1.8": (gama(1 / 1.8),),
    "a gamma of 2.2": (gama(0.45455),),
    "nearly a gamma of 2.2": (gama(0.47),),
    "an absurd gamma": (gama(20.0),),
    "no gamma": ((b"gAMA", bytes(4)),),
    "primaries alone": (chrm(CHRM_P3),),
    "gamma and sRGB primaries": (gama(0.45455), chrm(CHRM_SRGB)),
    "gamma and P3 primaries": (gama(0.45455), chrm(CHRM_P3)),
    "gamma and Adobe primaries": (gama(0.45455), chrm(CHRM_ADOBE)),
    "sRGB outweighs a gamma": ((b"sRGB", b"\0"), gama(1.0)),
    "codes outweigh a gamma": (gama(1.0), cicp(12, SRGB)),
    "unknown codes leave a gamma": (gama(1.0), cicp(2, 2)),
    "codes of a limited range": (cicp(9, PQ, full=0),),
    "codes of the wrong length": ((b"cICP", bytes([9, PQ, 0])),),
}


class Browser:
    """A page of Chromium that shows pictures."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def shows(self, media_type: str, content: bytes) -> Pixels:
        """Return the pixels of a picture on a white page."""
        address = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
        await self._page.set_content(f'<body style="margin:0"><img id=i src="{address}">')
        await self._page.evaluate("document.getElementById('i').decode()")
        return pixels_of(Image.open(io.BytesIO(await self._page.locator("#i").screenshot())))


def blocks(pixels: Pixels) -> NDArray[np.float64]:
    """Return the means of small squares: what JPEG leaves out is not what is compared."""
    height, width, _ = pixels.shape
    return np.asarray(pixels.reshape(height // 8, 8, width // 8, 8, 3).mean((1, 3)))


def pixels_of(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGB")).astype(np.int16)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running: Any = await playwright.chromium.launch(
            executable_path=chromium(), args=list(_ARGUMENTS)
        )
        yield Browser(await running.new_page(viewport={"width": 560, "height": 420}))
        await running.close()


async def difference(
    sanitize: Sanitize, browser: Browser, media_type: str, content: bytes
) -> float:
    """Return the mean difference between our preview and the browser's view."""
    clean, view = await asyncio.gather(sanitize(content), browser.shows(media_type, content))
    return float(np.abs(blocks(pixels_of(shown(clean, "preview"))) - blocks(view)).mean())


@pytest.mark.parametrize("name", CODES)
async def test_a_png_with_codes_looks_as_in_chromium(
    sanitize: Sanitize, browser: Browser, name: str
) -> None:
    for picture in (chart(), ramp()):
        content = png(picture, cicp(*CODES[name]))
        assert await difference(sanitize, browser, "image/png", content) < 0.5


@pytest.mark.parametrize("name", CODES)
async def test_an_avif_with_codes_looks_as_in_chromium(
    sanitize: Sanitize, browser: Browser, name: str
) -> None:
    content = avif(natural(256, 192), *CODES[name])
    assert await difference(sanitize, browser, "image/avif", content) < 1.5


@pytest.mark.parametrize("name", CHUNKS)
async def test_a_png_with_numbers_looks_as_in_chromium(
    sanitize: Sanitize, browser: Browser, name: str
) -> None:
    content = png(chart(), *CHUNKS[name])
    assert await difference(sanitize, browser, "image/png", content) < 0.5


@pytest.mark.parametrize("chunk", [cicp(9, PQ), gama(1.0)])
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
async def test_codes_count_only_before_the_picture(
    sanitize: Sanitize, browser: Browser, chunk: Chunk, before: bytes
) -> None:
    content = png(chart(), chunk, before=before)
    assert await difference(sanitize, browser, "image/png", content) < 0.5


@pytest.mark.parametrize("codes", [(12, SRGB), (9, PQ), (2, 2)])
async def test_codes_of_a_png_outweigh_its_profile(
    sanitize: Sanitize, browser: Browser, codes: tuple[int, int]
) -> None:
    source = encoded(chart(), "PNG", icc_profile=profile(ADOBE_RGB, 2.2))
    content = source[:33] + png(chart(), cicp(*codes))[33 : 33 + 16] + source[33:]
    assert await difference(sanitize, browser, "image/png", content) < 1


async def test_a_profile_of_an_avif_outweighs_its_codes(
    sanitize: Sanitize, browser: Browser
) -> None:
    source = encoded(natural(256, 192), "AVIF", quality=100, icc_profile=profile(ADOBE_RGB, 2.2))
    assert await difference(sanitize, browser, "image/avif", source) < 1


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA"])
async def test_every_pixel_format_is_converted(
    sanitize: Sanitize, browser: Browser, mode: str
) -> None:
    picture = chart().convert("RGB")
    if "A" in mode:
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture = picture.quantize(250) if mode == "P" else picture.convert(mode)
    clean = await sanitize(png(picture, cicp(9, PQ)))
    ours = shown(clean, "preview")
    white = Image.new("RGBA", ours.size, "white")
    white.alpha_composite(ours.convert("RGBA"))
    view = await browser.shows("image/png", png(picture, cicp(9, PQ)))
    assert np.abs(pixels_of(white) - view).mean() < 1.5


@pytest.mark.parametrize("turn", [1, 6])
@pytest.mark.parametrize("name", ["Display P3", "BT.2020, PQ", "BT.2020, HLG", "BT.2020, ten bits"])
async def test_a_heic_looks_as_the_same_avif_does(
    sanitize: Sanitize, browser: Browser, name: str, turn: int
) -> None:
    picture, codes = natural(512, 384), CODES[name]
    view = await browser.shows("image/avif", avif(picture, *codes))
    lying = picture.transpose(Image.Transpose.ROTATE_90) if turn == 6 else picture
    content = heic(lying, *codes, tile_size=256, exif=oriented(turn))
    ours = pixels_of(shown(await sanitize(content), "preview"))
    assert ours.shape == view.shape
    assert np.abs(blocks(ours) - blocks(view)).mean() < 4
