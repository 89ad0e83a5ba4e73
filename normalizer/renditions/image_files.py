"""JPEG and PNG files encoded from pixels, each within its limit of bytes.

The limit is met by prediction, not by trial: a sample of the rows gives the size within a few percent. Quality is
lowered only so far; then the picture gets smaller.
"""

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from PIL import Image

PREVIEW_QUALITIES = (82, 74, 66)
THUMBNAIL_QUALITIES = (75, 60, 45, 30)

#: Rows are sampled in the bands that JPEG codes together, one of so many bands.
_BAND = 16
_SAMPLE_EVERY = 8

#: Bytes a pixel that not even noise exceeds at the first quality. Below them no prediction is needed.
_WORST_BYTES_PER_PIXEL = 0.8

#: Few enough pixels that subsampled colours would be visible, and full colours cost nothing.
_SMALL_PIXELS = 200 * 200

#: Pillow's code for subsampled colours, which it also uses by default for larger pictures.
_HALF_SIDES = 2

#: Alpha as a mask: all or nothing.
_OPACITY_MASK = [0] + [255] * 255

#: Few enough pixels that encoding them takes no longer than predicting how many bytes that would give.
_TRIED_PIXELS = 400 * 400

#: A margin for the sample: the worst of 28 photos and patterns was 4.7 % too low.
_SAMPLE_MARGIN = 1.06


def image_over(pixels: memoryview, width: int, height: int, *, translucent: bool) -> Image.Image:
    """Return shared memory as a picture, without a copy."""
    mode = "RGBA" if translucent else "RGBX"
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)  # type: ignore[arg-type]  # any buffer is accepted


def colours_over(pixels: memoryview, width: int, height: int) -> Image.Image:
    """Return shared memory as an opaque picture, without a copy. Three channels are scaled faster than four."""
    core: Any = Image.core  # type: ignore[attr-defined]  # the C part is there, but not in the stubs
    # `frombuffer` offers it only for modes whose pixels have no unused byte.
    mapped = core.map_buffer(pixels, (width, height), "raw", 0, ("RGB", 0, 1))
    return Image.Image()._new(mapped)  # noqa: SLF001  # as Pillow itself wraps a core image


def on_white(image: Image.Image) -> Image.Image:
    """Return the picture on a white background."""
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def encode_jpeg(
    image: Image.Image,
    max_bytes: int,
    qualities: Sequence[int] = PREVIEW_QUALITIES,
) -> tuple[bytes, tuple[int, int]]:
    """Return the picture as JPEG of at most `max_bytes`, and the size that it then has."""
    while True:
        for quality in _qualities_to_try(image, max_bytes, qualities):
            content = _encode(image, "JPEG", quality=quality)
            if len(content) <= max_bytes or image.size == (1, 1):
                return content, image.size
        image = _shrink(image, max_bytes, qualities[-1])


def encode_at(image: Image.Image, quality: int) -> bytes:
    """Return the picture as JPEG of this quality, with subsampled colours, of any size."""
    return _encode(image, "JPEG", quality=quality, subsampling=_HALF_SIDES)


def encode_band(image: Image.Image) -> bytes:
    """Encode a band of a picture as JPEG of the first quality; `join_bands` joins the bands."""
    return _encode(image, "JPEG", quality=PREVIEW_QUALITIES[0], subsampling=_HALF_SIDES)


def _always_fits(size: tuple[int, int], max_bytes: int) -> bool:
    """Whether even noise stays below the limit at the first quality."""
    return size[0] * size[1] * _WORST_BYTES_PER_PIXEL <= max_bytes


def encode_png(image: Image.Image, max_bytes: int) -> bytes | None:
    """Return the picture as PNG, or None if that would be too large."""
    image = _clear_transparent(image) if image.mode == "RGBA" else image.convert("RGB")
    sample = _sample(image)
    if sample is not None:
        share = image.height / sample.height
        if len(_encode(sample, "PNG", compress_level=3)) * share > max_bytes * _SAMPLE_MARGIN:
            return None
    content = _encode(image, "PNG")
    return content if len(content) <= max_bytes else None


def _clear_transparent(image: Image.Image) -> Image.Image:
    """Remove the colours of fully transparent pixels: they are invisible, but could be read from the file."""
    cleared = Image.new("RGBA", image.size)
    cleared.paste(image, mask=image.getchannel("A").point(_OPACITY_MASK))
    return cleared


def _qualities_to_try(
    image: Image.Image, max_bytes: int, qualities: Sequence[int]
) -> Iterator[int]:
    """Yield the qualities worth trying, best first."""
    safe = image.width * image.height <= _TRIED_PIXELS or _always_fits(image.size, max_bytes)
    return (q for q in qualities if safe or _predict_bytes(image, q) <= max_bytes)


def _predict_bytes(image: Image.Image, quality: int) -> float:
    sample = _sample(image)
    if sample is None:
        return 0
    size = len(_encode(sample, "JPEG", quality=quality))
    return size * image.height / sample.height * _SAMPLE_MARGIN


def _sample(image: Image.Image) -> Image.Image | None:
    """Return some bands of the picture, or None if it has too few."""
    bands = image.height // _BAND // _SAMPLE_EVERY
    if bands < 2:
        return None
    sample = Image.new(image.mode, (image.width, bands * _BAND))
    for number in range(bands):
        top = (number * _SAMPLE_EVERY + _SAMPLE_EVERY // 2) * _BAND
        encode_band = image.crop((0, top, image.width, top + _BAND))
        sample.paste(encode_band, (0, number * _BAND))
    return sample


def _shrink(image: Image.Image, max_bytes: int, quality: int) -> Image.Image:
    """Reduce the size by the excess at the lowest quality, at least by a tenth."""
    excess = _predict_bytes(image, quality) / max_bytes
    share = min(0.9, 1 / math.sqrt(excess) if excess > 1 else 1)
    size = (max(1, int(image.width * share)), max(1, int(image.height * share)))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _encode(image: Image.Image, form: Literal["JPEG", "PNG"], **options: int) -> bytes:
    # Into a descriptor, not a BytesIO: only then does Pillow release the interpreter lock for the whole encode, so
    # that the event loop does not stall.
    if form == "JPEG" and image.width * image.height <= _SMALL_PIXELS:
        options.setdefault("subsampling", 0)
    descriptor = os.memfd_create("rendition", os.MFD_CLOEXEC)
    with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123  # the descriptor has no path
        image.save(file, form, **options)
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
