"""Colours that a file describes with code points or numbers instead of an ICC profile.

HEIF and AVIF name them in the box `nclx`, PNG in the chunks `cICP` or `gAMA` and `cHRM`. The numbers are those of Rec.
ITU-T H.273. What they mean on a standard screen is taken from Chromium, with which the tests compare the result.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from . import high_dynamic_range, icc_profile
from .icc_profile import Floats

#: x and y of red, green, blue and white.
Chromaticities = tuple[float, float, float, float, float, float, float, float]

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
BT709: Chromaticities = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)
BT2020: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)
DISPLAY_P3: Chromaticities = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65)
_SMPTE_170M: Chromaticities = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65)

#: H.273, table 2. Other codes are reserved.
_PRIMARIES: Mapping[int, Chromaticities] = {
    1: BT709,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: _SMPTE_170M,
    7: _SMPTE_170M,
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: BT2020,
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: DISPLAY_P3,
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}

_STEPS: Floats = np.arange(256) / 255.0
_SRGB_CURVE = icc_profile.srgb_curve()

Range = Literal["standard", "pq", "hlg"]


@dataclass(frozen=True, slots=True, eq=False)
class CodedColours:
    """The primaries of a picture, and the light of each of the 256 values of a channel."""

    chromaticities: Chromaticities
    light: Floats
    #: How light becomes that of a standard screen.
    range: Range = "standard"

    @property
    def is_srgb(self) -> bool:
        return self.range == "standard" and self._is_like(BT709)

    @property
    def is_display_p3(self) -> bool:
        return self.range == "standard" and self._is_like(DISPLAY_P3)

    def _is_like(self, chromaticities: Chromaticities) -> bool:
        apart = np.abs(np.subtract(self.chromaticities, chromaticities)).max()
        return bool(apart < _SAME_PLACE and np.abs(self.light - _SRGB_CURVE).max() < _SAME_LIGHT)


#: Differences that change no 8-bit value by more than one level.
_SAME_PLACE, _SAME_LIGHT = 0.002, 0.003


def _smpte_240m(values: Floats) -> Floats:
    return np.where(values < 0.0913, values / 4, ((values + 0.1115) / 1.1115) ** (1 / 0.45))


def _power(exponent: float) -> Callable[[Floats], Floats]:
    return lambda values: values**exponent


#: H.273, table 3, as far as a still can have them.
_CURVES: Mapping[int, Callable[[Floats], Floats]] = {
    4: _power(2.2),
    5: _power(2.8),
    7: _smpte_240m,
    8: _power(1.0),
    13: icc_profile.srgb_curve,
    17: lambda values: values**2.6 * (52.37 / 48),
}
#: A camera's curves. Browsers show HEIF and AVIF with the curve of sRGB instead, PNG with that of a television
#: (Rec. ITU-R BT.1886).
_CAMERA_CURVES = frozenset({1, 6, 14, 15})
_CAMERA_CURVES_OF_PNG = _CAMERA_CURVES | {11}
_PQ, _HLG = 16, 18

#: The file says that it does not say. In HEIF and AVIF, that means sRGB; a PNG that says so means nothing.
_UNSPECIFIED, _BT709, _SRGB = 2, 1, 13


def from_nclx(primaries: int, transfer: int) -> CodedColours | None:
    """Return the colours of a HEIF or AVIF, or None if they are unknown, which means sRGB."""
    primaries = _BT709 if primaries == _UNSPECIFIED else primaries
    transfer = _SRGB if transfer == _UNSPECIFIED else transfer
    curve = icc_profile.srgb_curve if transfer in _CAMERA_CURVES else _CURVES.get(transfer)
    return _coded(primaries, transfer, curve)


def from_cicp(primaries: int, transfer: int) -> CodedColours | None:
    """Return the colours of a PNG, or None if they are unknown, which means sRGB."""
    curve = _power(2.4) if transfer in _CAMERA_CURVES_OF_PNG else _CURVES.get(transfer)
    return _coded(primaries, transfer, curve)


def _coded(
    primaries: int, transfer: int, curve: Callable[[Floats], Floats] | None
) -> CodedColours | None:
    places = _PRIMARIES.get(primaries)
    if places is None:
        return None
    if transfer == _PQ:
        return CodedColours(places, high_dynamic_range.pq(_STEPS), "pq")
    if transfer == _HLG:
        return CodedColours(places, high_dynamic_range.hlg_scene(_STEPS), "hlg")
    return CodedColours(places, np.asarray(curve(_STEPS))) if curve else None


def from_gamma(exponent: float, chromaticities: Chromaticities | None) -> CodedColours | None:
    """Return the colours of a PNG that states the exponent of its curve, or None if they make no sense."""
    if not _LEAST_EXPONENT <= exponent <= 1 / _LEAST_EXPONENT:
        return None
    if chromaticities is None and abs(exponent / _SRGB_EXPONENT - 1) < _SAME_EXPONENT:
        # Software writes this where it means sRGB.
        return None
    places = chromaticities or BT709
    return CodedColours(places, _STEPS**exponent) if _makes_sense(places) else None


_LEAST_EXPONENT, _SRGB_EXPONENT, _SAME_EXPONENT = 0.01, 2.2, 0.055


def _makes_sense(places: Chromaticities) -> bool:
    """Whether the three colours span an area, and white has a luminance."""
    rx, ry, gx, gy, bx, by, _, wy = places
    area = (gx - rx) * (by - ry) - (bx - rx) * (gy - ry)
    return abs(area) > _LEAST_AREA and wy > _LEAST_AREA and max(map(abs, places)) < _MOST


_LEAST_AREA, _MOST = 0.001, 10


def to_linear(source: Chromaticities, target: Chromaticities) -> Floats:
    """Return the matrix from light of some primaries to light of others, with white kept white."""
    adapted = _adaptation(source[6:], target[6:])
    return np.asarray(np.linalg.inv(_to_xyz(target)) @ adapted @ _to_xyz(source))


def _to_xyz(places: Chromaticities) -> Floats:
    columns = np.array([_xyz(places[at], places[at + 1]) for at in (0, 2, 4)]).T
    # Colours without luminance (the blue of XYZ) have no scale of their own.
    white = _xyz(places[6], places[7]) / places[7]
    return np.asarray(columns * np.linalg.solve(columns, white))


def _xyz(x: float, y: float) -> Floats:
    return np.array([x, y, 1 - x - y])


#: Bradford's cone responses, as in ICC profiles.
_CONES: Floats = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def _adaptation(source: tuple[float, ...], target: tuple[float, ...]) -> Floats:
    one, other = (_CONES @ (_xyz(*white) / white[1]) for white in (source, target))
    return np.asarray(np.linalg.inv(_CONES) @ np.diag(other / one) @ _CONES)
