"""Pixels in memory of our choice: Pillow images over a memory map, without a copy.

Pillow can lay an image over foreign memory (`map_buffer`, used by `Image.frombuffer`), but offers that only for
modes in which it does not draw. Decoding a JPEG directly into shared memory saves two copies of up to 64 MB, a
third of the whole job.
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

#: Reading maps the pages of a canvas that was used before sixteen at a time, writing one at a time: a millisecond for
#: two megapixels. Pages of shared memory that were read can be written without another fault.
_MADV_POPULATE_READ = 22
#: Below the first size a system call is not worth it, below the second a thread that runs ahead of the decoder.
_MANY_BYTES, _VERY_MANY_BYTES = 1 << 20, 1 << 24

_LIBC = ctypes.CDLL(None, use_errno=True)


def map_shared(descriptor: int, layout: PixelLayout) -> mmap.mmap:
    """Map the memory of a picture on the canvas for writing."""
    memory = mmap.mmap(descriptor, layout.size, access=mmap.ACCESS_WRITE)
    populate(memory)
    return memory


def allocate(width: int, height: int) -> mmap.mmap:
    """Allocate memory for an intermediate picture."""
    memory = mmap.mmap(
        -1,
        width * height * BYTES_PER_PIXEL,
        flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
    )
    memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def populate(memory: mmap.mmap) -> None:
    """Fault in all pages with one call. Kernels before 5.14 lack it and take one fault a page."""
    pages = np.frombuffer(memory, np.uint8)
    if len(memory) >= _VERY_MANY_BYTES:
        _thread.start_new_thread(_populate, (pages,))
    elif len(memory) >= _MANY_BYTES:
        _populate(pages)


def _populate(pages: NDArray[np.uint8]) -> None:
    _LIBC.madvise(
        ctypes.c_void_p(pages.ctypes.data), ctypes.c_size_t(len(pages)), _MADV_POPULATE_READ
    )


def release_pages(memory: mmap.mmap, start: int, end: int) -> None:
    """Release the whole pages between two bytes."""
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    last = end // mmap.PAGESIZE * mmap.PAGESIZE
    if last > first:
        memory.madvise(mmap.MADV_DONTNEED, first, last - first)


def image_over(memory: mmap.mmap, width: int, height: int, mode: str, top: int = 0) -> Image.Image:
    """Return an RGB or RGBA image over `memory`, from row `top` on. The memory must outlive the image."""
    start = top * width * BYTES_PER_PIXEL
    core: Any = Image.core  # type: ignore[attr-defined]  # the C part is there, but not in the stubs
    return Image.Image()._new(  # noqa: SLF001  # as Pillow itself wraps a core image
        core.map_buffer(memory, (width, height), "raw", start, (mode, 0, 1))
    )


def pixels(memory: mmap.mmap, width: int, height: int) -> Pixels:
    """Return the same memory as rows of numbers, with red in the lowest byte."""
    return np.frombuffer(memory, np.dtype("<u4")).reshape(height, width)
