"""Photos of all sizes and shapes stay within the limits of size and bytes."""

from typing import Any

import pytest
from PIL import Image

from normalizer.media import Limits
from normalizer.renditions import image_files
from normalizer.sanitizer import Sanitizer

from .assertions import alike, assert_upright, colour, content, rendition, shown
from .conftest import Sanitize, sanitize_with
from .media_samples import encoded, natural, noise, quadrants

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("width", "height"),
    [(1, 1), (1, 20000), (20000, 1), (3, 9000), (9000, 1200), (1170, 9000), (17, 13)],
)
async def test_odd_shapes_fit_and_keep_their_proportions(
    sanitize: Sanitize, width: int, height: int
) -> None:
    clean = await sanitize(encoded(Image.new("RGB", (width, height), (200, 30, 30)), "PNG"))
    assert (clean.width, clean.height) == (width, height)
    preview, thumbnail = rendition(clean, "preview"), rendition(clean, "thumbnail")
    assert max(preview.width, preview.height) <= 4096
    assert thumbnail.width == thumbnail.height <= 320
    share = max(preview.width, preview.height) / max(width, height)
    assert preview.width == max(1, round(width * share))
    assert abs(preview.height - max(1, height * share)) <= 1
    assert alike(colour(shown(clean, "thumbnail"), 0.5, 0.5), (200, 30, 30), 6)


async def test_a_long_screenshot_stays_as_large_as_allowed(sanitize: Sanitize) -> None:
    clean = await sanitize(encoded(quadrants(1170, 9000)))
    assert rendition(clean, "preview").height == 4096
    assert_upright(shown(clean, "preview"))


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
async def test_the_largest_photo_allowed_is_ready(sanitize: Sanitize, form: str) -> None:
    clean = await sanitize(encoded(quadrants(8000, 8000), form))
    assert (clean.width, clean.height) == (8000, 8000)
    preview = rendition(clean, "preview")
    assert (preview.width, preview.height) == (4000, 4000)
    assert_upright(shown(clean, "preview"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
async def test_large_pngs_are_downscaled_while_decoding(sanitize: Sanitize, mode: str) -> None:
    clean = await sanitize(encoded(quadrants(6000, 4200, mode), "PNG", compress_level=1))
    assert rendition(clean, "preview").width == 3000
    if mode != "L":
        assert_upright(shown(clean, "preview"))


@pytest.mark.parametrize("size", [(2000, 1500), (4000, 3000)])
async def test_noise_stays_below_the_limits(sanitize: Sanitize, size: tuple[int, int]) -> None:
    clean = await sanitize(encoded(noise(*size), quality=95))
    assert len(content(clean, "preview")) <= 3_000_000
    assert len(content(clean, "thumbnail")) <= 30_000


async def test_tiny_limits_are_met() -> None:
    running = Sanitizer(
        Limits(preview_max_bytes=9000, thumbnail_max_bytes=700, preview_max_side=300), sandboxes=1
    )
    await running.start()
    try:
        clean = await sanitize_with(running)(encoded(noise(1200, 900)))
        alpha = await sanitize_with(running)(encoded(noise(300, 200).convert("LA"), "PNG"))
    finally:
        await running.close()
    for each in (clean, alpha):
        assert len(content(each, "preview")) <= 9000
        assert len(content(each, "thumbnail")) <= 700


async def test_a_photo_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encodes: list[tuple[int, int]] = []
    real = image_files._encode

    def counting(image: Image.Image, *arguments: Any, **options: Any) -> bytes:
        encodes.append(image.size)
        return real(image, *arguments, **options)

    monkeypatch.setattr(image_files, "_encode", counting)
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    try:
        await sanitize_with(running)(encoded(natural(4032, 3024), quality=90))
    finally:
        await running.close()
    assert {width for width, _ in encodes} == {4032, 320}
    assert sum(rows for width, rows in encodes if width == 4032) == 3024
    assert [size for size in encodes if size == (320, 320)] == [(320, 320)]
