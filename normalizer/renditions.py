"""Outside the cell: checked pixels become the files an agent's browser gets."""

from collections.abc import Sequence
from typing import Literal

from PIL import Image

from .answers import Painted
from .media import Limits, Rendition
from .photo import encode
from .photo.canvas import Place
from .photo.joined import ROWS, joined

Large = Literal["preview", "poster"]

#: A screenshot stays PNG where it is small in pixels and was small in bytes, as drawings and text are.
_SCREENSHOT_PIXELS = 4_000_000
_SCREENSHOT_BYTES_PER_PIXEL = 0.75
_ICON_PIXELS = 128 * 128

#: Less is not worth the trouble.
_LEAST_BANDS = 2

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
    content, final = encode.jpeg(encode.opaque(image), limit)
    return Rendition(name, "image/jpeg", *final, content)


def comes_in_bands(painted: Painted, source_bytes: int, limits: Limits) -> bool:
    """Whether the large picture is a photo of some size that as good as surely fits at the first quality."""
    place, limit = painted.preview, limits.preview_max_bytes
    if painted.translucent or painted.crisp or place.height < _LEAST_BANDS * ROWS:
        return False
    fits = painted.whole and source_bytes <= limit
    return fits or encode.fits_surely((place.width, place.height), limit)


def band(pixels: memoryview, width: int, height: int) -> bytes:
    """Some rows of the large picture, encoded for themselves."""
    return encode.band(encode.picture(pixels, width, height, translucent=False))


def assembled(
    parts: Sequence[bytes], place: Place, name: Large, limits: Limits
) -> Rendition | None:
    """The large picture from its bands; None where it is too large after all."""
    content = joined(parts, (place.width, place.height))
    if len(content) > limits.preview_max_bytes:
        return None
    return Rendition(name, "image/jpeg", place.width, place.height, content)


def _picture(pixels: memoryview, place: Place, painted: Painted) -> Image.Image:
    return encode.picture(pixels, place.width, place.height, translucent=painted.translucent)


def _deserves_png(painted: Painted, source_bytes: int) -> bool:
    count = painted.preview.width * painted.preview.height
    if painted.translucent:
        return count <= _TRANSLUCENT_PIXELS
    if not painted.crisp or not painted.whole or count > _SCREENSHOT_PIXELS:
        return False
    return count <= _ICON_PIXELS or source_bytes <= count * _SCREENSHOT_BYTES_PER_PIXEL
