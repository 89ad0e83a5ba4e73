"""WebP is decoded at the size in which it is shown, so a large one uses little memory."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

from normalizer.decoders.photo import libwebp, pixel_memory
from normalizer.media import Limits, MediaRejected
from normalizer.sanitizer import Sanitizer

from .assertions import shown
from .conftest import Sanitize, sanitize_with
from .media_samples import encoded, natural

_LIBRARY = libwebp.library()


def _translucent(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def _on_white(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int_]]:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    return np.asarray(white, dtype=int)


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_still_equals_the_picture_from_pillow(mode: str, *, lossless: bool) -> None:
    image = natural(301, 203)
    image = _translucent(image) if mode == "RGBA" else image
    content = encoded(image, "WEBP", lossless=lossless)
    assert _LIBRARY
    facts = libwebp.read_still(_LIBRARY, content)
    assert facts == libwebp.Header((301, 203), mode == "RGBA", lossless)
    target: pixel_memory.Pixels = np.zeros((203, 301), np.uint32)
    libwebp.decode(_LIBRARY, content, (301, 203), target)
    with Image.open(io.BytesIO(content)) as opened:
        wanted = np.asarray(opened.convert("RGBA"))
    assert np.array_equal(target.view(np.uint8).reshape(203, 301, 4), wanted)


def test_an_animation_is_not_a_still() -> None:
    frames = [natural(64, 64, seed) for seed in range(3)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    assert _LIBRARY
    assert libwebp.read_still(_LIBRARY, buffer.getvalue()) is None


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_a_webp_of_24_megapixels_uses_little_memory(mode: str) -> None:
    image = natural(1000, 800).resize((6000, 4000))
    image = _translucent(image) if mode == "RGBA" else image
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    try:
        clean = await sanitize_with(running)(encoded(image, "WEBP", quality=50, method=1))
        preview = shown(clean, "preview")
        zygote = running._pool._zygote
        assert zygote
        while not zygote.peak_memory:
            await asyncio.sleep(0.01)
        assert zygote.peak_memory < 150 << 20
    finally:
        await running.close()
    assert (clean.width, clean.height) == (6000, 4000)
    assert preview.size == (3000, 2000)
    assert preview.mode == mode
    seen, wanted = (_on_white(each) for each in (preview, image.reduce(2)))
    assert np.abs(seen - wanted).mean() < 4


@pytest.mark.asyncio(loop_scope="module")
async def test_half_a_webp_is_corrupt(sanitize: Sanitize) -> None:
    content = encoded(natural(600, 400), "WEBP")
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(content[: len(content) // 2])
    assert refusal.value.reason == "corrupt"
