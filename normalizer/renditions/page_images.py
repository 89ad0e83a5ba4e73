"""The pictures of a document's pages, encoded from pixels."""

from PIL import Image

from normalizer.canvas import PixelLayout
from normalizer.media import Limits, Rendition

from . import image_files
from .pdf_file import PagePicture
from .thumbnail import SquareThumbnail

#: Letters on white stay sharp; a lower quality shows rings around them.
_QUALITY = 75

#: Thumbnail and preview.
FirstPage = tuple[Rendition, Rendition]


def encode_page(pixels: memoryview, layout: PixelLayout) -> PagePicture:
    """Encode a page as JPEG."""
    content = image_files.encode_at(_picture(pixels, layout), _QUALITY)
    return PagePicture(layout.width, layout.height, content)


def encode_first(pixels: memoryview, layout: PixelLayout, limits: Limits) -> FirstPage:
    """Encode the thumbnail and the preview: the first page, within the limits of photos."""
    image = _picture(pixels, layout)
    return _thumbnail(image, limits), _preview(image, limits)


def _thumbnail(image: Image.Image, limits: Limits) -> Rendition:
    """Cut the page square at its top, where letters and invoices say what they are."""
    edge = min(image.size)
    left = (image.width - edge) // 2
    top = image.crop((left, 0, left + edge, edge))
    small = SquareThumbnail(top.size, limits.thumbnail_side).from_image(top)
    content, size = image_files.encode_jpeg(
        small, limits.thumbnail_max_bytes, image_files.THUMBNAIL_QUALITIES
    )
    return Rendition("thumbnail", "image/jpeg", *size, content)


def _preview(image: Image.Image, limits: Limits) -> Rendition:
    longest = max(image.size)
    if longest > limits.preview_max_side:
        share = limits.preview_max_side / longest
        size = max(1, round(image.width * share)), max(1, round(image.height * share))
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    content, size = image_files.encode_jpeg(image, limits.preview_max_bytes)
    return Rendition("preview", "image/jpeg", *size, content)


def _picture(pixels: memoryview, layout: PixelLayout) -> Image.Image:
    return image_files.image_over(pixels, layout.width, layout.height, translucent=False)
