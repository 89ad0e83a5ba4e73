"""Conversion of every pixel format to eight bits a channel, with colours or alpha."""

from PIL import Image

#: The modes that colour management and the canvas accept.
_EIGHT_BITS = frozenset({"L", "RGB", "RGBA", "CMYK", "LAB"})
_SIXTEEN_BITS = 65535


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Return the picture in mode L, RGB, RGBA, CMYK or LAB."""
    if image.mode.startswith("I;16"):
        return _scale_to_eight_bits(image.convert("I"), 0, _SIXTEEN_BITS)
    if image.mode in {"I", "F"}:
        return _scale_to_eight_bits(image, *_black_and_white(image))
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in _EIGHT_BITS:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _black_and_white(image: Image.Image) -> tuple[float, float]:
    """Return the values of black and white: of sixteen bits if they fit, otherwise the extremes of the picture."""
    least, most = image.getextrema()
    assert isinstance(least, (int, float))
    assert isinstance(most, (int, float))
    if image.mode == "I" and least >= 0 and 255 < most <= _SIXTEEN_BITS:
        return 0, _SIXTEEN_BITS
    if least >= 0 and most <= (255 if image.mode == "I" else 1):
        return 0, 255 if image.mode == "I" else 1
    return least, max(most, least + 1)


def _scale_to_eight_bits(image: Image.Image, black: float, white: float) -> Image.Image:
    """Scale the values; `convert` would clip them and turn a sixteen-bit photo white."""
    scale = 255 / (white - black)
    return image.point(lambda value: value * scale - black * scale).convert("L")
