"""Conversion to sRGB: none, by two small tables, through light, or by a colour management system.

Most phones use Display P3, whose blue is the blue of sRGB (as is that of Adobe RGB). Blue light then adds nothing
to red and green, and the conversion splits into two look-ups in tables that fit the second-level cache: (red,
green) gives the new red and green and what they take from blue; that and blue give the new blue. This is five times
as fast as the general way, and never more than one level away from it.
"""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from . import coded_colour, icc_profile
from .coded_colour import CodedColours
from .light import LightConversion
from .pixel_memory import Pixels

#: A larger profile describes a printing press, or is not a real profile.
MAX_PROFILE_BYTES = 4_000_000

#: Differences of primaries and of light that change no 8-bit value by more than one level.
_SAME_PRIMARIES = 0.002
_SAME_LIGHT = 0.003
_NO_BLUE = 0.002

#: Pixels converted at a time, so that all steps work in the cache.
_CHUNK = 32768

_OPAQUE = np.uint32(0xFF000000)
_COLOURS = np.uint32(0x00FFFFFF)


@dataclass(frozen=True, slots=True)
class Tables:
    """The two look-up tables. `first` is indexed by green << 8 | red, `second` by take << 8 | blue.

    An entry of `first` holds red, green << 8 and take << 24. The index into `second` has the alpha of an opaque
    pixel (255 << 8) in its upper bits. An entry of `second` subtracts the take, so that both entries add up to
    the new pixel.
    """

    first: NDArray[np.uint32]
    second: NDArray[np.uint32]

    def convert(self, pixels: Pixels, target: Pixels) -> None:
        """Convert opaque pixels into `target`, which may be the same memory. Both are without gaps."""
        source, result = pixels.reshape(-1), target.reshape(-1)
        halves = source.view(np.uint16)[::2]
        index = np.empty(_CHUNK, np.intp)
        one, two, blue = (np.empty(_CHUNK, np.uint32) for _ in range(3))
        for start in range(0, source.size, _CHUNK):
            part = slice(start, min(start + _CHUNK, source.size))
            here = slice(0, part.stop - start)
            i, a, b, c = index[here], one[here], two[here], blue[here]
            i[:] = halves[part]
            # "wrap" only skips the range check: every index is in range.
            self.first.take(i, out=a, mode="wrap")
            np.right_shift(a, 16, out=b)
            np.right_shift(source[part], 16, out=c)
            # The fourth byte is undefined after decoding.
            np.bitwise_or(c, 0xFF00, out=c)
            np.add(b, c, out=b)
            i[:] = b
            self.second.take(i, out=b, mode="wrap")
            np.add(a, b, out=result[part])

    def convert_translucent(self, pixels: Pixels, target: Pixels) -> None:
        """Convert pixels and keep their alpha."""
        opacity = pixels & _OPAQUE
        converted = np.empty_like(pixels)
        self.convert(pixels, converted)
        np.bitwise_or(converted & _COLOURS, opacity, out=target)


_OF_SCREENS = frozenset({"L", "RGB", "RGBA"})

#: A conversion of rows of pixels.
RowConversion = Tables | LightConversion

Conversion = RowConversion | ImageCms.ImageCmsTransform | None


def conversion(icc: bytes | None, mode: str, coded: CodedColours | None = None) -> Conversion:
    """Return the conversion to sRGB from a mode and a profile or coded colours; None if the pixels are in sRGB already.

    `coded` counts more than the profile: a reader gives the one that browsers use.
    """
    if coded is not None:
        return _coded_conversion(coded)
    if not icc or len(icc) > MAX_PROFILE_BYTES:
        return None
    codes = icc_profile.codes(icc)
    coded = coded_colour.from_cicp(*codes) if codes else None
    if coded is not None and coded.range != "standard" and mode in _OF_SCREENS:
        # The tables of such a profile describe a screen that few people have.
        return LightConversion(coded)
    if mode in {"RGB", "RGBA"}:
        found = icc_profile.read(icc)
        if found is not None and _is_similar(found, _SRGB_PROFILE):
            return None
        if found is not None and _is_similar(found, DISPLAY_P3):
            return _FROM_DISPLAY_P3
        if found is not None and _blue_stays_blue(found):
            return tables(found)
    return _managed(icc, mode)


