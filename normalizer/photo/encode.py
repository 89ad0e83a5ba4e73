"""Outside the cell: JPEG and PNG files made from checked pixels, each within its limit of bytes."""

import os
from typing import Literal

from PIL import Image

#: Quality steps tried at full size before the picture is made smaller.
_QUALITIES = (82, 74, 66)


def jpeg(
    image: Image.Image, max_bytes: int, qualities: tuple[int, ...] = _QUALITIES
) -> tuple[bytes, Image.Image]:
    """The picture as JPEG of at most so many bytes, and the picture as it was encoded."""
    while True:
        for quality in qualities:
            content = _encode(image, "JPEG", quality=quality)
            if len(content) <= max_bytes or max(image.size) == 1:
                return content, image
        image = image.resize(
            (max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)),
            Image.Resampling.BICUBIC,
        )


def png(image: Image.Image) -> bytes:
    return _encode(image, "PNG")


def on_white(image: Image.Image) -> Image.Image:
    """An opaque copy, as if it lay on white paper."""
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _encode(image: Image.Image, form: Literal["JPEG", "PNG"], **options: int) -> bytes:
    # Into a descriptor, not a BytesIO: only that way Pillow lets go of the interpreter lock for the
    # whole encode, and the event loop does not stall.
    descriptor = os.memfd_create("rendition", os.MFD_CLOEXEC)
    with open(descriptor, "wb", buffering=0) as file:
        image.save(file, form, **options)
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
