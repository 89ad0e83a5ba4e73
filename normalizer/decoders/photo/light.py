"""Conversion of coded colours to sRGB through their light, pixel by pixel, in steps that stay in the cache.

This takes some fifty nanoseconds a pixel. Only the few pictures that name unusual colours without an ICC profile need
it; see `colour` for the others.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import high_dynamic_range
from .coded_colour import BT709, BT2020, CodedColours, to_linear
from .pixel_memory import Pixels

Light = NDArray[np.float32]

#: Pixels converted at a time.
_CHUNK = 1 << 14

#: Steps of the table of screen values over light, fine enough for the darkest ones.
_SCREEN_STEPS = 65535

#: Steps of the table of gains over light, for each reference white.
_GAIN_STEPS = 256

_OPACITY = np.uint32(0xFF000000)


@dataclass(frozen=True, slots=True)
class LightConversion:
    """A conversion to sRGB. Opaque and translucent pixels keep their fourth byte."""

    colours: CodedColours
    _light: Light = field(init=False)
    _first: Light = field(init=False)

    def __post_init__(self) -> None:
        target = BT709 if self.colours.range == "standard" else BT2020
        matrix = to_linear(self.colours.chromaticities, target)
        object.__setattr__(self, "_light", self.colours.light.astype(np.float32))
        object.__setattr__(self, "_first", matrix.astype(np.float32))

    def convert(self, pixels: Pixels, target: Pixels) -> None:
        """Convert pixels into `target`, which may be the same memory. Both are without gaps."""
        source, result = pixels.reshape(-1), target.reshape(-1)
        for start in range(0, source.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            light = _mixed(self._first, self._light_of(source[part]))
            if self.colours.range != "standard":
                light = _mixed(_TO_SCREEN, self._tone_mapped(light))
            red, green, blue = (_SCREEN.take(_steps(each)) for each in light)
            result[part] = red | green << 8 | blue << 16 | source[part] & _OPACITY

    convert_translucent = convert

    def _light_of(self, pixels: Pixels) -> list[Light]:
        return [self._light.take(pixels >> shift & 0xFF) for shift in (0, 8, 16)]

    def _tone_mapped(self, light: list[Light]) -> list[Light]:
        """Bring light of BT.2020 into the range of a standard screen, and keep the hue."""
        if self.colours.range == "hlg":
            luminance = sum(
                each * np.float32(share)
                for each, share in zip(light, high_dynamic_range.LUMINANCE, strict=True)
            )
            factor = np.maximum(luminance, np.float32(1e-9)) ** np.float32(
                high_dynamic_range.HLG_EXPONENT
            ) * np.float32(high_dynamic_range.HLG_PEAK)
            light = [each * factor for each in light]
        brightest = np.maximum(np.maximum(light[0], light[1]), light[2])
        step = np.clip(brightest * np.float32(_GAIN_STEPS), 0, len(_GAINS) - 1).astype(np.intp)
        gain = _GAINS.take(step)
        return [each * gain for each in light]


def _mixed(matrix: Light, light: list[Light]) -> list[Light]:
    return [row[0] * light[0] + row[1] * light[1] + row[2] * light[2] for row in matrix]


def _steps(light: Light) -> NDArray[np.intp]:
    return np.asarray(np.clip(light, 0, 1) * np.float32(_SCREEN_STEPS) + 0.5, np.intp)


def _screen_values() -> NDArray[np.uint32]:
    light = np.arange(_SCREEN_STEPS + 1) / _SCREEN_STEPS
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(values * 255), np.uint32)


#: Built before the first job.
_SCREEN = _screen_values()
_GAINS = high_dynamic_range.gains(
    (np.arange(int(high_dynamic_range.BRIGHTEST * _GAIN_STEPS) + 2) + 0.5) / _GAIN_STEPS
).astype(np.float32)
_TO_SCREEN = to_linear(BT2020, BT709).astype(np.float32)
