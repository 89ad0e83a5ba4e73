"""TIFF from scanners and fax services: the first page. From cameras: the preview beside the sensor's data."""

import contextlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image, ImagePalette, TiffImagePlugin

from normalizer.canvas import Size
from normalizer.media import MediaRejected

from . import downscaling, jpeg, orientation, tiff_pages
from .jpeg import open_jpeg
from .opened import DecodeLimits, OpenedPhoto
from .tiff_pages import MAX_ENTRIES, VALUE_BYTES, Layout, Page, Pages

_MAX_CLAIMS = 16_000_000

#: A side is a short or long number, in BigTIFF also a longer one.
_SIZE_FORMATS = {3: "H", 4: "I", 16: "Q"}

#: All pixels are in memory at once: an A4 page at 500 dots per inch, or at 800 without colour.
_MAX_BYTES = 120_000_000
_NARROW = frozenset({"1", "L", "P"})

_WIDTH, _HEIGHT, _ICC = 256, 257, 34675
_COLOUR_MAP, _MOST_NARROW = 320, 255
_TILE_WIDTH = 322
_PLANAR, _IN_PLANES = 284, 2
_PHOTOMETRIC, _LUMA_AND_CHROMA = 262, 6
#: A compression that the library knows by name, but is built without: WebP.
_COMPRESSION, _NOT_BUILT_IN = 259, frozenset({50001})
#: Whether each pixel has its own colour or several share one.
_SAMPLING, _EACH = 530, (1, 1)


#: A preview with a longer side shows what the photo shows.
_LARGE_PREVIEW = 1024


def open_tiff(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    try:
        pages = tiff_pages.read(data)
    except struct.error:
        raise MediaRejected("corrupt", "the TIFF has no directory") from None
    if pages.is_raw:
        return _open_raw(data, pages, limits)
    page = _shown(pages)
    if page is not pages.chain[0]:
        data = tiff_pages.pointing_to(data, page)
    limits.check(_size(data))
    image = _open(data)
    limits.check(image.size, most=_MAX_BYTES // (1 if image.mode in _NARROW else 4))
    size = _square_pixels(image.size, page)
    fit = limits.fit(size)

    def load(*_: object) -> Image.Image:
        # Pillow turns a TIFF upright while loading it.
        image.load()
        return downscaling.downscaled(image, fit.factor)

    profile = image.tag_v2.get(_ICC)
    return OpenedPhoto(
        size=size,
        fit=fit,
        load=load,
        profile=profile if isinstance(profile, bytes) else None,
        lossless=True,
        pages=pages.total,
    )


def _shown(pages: Pages) -> Page:
    """Return the first page, or the picture of which the first page is a small copy."""
    first = pages.chain[0]
    if not first.is_reduced:
        return first
    return next(
        (each for each in pages.all if each.is_page and each.longest > first.longest), first
    )


def _square_pixels(size: Size, page: Page) -> Size:
    """Return the size at which pixels are square. Nothing is left out: the coarser side gets more pixels."""
    aspect = 1 / page.aspect if orientation.swaps_sides(page.orientation) else page.aspect
    width, height = size
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _open_raw(data: memoryview, pages: Pages, limits: DecodeLimits) -> OpenedPhoto:
    """Open the largest preview in a camera's file, which the camera has developed itself."""
    wanted = min(_LARGE_PREVIEW, max(page.longest for page in pages.all))
    previews = sorted(_previews(data, pages), key=lambda each: max(each.size), reverse=True)
    if not previews or max(previews[0].size) < wanted:
        raise MediaRejected("unsupported_type", "a raw photo without a large preview")
    found = previews[0]
    opened = open_jpeg(found.content, limits)
    turn = pages.chain[0].orientation
    if found.states_orientation or turn not in orientation.INVERSE:
        return opened
    return replace(opened, orientation=turn)


@dataclass(frozen=True, slots=True)
class _Preview:
    content: memoryview
    size: Size
    states_orientation: bool


def _previews(data: memoryview, pages: Pages) -> Iterator[_Preview]:
    for page in pages.all:
        content = None if page.is_sensor_data else page.embedded_jpeg(data)
        if content is None:
            continue
        # A preview that we cannot decode is none; another one may be there.
        with contextlib.suppress(MediaRejected):
            found = jpeg.read(content)
            yield _Preview(content, (found.width, found.height), found.exif_orientation is not None)


def _open(data: memoryview) -> TiffImagePlugin.TiffImageFile:
    image = _parse(data)
    if _needs_libtiff(image):
        # A sandbox runs one job, so this setting affects only this file.
        TiffImagePlugin.READ_LIBTIFF = True
        image = _parse(data)
    if image.tag_v2.get(_COMPRESSION) in _NOT_BUILT_IN:
        raise MediaRejected("unsupported_type", "the TIFF has an unsupported compression")
    palette = image.tag_v2.get(_COLOUR_MAP, ())
    if image.mode == "P" and palette and max(palette) <= _MOST_NARROW:
        # Some scanner drivers fill a sixteen-bit colour table with eight-bit values, which would look black.
        image.palette = ImagePalette.raw("RGB;L", bytes(palette))
    return image


def _parse(data: memoryview) -> TiffImagePlugin.TiffImageFile:
    try:
        return TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    except SyntaxError as exc:
        # The library raises this for unknown layouts.
        raise MediaRejected(
            "unsupported_type", f"the TIFF has an unsupported layout: {exc}"
        ) from None


def _needs_libtiff(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether uncompressed pixels have a layout that only libtiff can decode."""
    tags = image.tag_v2
    coarse = tags.get(_PHOTOMETRIC) == _LUMA_AND_CHROMA and tags.get(_SAMPLING) != _EACH
    return _TILE_WIDTH in tags or tags.get(_PLANAR) == _IN_PLANES or coarse


def _size(data: memoryview) -> Size:
    """Return width and height of the first page. Refuse a directory whose fields claim the file many times over."""
    try:
        return _read_size(data, tiff_pages.layout(data))
    except struct.error:
        raise MediaRejected("corrupt", "the TIFF has no directory") from None


def _read_size(data: memoryview, layout: Layout) -> Size:
    order = layout.order
    (start,) = struct.unpack_from(order + layout.start, data, layout.start_at)
    (count,) = struct.unpack_from(order + layout.count, data, start)
    if count > MAX_ENTRIES:
        raise MediaRejected("corrupt", f"the TIFF page has {count} fields")
    found = {_WIDTH: 0, _HEIGHT: 0}
    size = layout.entry_bytes
    first = start + struct.calcsize(order + layout.count)
    claimed = 0
    for at in range(first, first + count * size, size):
        tag, kind, values = struct.unpack_from(order + layout.entry, data, at)
        # The library reads no more than the file holds, but it does so for each field.
        claimed += min(values * VALUE_BYTES.get(kind, 1), len(data))
        if tag in found:
            size_format = _SIZE_FORMATS.get(kind, "I")
            (found[tag],) = struct.unpack_from(order + size_format, data, at + layout.value_at)
    if claimed > 2 * len(data) + _MAX_CLAIMS:
        raise MediaRejected("corrupt", "the TIFF's fields claim more than the file holds")
    return found[_WIDTH], found[_HEIGHT]
