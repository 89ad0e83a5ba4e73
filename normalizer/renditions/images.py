"""Images for an agent's browser, encoded from checked pixels."""

from collections.abc import Sequence
from typing import Literal

from PIL import Image

from normalizer.canvas import BAND_ROWS, BYTES_PER_PIXEL, PixelLayout
from normalizer.media import Limits, Rendition

from . import image_files
from .answers import Painted
from .jpeg_join import join_bands
from .thumbnail import SquareThumbnail

Large = Literal["preview", "poster"]

#: A screenshot stays PNG if it has few pixels and few bytes, as drawings and text do.
_SCREENSHOT_PIXELS = 4_000_000
_SCREENSHOT_BYTES_PER_PIXEL = 0.75
_ICON_PIXELS = 128 * 128

#: Fewer rows are not worth bands.
_BANDED_ROWS = 4 * BAND_ROWS

#: The share of a picture that predicts its size, and the tolerance for the rest.
_PREDICTIVE_SHARE, _LENIENCE = 0.25, 1.3

#: PNG takes a second for more; a larger picture gets a white background.
_TRANSLUCENT_PIXELS = 8_000_000


def encode_thumbnail(pixels: memoryview, painted: Painted, limits: Limits) -> Rendition:
    """Encode the thumbnail."""
    image = _picture(pixels, painted)
    return finish_thumbnail(
        SquareThumbnail(image.size, limits.thumbnail_side).from_image(image), limits
    )


def finish_thumbnail(image: Image.Image, limits: Limits) -> Rendition:
    """Encode a picture that has the size of a thumbnail."""
    limit, qualities = limits.thumbnail_max_bytes, image_files.THUMBNAIL_QUALITIES
    content, final = image_files.encode_jpeg(image_files.on_white(image), limit, qualities)
    return Rendition("thumbnail", "image/jpeg", *final, content)


def encode_large(
    pixels: memoryview, painted: Painted, name: Large, source_bytes: int, limits: Limits
) -> Rendition:
    """Encode the whole picture: as PNG if it has transparency or is a screenshot, and fits."""
    image = _picture(pixels, painted)
    limit = limits.preview_max_bytes
    if _is_worth_png(painted, source_bytes):
        content = image_files.encode_png(image, limit)
        if content is not None:
            return Rendition(name, "image/png", *image.size, content)
    content, final = image_files.encode_jpeg(image_files.on_white(image), limit)
    return Rendition(name, "image/jpeg", *final, content)


def is_photo(painted: Painted) -> bool:
    """Whether the large picture becomes a JPEG and nothing else."""
    return not painted.translucent and not painted.lossless


def is_encoded_in_bands(painted: Painted) -> bool:
    """Whether the large picture is a photo with enough rows for bands."""
    return is_photo(painted) and painted.preview.height >= _BANDED_ROWS


def encode_band(pixels: memoryview, layout: PixelLayout, top: int) -> bytes:
    """Encode a band of the large picture, from row `top` on, as JPEG."""
    width, row = layout.width, layout.width * BYTES_PER_PIXEL
    bottom = min(top + BAND_ROWS, layout.height)
    rows = pixels[top * row : bottom * row]
    return image_files.encode_band(
        image_files.image_over(rows, width, bottom - top, translucent=False)
    )


def may_fit(bands: Sequence[bytes], layout: PixelLayout, limits: Limits) -> bool:
    """Whether all bands of a picture may fit the limit, given the first ones."""
    so_far, share = sum(map(len, bands)), len(bands) * BAND_ROWS / layout.height
    most = limits.preview_max_bytes
    return so_far <= most and (share < _PREDICTIVE_SHARE or so_far <= most * share * _LENIENCE)


def image_from_bands(
    bands: Sequence[bytes], layout: PixelLayout, name: Large, limits: Limits
) -> Rendition | None:
    """Join the large picture from its bands. Return None if it exceeds the limit."""
    content = join_bands(bands, (layout.width, layout.height))
    if len(content) > limits.preview_max_bytes:
        return None
    return Rendition(name, "image/jpeg", layout.width, layout.height, content)


def _picture(pixels: memoryview, painted: Painted) -> Image.Image:
    layout = painted.preview
    return image_files.image_over(
        pixels, layout.width, layout.height, translucent=painted.translucent
    )


def _is_worth_png(painted: Painted, source_bytes: int) -> bool:
    count = painted.preview.width * painted.preview.height
    if painted.translucent:
        return count <= _TRANSLUCENT_PIXELS
    if not painted.lossless or not painted.is_full_size or count > _SCREENSHOT_PIXELS:
        return False
    return count <= _ICON_PIXELS or source_bytes <= count * _SCREENSHOT_BYTES_PER_PIXEL
