"""Outside the cell: checked pixels become the files an agent's browser gets."""

from typing import Literal

from PIL import Image

from .answers import Painted
from .media import Limits, Rendition
from .photo import encode
from .photo.canvas import Place

Large = Literal["preview", "poster"]

#: A screenshot stays PNG where it is small in pixels and was small in bytes, as drawings and text are.
_SCREENSHOT_PIXELS = 4_000_000
_SCREENSHOT_BYTES_PER_PIXEL = 0.75
_ICON_PIXELS = 128 * 128

#: PNG takes a second for more; what is larger lies on white.
_TRANSLUCENT_PIXELS = 8_000_000


def thumbnail(pixels: memoryview, place: Place, painted: Painted, limits: Limits) -> Rendition:
    image = _picture(pixels, place, painted)
    content, final = encode.jpeg(
        encode.opaque(image), limits.thumbnail_max_bytes, encode.THUMBNAIL_QUALITIES
    )
    return Rendition("thumbnail", "image/jpeg", *final, content)


def large(
    pixels: memoryview, painted: Painted, name: Large, source_bytes: int, limits: Limits
) -> Rendition:
    """The whole picture: as PNG where it has transparency or is a screenshot, and fits."""
    image = _picture(pixels, painted.preview, painted)
    limit = limits.preview_max_bytes
    if _deserves_png(painted, source_bytes):
        content = encode.png(image, limit)
        if content is not None:
            return Rendition(name, "image/png", *image.size, content)
    fits = painted.whole and not painted.crisp and source_bytes <= limit
    content, final = encode.jpeg(encode.opaque(image), limit, surely=fits)
    return Rendition(name, "image/jpeg", *final, content)


def _picture(pixels: memoryview, place: Place, painted: Painted) -> Image.Image:
    return encode.picture(pixels, place.width, place.height, translucent=painted.translucent)


def _deserves_png(painted: Painted, source_bytes: int) -> bool:
    count = painted.preview.width * painted.preview.height
    if painted.translucent:
        return count <= _TRANSLUCENT_PIXELS
    if not painted.crisp or not painted.whole or count > _SCREENSHOT_PIXELS:
        return False
    return count <= _ICON_PIXELS or source_bytes <= count * _SCREENSHOT_BYTES_PER_PIXEL
