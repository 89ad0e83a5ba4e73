"""HEIF in tiles, as phones write it, decoded row by row: pillow_heif can only decode the whole picture.

The calls go to the libheif that pillow_heif has loaded (1.19 and later, heif_tiling.h), from several threads with a
context each, because a context decodes one tile at a time.
"""

import ctypes
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from queue import SimpleQueue

import numpy as np

from normalizer.canvas import Size

from . import shared_libraries
from .heif_items import Side
from .pixel_memory import Pixels
from .shared_libraries import POINTER, Calls

_RGB, _RGBA, _INTERLEAVED = 1, 11, 10
_APPLY_TRANSFORMATIONS = 1

#: Releases whose structures have the layouts used here: those of the headers of 1.19.0 to 1.23.1. Add a
#: release when `heif_image_tiling` and the start of `heif_decoding_options` have been compared in its headers.
_KNOWN_VERSIONS = range(0x01130000, 0x01180000)

#: Offset of `convert_hdr_to_8bit` in heif_decoding_options: after two bytes, three functions and a pointer.
_CONVERT_HDR_OFFSET = 40


class _Error(ctypes.Structure):
    _fields_ = (("code", ctypes.c_int), ("detail", ctypes.c_int), ("message", ctypes.c_char_p))


class _Tiling(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        *((name, ctypes.c_uint32) for name in ("columns", "rows", "tile_width", "tile_height")),
        *((name, ctypes.c_uint32) for name in ("width", "height", "top", "left")),
        ("dimensions", ctypes.c_uint8),
        ("more", ctypes.c_uint32 * 8),
    )


_OUT = ctypes.POINTER(POINTER)

_CALLS: Calls = {
    "heif_get_version_number": (ctypes.c_uint32, ()),
    "heif_context_alloc": (POINTER, ()),
    "heif_context_free": (None, (POINTER,)),
    "heif_context_read_from_memory_without_copy": (
        _Error,
        (POINTER, POINTER, ctypes.c_size_t, POINTER),
    ),
    "heif_context_get_primary_image_handle": (_Error, (POINTER, _OUT)),
    "heif_image_handle_release": (None, (POINTER,)),
    "heif_image_handle_get_image_tiling": (
        _Error,
        (POINTER, ctypes.c_int, ctypes.POINTER(_Tiling)),
    ),
    "heif_image_handle_decode_image_tile": (
        _Error,
        (POINTER, _OUT, ctypes.c_int, ctypes.c_int, POINTER, ctypes.c_uint32, ctypes.c_uint32),
    ),
    "heif_decoding_options_alloc": (POINTER, ()),
    "heif_decoding_options_free": (None, (POINTER,)),
    "heif_image_get_width": (ctypes.c_int, (POINTER, ctypes.c_int)),
    "heif_image_get_height": (ctypes.c_int, (POINTER, ctypes.c_int)),
    "heif_image_get_plane_readonly": (
        POINTER,
        (POINTER, ctypes.c_int, ctypes.POINTER(ctypes.c_int)),
    ),
    "heif_image_release": (None, (POINTER,)),
}


def library() -> ctypes.CDLL | None:
    """Return libheif, or None if it must not be called. Call this first while there is a file system."""
    return _load()[0]


def warning() -> str:
    """Return why HEIF photos are decoded whole instead of tile by tile; "" if they are not."""
    return _load()[1]


@cache
def _load() -> tuple[ctypes.CDLL | None, str]:
    heif = shared_libraries.library("libheif", "pillow_heif", _CALLS)
    if heif is None:
        return None, "libheif with tiles was not found, so HEIF photos are decoded whole"
    version = heif.heif_get_version_number()
    if version not in _KNOWN_VERSIONS:
        name = ".".join(str(part) for part in version.to_bytes(4, "big")[:3])
        return None, f"libheif {name} is not a known version, so HEIF photos are decoded whole"
    return heif, ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """The layout of the tiles of an upright picture. The first ones may extend beyond its edge by `left` and `top`."""

    columns: int
    rows: int
    width: int
    height: int
    left: int
    top: int


