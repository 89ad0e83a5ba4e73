"""HEIF with HEVC inside, as iPhones and Samsung phones take photos."""

import contextlib
import mmap
import os

import pillow_heif
from PIL import Image, ImageFile

from normalizer.canvas import Size
from normalizer.media import MediaRejected

from . import downscaling, heif_items, orientation, pixel_memory
from .heif_tiles import Grid, library
from .opened import Opened, Seen, Wish

_THREADS = 4
_LARGE = 12_000_000


def open_heif(data: memoryview, wish: Wish) -> Opened:
    content = bytes(data)
    file = pillow_heif.open_heif(content, convert_hdr_to_8bit=True)
    if len(file) == 0:
        raise MediaRejected("unsupported_type", "a HEIF in a coding we do not know")
    picture = file[file.primary_index]
    wish.check(picture.size)
    wish.check_substance(picture.size, len(data), _LARGE)
    fit = wish.fit(picture.size)

    mode, size = picture.mode, picture.size

    def load(ground: mmap.mmap | None, seen: Seen) -> Image.Image:
        # Decoded as the boxes say it lies.
        grid = _grid(content, size) if ground is not None and mode == "RGB" else None
        if ground is not None and grid:
            with contextlib.closing(grid):
                return _row_by_row(grid, ground, fit.factor, seen)
        pixels = picture.data
        if picture.size != size:
            raise MediaRejected("corrupt", "a HEIF whose picture is not as large as it says")
        rows = downscaling.Rows(pixels, size, mode, picture.stride, mode)
        return rows.shown(ground, fit.factor, seen)

    profile = picture.info.get("icc_profile")
    return Opened(
        size=picture.size,
        fit=fit,
        load=load,
        lays=downscaling.laid(mode, picture.size, fit),
        orientation=_orientation(data, picture.info.get("exif")),
        profile=profile if isinstance(profile, bytes) else None,
    )


def _grid(content: bytes, size: Size) -> Grid | None:
    """The picture in tiles, if it is in tiles, and nothing is known to be wrong with them."""
    heif, overhang = library(), heif_items.overhang(heif_items.properties(memoryview(content)))
    if ImageFile.LOAD_TRUNCATED_IMAGES or heif is None or overhang is None:
        return None
    try:
        grid = Grid(heif, content, overhang, _threads())
    except OSError:
        # What the library makes of the whole file counts.
        return None
    if grid.size == size and grid.covers:
        return grid
    grid.close()
    return None


def _row_by_row(grid: Grid, ground: mmap.mmap, factor: int, seen: Seen) -> Image.Image:
    if factor == 1:
        for bottom in grid.decode(pixel_memory.pixels(ground, *grid.size)):
            seen(bottom)
        return pixel_memory.laid_over(ground, *grid.size, "RGB")
    whole = pixel_memory.private(*grid.size)
    shrinking = downscaling.Shrinking(whole, grid.size, "RGB", ground, factor)
    for bottom in grid.decode(pixel_memory.pixels(whole, *grid.size)):
        seen(shrinking.to(bottom))
    return shrinking.result


def _threads() -> int:
    return min(_THREADS, os.cpu_count() or 1)


def _orientation(data: memoryview, exif: object) -> int:
    """What EXIF says counts only where the boxes say nothing, as in the first photos of this kind from phones."""
    if not isinstance(exif, bytes) or heif_items.is_turned(heif_items.properties(data)):
        return orientation.UPRIGHT
    return orientation.of_exif(exif) or orientation.UPRIGHT


def prepare() -> None:
    library()
    pillow_heif.options.DECODE_THREADS = _threads()
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
