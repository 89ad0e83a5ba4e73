"""A HEIF in tiles is decoded row by row and looks like the whole picture."""

import contextlib
import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from normalizer.decoders.photo import heif_items, pixel_memory
from normalizer.decoders.photo.heif_tiles import Grid, library
from normalizer.media import Limits, MediaRejected
from normalizer.sanitizer import Sanitizer

from .assertions import shown
from .conftest import Sanitize, sanitize_with
from .media_samples import natural

_TILE = 128
_LIBRARY = library()


def tiled_heic(image: Image.Image, orientation: int = 1, **options: int) -> bytes:
    """Return a HEIF in tiles. pillow-heif writes EXIF's orientation as the file's own rotation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = pillow_heif.from_pillow(image)
    file.info["exif"] = exif.tobytes()
    buffer = io.BytesIO()
    file.save(buffer, quality=80, tile_size=_TILE, **options)
    return buffer.getvalue()


def decode_by_tiles(content: bytes) -> tuple[pixel_memory.Pixels, list[int]]:
    assert _LIBRARY
    overhang = heif_items.overhang(heif_items.properties(memoryview(content)))
    assert overhang is not None
    with contextlib.closing(Grid(_LIBRARY, content, overhang, 2)) as grid:
        assert grid.covers
        pixels = np.zeros((grid.size[1], grid.size[0]), np.uint32)
        return pixels, list(grid.decode(pixels))


def decode_at_once(content: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    file = pillow_heif.open_heif(content, convert_hdr_to_8bit=True)
    return np.asarray(file.to_pillow().convert("RGB"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(300, 200), (256, 384), (129, 600)])
def test_the_tiles_add_up_to_the_picture(size: tuple[int, int], orientation: int) -> None:
    content = tiled_heic(natural(*size), orientation)
    pixels, rows = decode_by_tiles(content)
    seen = pixels.view(np.uint8).reshape(*pixels.shape, 4)[:, :, :3].astype(int)
    error = np.abs(seen - decode_at_once(content))
    # If an odd side is turned, the library shifts the colours by half a pixel.
    assert error.max() == 0 if size[0] % 2 == 0 else error.mean() < 3
    assert rows == sorted(set(rows))
    assert rows[-1] == pixels.shape[0]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("orientation", "side"), [(1, 2000), (6, 512)])
async def test_a_photo_in_tiles_looks_like_the_photo(orientation: int, side: int) -> None:
    image = natural(1500, 1100)
    running = Sanitizer(Limits(preview_max_side=side), sandboxes=1)
    await running.start()
    try:
        clean = await sanitize_with(running)(tiled_heic(image, orientation))
    finally:
        await running.close()
    preview = shown(clean, "preview")
    upright = image if orientation == 1 else image.transpose(Image.Transpose.ROTATE_270)
    assert (clean.width, clean.height) == upright.size
    wanted = np.asarray(upright.resize(preview.size, Image.Resampling.BOX), dtype=int)
    assert np.abs(np.asarray(preview, dtype=int) - wanted).mean() < 6


@pytest.mark.parametrize("depth", [8, 10])
def test_tiles_of_any_depth_add_up_to_the_picture(depth: int) -> None:
    wide = (np.asarray(natural(300, 200)).astype(np.uint16) * 257).tobytes()
    file = pillow_heif.from_bytes(mode="RGB;16", size=(300, 200), data=wide)
    buffer = io.BytesIO()
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    if depth == 10:
        file.save(buffer, quality=80, tile_size=_TILE)
        content = buffer.getvalue()
    else:
        content = tiled_heic(natural(300, 200))
    pixels, _ = decode_by_tiles(content)
    seen = pixels.view(np.uint8).reshape(*pixels.shape, 4)[:, :, :3].astype(int)
    assert np.array_equal(seen, decode_at_once(content))


def test_a_broken_tile_raises_an_error() -> None:
    content = tiled_heic(natural(600, 600))
    with pytest.raises(OSError, match="."):
        decode_by_tiles(content[:-3000])


@pytest.mark.asyncio(loop_scope="module")
async def test_a_photo_with_missing_tiles_is_refused(sanitize: Sanitize) -> None:
    with pytest.raises(MediaRejected) as refusal:
        await sanitize(tiled_heic(natural(600, 600))[:-3000])
    assert refusal.value.reason == "corrupt"
