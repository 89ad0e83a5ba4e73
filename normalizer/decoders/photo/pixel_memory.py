"""Pixels in memory of our choosing: Pillow pictures that lie in a map, without a copy.

Pillow can lay a picture over foreign memory (`map_buffer`, behind `Image.frombuffer`), but offers that
only for modes it does not draw on. Decoding a JPEG straight into shared memory saves two copies of up to
64 MB, a third of the whole job.
"""

import _thread
import ctypes
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from normalizer.canvas import BYTES_PER_PIXEL, PixelLayout

Pixels = NDArray[np.uint32]

_MADV_POPULATE_WRITE = 23
#: Not worth a system call below, and not a thread that runs ahead of who writes from the top.
_MANY_BYTES, _VERY_MANY_BYTES = 1 << 20, 1 << 24

_LIBC = ctypes.CDLL(None, use_errno=True)


def map_shared(descriptor: int, layout: PixelLayout) -> mmap.mmap:
    """The memory of a picture on the canvas, to be written."""
    memory = mmap.mmap(descriptor, layout.size, access=mmap.ACCESS_WRITE)
    populate(memory)
    return memory


def allocate(width: int, height: int) -> mmap.mmap:
    """Memory for a picture on its way."""
    memory = mmap.mmap(
        -1,
        width * height * BYTES_PER_PIXEL,
        flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
    )
    memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def populate(memory: mmap.mmap) -> None:
    """Gets all pages in one go instead of by a fault each; older kernels than 5.14 go the slow way."""
    pages = np.frombuffer(memory, np.uint8)
    if len(memory) >= _VERY_MANY_BYTES:
        _thread.start_new_thread(_populate, (pages,))
    elif len(memory) >= _MANY_BYTES:
        _populate(pages)


def _populate(pages: NDArray[np.uint8]) -> None:
    _LIBC.madvise(
        ctypes.c_void_p(pages.ctypes.data), ctypes.c_size_t(len(pages)), _MADV_POPULATE_WRITE
    )


def release_pages(memory: mmap.mmap, start: int, end: int) -> None:
    """Gives back the whole pages from byte `start` to `end`."""
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    last = end // mmap.PAGESIZE * mmap.PAGESIZE
    if last > first:
        memory.madvise(mmap.MADV_DONTNEED, first, last - first)


def image_over(memory: mmap.mmap, width: int, height: int, mode: str, top: int = 0) -> Image.Image:
    """A picture of mode RGB or RGBA whose pixels are `memory` from row `top` on, which must outlive it."""
    start = top * width * BYTES_PER_PIXEL
    core: Any = Image.core  # type: ignore[attr-defined]  # the C part is there, but not in the stubs
    return Image.Image()._new(  # noqa: SLF001  # how Pillow itself wraps a core picture
        core.map_buffer(memory, (width, height), "raw", start, (mode, 0, 1))
    )


def pixels(memory: mmap.mmap, width: int, height: int) -> Pixels:
    """The same memory as rows of numbers, red in the lowest byte."""
    return np.frombuffer(memory, np.dtype("<u4")).reshape(height, width)