def _coded_conversion(coded: CodedColours) -> RowConversion | None:
    if coded.is_srgb:
        return None
    return _FROM_DISPLAY_P3 if coded.is_display_p3 else LightConversion(coded)


def tables(source: icc_profile.MatrixProfile) -> Tables:
    """Build the look-up tables for a profile with the blue of sRGB."""
    matrix = _to_srgb(source)
    red, green, blue = source.curves
    light = np.stack(np.meshgrid(red, green, indexing="xy"), -1)
    mixed = light @ matrix[:, :2].T
    takes = -mixed[..., 2]
    least, most = float(takes.min()), max(float(takes.max()), 1e-9)
    # Use finer steps where little is taken: small differences show in dark colours.
    share = np.sqrt(np.clip((takes - least) / max(most - least, 1e-9), 0, 1))
    take = np.round(share * 255).astype(np.uint32)
    first = _level(mixed[..., 0]) | _level(mixed[..., 1]) << 8 | take << 24
    steps = np.arange(256)
    taken = least + (steps / 255.0) ** 2 * (most - least)
    new_blue = _level(matrix[2, 2] * blue[None, :] - taken[:, None])
    entries = (new_blue << 16 | 0xFF000000) - (steps.astype(np.uint32) << 24)[:, None]
    second = np.zeros(0x20000, np.uint32)
    second[0xFF00:0x1FF00] = entries.reshape(-1)
    return Tables(np.ascontiguousarray(first.reshape(-1)), second)


def _is_similar(one: icc_profile.MatrixProfile, other: icc_profile.MatrixProfile) -> bool:
    curves = zip(one.curves, other.curves, strict=True)
    return bool(
        np.abs(one.primaries - other.primaries).max() < _SAME_PRIMARIES
        and all(np.abs(a - b).max() < _SAME_LIGHT for a, b in curves)
    )


def _blue_stays_blue(source: icc_profile.MatrixProfile) -> bool:
    return bool(np.abs(_to_srgb(source)[:2, 2]).max() < _NO_BLUE)


def _to_srgb(source: icc_profile.MatrixProfile) -> icc_profile.Floats:
    return np.asarray(np.linalg.inv(icc_profile.SRGB_PRIMARIES) @ source.primaries)


def _level(light: icc_profile.Floats) -> NDArray[np.uint32]:
    light = np.clip(light, 0, 1)
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(value * 255), np.uint32)


def _managed(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    if mode not in {"RGB", "RGBA", "CMYK", "L", "LAB"}:
        return None
    output = mode if mode in {"RGB", "RGBA"} else "RGB"
    try:
        return ImageCms.buildTransform(io.BytesIO(icc), _SRGB, mode, output)
    except (ImageCms.PyCMSError, OSError):
        # A broken profile, or one for another kind of picture, is ignored.
        return None


def apply_transform(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    """Convert a picture with the colour management system."""
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return converted


_SRGB = ImageCms.createProfile("sRGB")
_SRGB_PROFILE = icc_profile.MatrixProfile(
    icc_profile.SRGB_PRIMARIES, (icc_profile.srgb_curve(),) * 3
)

#: SMPTE EG 432-1 primaries, white D65, adapted to D50; the curve of sRGB.
DISPLAY_P3 = icc_profile.MatrixProfile(
    np.array(
        [
            [0.515102, 0.291965, 0.157153],
            [0.241182, 0.692236, 0.066582],
            [-0.001049, 0.041881, 0.784378],
        ]
    ),
    (icc_profile.srgb_curve(),) * 3,
)

#: Built before the first job: most phone photos need it.
_FROM_DISPLAY_P3 = tables(DISPLAY_P3)
