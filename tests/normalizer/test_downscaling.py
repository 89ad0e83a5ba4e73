"""Large photos are encoded in bands while they are decoded, and the result is the same."""

import io

import numpy as np
import pytest
from PIL import Image

from normalizer.canvas import BAND_ROWS
from normalizer.media import Limits
from normalizer.renditions import image_files
from normalizer.renditions.jpeg_join import join_bands
from normalizer.renditions.thumbnail import SquareThumbnail
from normalizer.sanitizer import Sanitizer

from .assertions import assert_bare, content, shown
from .conftest import Sanitize, sanitize_with
from .media_samples import encoded, natural, noise
from .profiles import DISPLAY_P3, profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "height", [2 * BAND_ROWS, 2 * BAND_ROWS + 1, 9 * BAND_ROWS + 250, 11 * BAND_ROWS - 8]
)
async def test_joined_bands_equal_the_photo_encoded_at_once(height: int) -> None:
    image = natural(700, 1400).resize((83, height))
    bands = [
        image.crop((0, top, 83, min(top + BAND_ROWS, height)))
        for top in range(0, height, BAND_ROWS)
    ]
    one = join_bands([image_files.encode_band(band) for band in bands], image.size)
    whole = io.BytesIO()
    image.save(whole, "JPEG", quality=image_files.PREVIEW_QUALITIES[0])
    with Image.open(io.BytesIO(one)) as first, Image.open(whole) as second:
        assert first.size == image.size
        assert np.array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize(
    "size", [(4032, 3024), (3024, 4032), (1601, 901), (700, 1400), (333, 2001), (5, 3000)]
)
async def test_a_thumbnail_from_bands_equals_one_made_at_once(size: tuple[int, int]) -> None:
    width, height = size
    picture = natural(700, 1400).resize(size)
    thumbnail = SquareThumbnail(size, 320)
    reduced, finished, first = thumbnail.reduced_image(), thumbnail.finished_image(), 0
    for top in range(0, height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, height)
        rows = picture.crop((0, 0, width, bottom))
        if reduced:
            thumbnail.add(reduced, rows, top, bottom)
        last = thumbnail.rows_within(bottom)
        if first < last:
            thumbnail.finish_rows(finished, reduced or rows, first, last)
        first = last
    seen, wanted = (
        np.asarray(each.convert("RGB"), dtype=int)
        for each in (finished, thumbnail.from_image(picture))
    )
    assert seen.shape == wanted.shape
    assert np.abs(seen - wanted).mean() < 2
    # A missing or repeated row would stand out.
    assert np.abs(seen - wanted).mean(axis=(1, 2)).max() < 8


@pytest.mark.parametrize("options", [{}, {"icc_profile": profile(DISPLAY_P3)}])
@pytest.mark.parametrize("form", ["JPEG", "AVIF"])
async def test_every_band_looks_like_the_photo(
    sanitize: Sanitize, form: str, options: dict[str, bytes]
) -> None:
    image = natural(1000, 1100)
    clean = await sanitize(encoded(image, form, quality=95, **options))
    assert_bare(clean)
    seen = np.asarray(shown(clean, "preview").convert("L"), dtype=int)
    wanted = np.asarray(image.convert("L"), dtype=int)
    rows = np.abs(seen - wanted).mean(axis=1)
    assert rows.max() < 12


async def test_a_truncated_large_photo_is_encoded_as_far_as_possible(sanitize: Sanitize) -> None:
    photo = encoded(natural(1200, 2000), quality=92)
    whole = np.asarray(shown(await sanitize(photo), "preview"), dtype=int)
    clean = await sanitize(photo[: int(len(photo) * 0.8)])
    seen = np.asarray(shown(clean, "preview"), dtype=int)
    assert seen.shape == whole.shape
    assert np.array_equal(seen[: 5 * BAND_ROWS], whole[: 5 * BAND_ROWS])
    # The missing part is grey, and not the previous content of the memory.
    assert np.ptp(seen[-BAND_ROWS // 2 :]) <= 4


async def test_bands_that_exceed_the_limit_are_encoded_again() -> None:
    running = Sanitizer(Limits(preview_max_bytes=700_000), sandboxes=1)
    await running.start()
    try:
        photo = encoded(noise(1000, 1024), quality=30)
        assert len(photo) <= 700_000
        clean = await sanitize_with(running)(photo)
    finally:
        await running.close()
    assert len(content(clean, "preview")) <= 700_000