class Grid:
    """The primary picture of a file. Close the grid before the file is released."""

    def __init__(
        self, heif: ctypes.CDLL, content: bytes, overhang: AbstractSet[Side], threads: int
    ) -> None:
        """Open the picture. Raise OSError if the library cannot read it."""
        self._heif, self._content, self._threads = heif, content, threads
        self._open = ExitStack()
        self._handles: SimpleQueue[POINTER] = SimpleQueue()
        with ExitStack() as undo:
            undo.callback(self.close)
            self._options = POINTER(heif.heif_decoding_options_alloc())
            self._open.callback(heif.heif_decoding_options_free, self._options)
            assert self._options.value
            ctypes.c_uint8.from_address(self._options.value + _CONVERT_HDR_OFFSET).value = 1
            for _ in range(threads):
                self._handles.put(self._handle())
            self.size, self.tiles = self._tiling(overhang)
            undo.pop_all()

    @property
    def covers(self) -> bool:
        """Whether there are several tiles and none is missing."""
        (width, height), tiles = self.size, self.tiles
        across = tiles.columns * tiles.width - tiles.left
        down = tiles.rows * tiles.height - tiles.top
        return tiles.columns * tiles.rows > 1 and across >= width and down >= height

    def close(self) -> None:
        """Free the library's objects."""
        self._open.close()

    def decode(self, target: Pixels) -> Iterator[int]:
        """Fill `target`, and yield the number of finished rows from the top. Raise OSError for damage."""
        tiles, height = self.tiles, self.size[1]
        with ThreadPoolExecutor(self._threads) as threads:
            rows: list[list[Future[None]]] = [
                [threads.submit(self._decode_tile, target, x, y) for x in range(tiles.columns)]
                for y in range(tiles.rows)
            ]
            try:
                for number, row in enumerate(rows):
                    for tile in row:
                        tile.result()
                    yield min(height, (number + 1) * tiles.height - tiles.top)
            finally:
                threads.shutdown(cancel_futures=True)

    def _handle(self) -> POINTER:
        heif = self._heif
        context, handle = POINTER(heif.heif_context_alloc()), POINTER()
        self._open.callback(heif.heif_context_free, context)
        content = ctypes.cast(ctypes.c_char_p(self._content), POINTER)
        _check(
            heif.heif_context_read_from_memory_without_copy(
                context, content, len(self._content), None
            )
        )
        _check(heif.heif_context_get_primary_image_handle(context, ctypes.byref(handle)))
        self._open.callback(heif.heif_image_handle_release, handle)
        return handle

    def _tiling(self, overhang: AbstractSet[Side]) -> tuple[Size, Tiles]:
        found, handle = _Tiling(), self._handles.get()
        _check(
            self._heif.heif_image_handle_get_image_tiling(
                handle, _APPLY_TRANSFORMATIONS, ctypes.byref(found)
            )
        )
        self._handles.put(handle)
        size, across, down = (found.width, found.height), found.columns, found.rows
        # The library leaves the offsets at zero for pictures that are turned.
        left = across * found.tile_width - size[0] if "left" in overhang else 0
        top = down * found.tile_height - size[1] if "top" in overhang else 0
        return size, Tiles(across, down, found.tile_width, found.tile_height, left, top)

    def _decode_tile(self, target: Pixels, x: int, y: int) -> None:
        handle, image = self._handles.get(), POINTER()
        try:
            _check(
                self._heif.heif_image_handle_decode_image_tile(
                    handle, ctypes.byref(image), _RGB, _RGBA, self._options, x, y
                )
            )
        finally:
            self._handles.put(handle)
        try:
            tiles = self.tiles
            _copy_tile(
                self._pixels(image),
                target,
                x * tiles.width - tiles.left,
                y * tiles.height - tiles.top,
            )
        finally:
            self._heif.heif_image_release(image)

    def _pixels(self, image: POINTER) -> Pixels:
        stride = ctypes.c_int()
        plane = self._heif.heif_image_get_plane_readonly(image, _INTERLEAVED, ctypes.byref(stride))
        width = self._heif.heif_image_get_width(image, _INTERLEAVED)
        height = self._heif.heif_image_get_height(image, _INTERLEAVED)
        if not plane or width < 1 or height < 1 or stride.value < 4 * width:
            raise OSError("a tile has no pixels")
        rows = (ctypes.c_uint8 * (stride.value * height)).from_address(plane)
        pixels = np.frombuffer(rows, np.uint8).reshape(height, stride.value)
        return pixels[:, : 4 * width].view("<u4")


def _copy_tile(tile: Pixels, target: Pixels, left: int, top: int) -> None:
    """Copy the part of a tile that is inside the picture."""
    height, width = target.shape
    first, last = max(top, 0), min(top + tile.shape[0], height)
    start, end = max(left, 0), min(left + tile.shape[1], width)
    if first < last and start < end:
        target[first:last, start:end] = tile[first - top : last - top, start - left : end - left]


def _check(error: _Error) -> None:
    if error.code:
        raise OSError(error.message.decode(errors="replace") if error.message else "damaged")
