"""HEIF with HEVC inside, the format of photos from iPhones and Samsung phones."""

import contextlib
import mmap
import os

import pillow_heif
from PIL import Image, ImageFile

from normalizer.canvas import Size
from normalizer.media import MediaRejected

from . import coded_colour, downscaling, heif_items, orientation, pixel_memory
from .coded_colour import CodedColours
from .heif_tiles import Grid, library, warning
from .opened import DecodeLimits, OnRows, OpenedPhoto

_THREADS = 4
_LARGE = 12_000_000


def open_heif(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    content = bytes(data)
    file = pillow_heif.open_heif(content, convert_hdr_to_8bit=True)
    if len(file) == 0:
        raise MediaRejected("unsupported_type", "the HEIF has an unsupported coding")
    picture = file[file.primary_index]
    limits.check(picture.size)
    limits.check_density(picture.size, len(data), _LARGE)
    fit = limits.fit(picture.size)

    mode, size = picture.mode, picture.size

    def load(memory: mmap.mmap | None, on_rows: OnRows) -> Image.Image:
        # The library has already turned the picture as its boxes say.
        grid = _open_grid(content, size) if memory is not None and mode == "RGB" else None
        if memory is not None and grid:
            with contextlib.closing(grid):
                return _decode_rows(grid, memory, fit.factor, on_rows)
        pixels = picture.data
        if picture.size != size:
            raise MediaRejected(
                "corrupt", "the HEIF's picture does not have the size that its header states"
            )
        rows = downscaling.RawRows(pixels, size, mode, picture.stride, mode)
        return rows.to_image(memory, fit.factor, on_rows)

    profile = picture.info.get("icc_profile")
    return OpenedPhoto(
        size=picture.size,
        fit=fit,
        load=load,
        canvas_mode=downscaling.canvas_mode(mode, picture.size, fit),
        orientation=_orientation(data, picture.info.get("exif")),
        profile=profile if isinstance(profile, bytes) else None,
        colours=None if profile else _colours(picture.info.get("nclx_profile")),
    )


def _colours(stated: object) -> CodedColours | None:
    """Return the colours that the library found in the boxes of the picture or of its tiles."""
    if not isinstance(stated, dict):
        return None
    return coded_colour.from_nclx(stated["color_primaries"], stated["transfer_characteristics"])


def _open_grid(content: bytes, size: Size) -> Grid | None:
    """Return the picture as a grid of tiles, or None if it has no tiles or a tile is known to be damaged."""
    heif, overhang = library(), heif_items.overhang(heif_items.properties(memoryview(content)))
    if ImageFile.LOAD_TRUNCATED_IMAGES or heif is None or overhang is None:
        return None
    try:
        grid = Grid(heif, content, overhang, _threads())
    except OSError:
        # The result for the whole file decides.
        return None
    if grid.size == size and grid.covers:
        return grid
    grid.close()
    return None


def _decode_rows(grid: Grid, memory: mmap.mmap, factor: int, on_rows: OnRows) -> Image.Image:
    if factor == 1:
        for bottom in grid.decode(pixel_memory.pixels(memory, *grid.size)):
            on_rows(bottom)
        return pixel_memory.image_over(memory, *grid.size, "RGB")
    whole = pixel_memory.allocate(*grid.size)
    reducer = downscaling.BandReducer(whole, grid.size, "RGB", memory, factor)
    for bottom in grid.decode(pixel_memory.pixels(whole, *grid.size)):
        on_rows(reducer.advance(bottom))
    return reducer.result


def _threads() -> int:
    return min(_THREADS, os.cpu_count() or 1)


def _orientation(data: memoryview, exif: object) -> int:
    """Return EXIF's orientation only if the boxes state none, as in the first photos of this kind from phones."""
    if not isinstance(exif, bytes) or heif_items.states_orientation(heif_items.properties(data)):
        return orientation.UPRIGHT
    return orientation.from_exif(exif) or orientation.UPRIGHT


def prepare() -> str:
    """Load libheif and set its options. Return a warning if tiles cannot be decoded, otherwise ""."""
    pillow_heif.options.DECODE_THREADS = _threads()
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    return warning()
