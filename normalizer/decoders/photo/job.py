"""The photo job of the sandbox: turns a sender's bytes into upright sRGB pixels of bounded size."""

import io
import mmap
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageFile

from normalizer.canvas import Canvas, Size
from normalizer.sandbox.job import JobFunction, JobRequest

from . import heif, libwebp, render, truncation
from .avif import open_avif
from .gif import open_gif
from .heif import open_heif
from .jpeg import open_jpeg
from .opened import DecodeLimits, OpenedPhoto
from .png import open_png
from .tiff import open_tiff
from .webp import open_webp

_READERS: dict[str, Callable[[memoryview, DecodeLimits], OpenedPhoto]] = {
    "avif": open_avif,
    "gif": open_gif,
    "heif": open_heif,
    "jpeg": open_jpeg,
    "png": open_png,
    "tiff": open_tiff,
    "webp": open_webp,
}


def photo(request: JobRequest) -> dict[str, Any]:
    """Fill the canvas, and send notes on the progress."""
    message = request.message
    canvas = Canvas(message["preview_side"])
    source = mmap.mmap(request.files[0], message["bytes"], access=mmap.ACCESS_READ)
    limits = DecodeLimits(message["max_pixels"], canvas.side)
    read = _READERS[message["format"]]
    opened = read(memoryview(source), limits)
    width, height = render.upright_size(opened.size, opened.orientation)
    header = {
        "width": width,
        "height": height,
        "lossless": opened.lossless,
        "pages": opened.pages,
    }

    def report_rows(size: Size, rows: int) -> None:
        if rows < size[1]:
            request.notify({**header, "preview": size, "translucent": False, "rows": rows})

    try:
        preview, translucent = render.preview(opened, canvas, request.files[1], report_rows)
    except OSError:
        header["restarted"] = True
        opened = truncation.open_truncated(lambda: read(memoryview(source), limits))
        preview, translucent = render.preview(opened, canvas, request.files[1], report_rows)
    request.keep_alive.extend((source, opened, preview))
    request.notify({**header, "preview": preview.size, "translucent": translucent})
    return {}


JOBS: dict[str, JobFunction] = {"photo": photo}


def warm_up() -> list[str]:
    """Run every reader once, so that nothing is loaded later. Return warnings for the log."""
    Image.init()
    # Our own limits are checked before decoding; Pillow's limit would only differ.
    Image.MAX_IMAGE_PIXELS = None
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    warnings = [heif.prepare(), libwebp.warning()]
    for name, sample in _samples().items():
        _warm_up_format(name, sample)
    return [warning for warning in warnings if warning]


def warm_child() -> None:
    """Touch the memory that a small photo needs in a fresh process, so that no customer waits for that."""
    _warm_up_format("jpeg", _SAMPLES["jpeg"])


def _warm_up_format(name: str, sample: bytes) -> None:
    canvas = Canvas(640)
    pixels = os.memfd_create("warm-up")
    os.ftruncate(pixels, canvas.size)
    opened = _READERS[name](memoryview(sample), DecodeLimits(640 * 480, 640))
    render.preview(opened, canvas, pixels, lambda *_: None)
    os.close(pixels)


_SAMPLES: dict[str, bytes] = {}


def _samples() -> dict[str, bytes]:
    image = Image.fromarray(np.zeros((480, 640, 3), np.uint8))
    forms = {
        "jpeg": "JPEG",
        "png": "PNG",
        "gif": "GIF",
        "tiff": "TIFF",
        "webp": "WEBP",
        "avif": "AVIF",
    }
    for name, form in forms.items():
        buffer = io.BytesIO()
        image.save(buffer, form)
        _SAMPLES[name] = buffer.getvalue()
    return _SAMPLES
