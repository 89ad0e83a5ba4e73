"""High dynamic range on a standard screen, as Chromium shows photos.

The reference white of HDR, 203 candelas (Rec. ITU-R BT.2408), becomes half the light of a standard white. What is
brighter is compressed into the other half by the reference white tone mapping operator (SMPTE ST 2094-50, annex C).
(Videos have a table of their own in `decoders/video/tone_mapping.py`.)
"""

import numpy as np

from .icc_profile import Floats

_WHITE, _PEAK = 203.0, 1000.0

#: The light of the reference white on a standard screen, and the shape of the curve above it.
_SHOWN_WHITE, _SHAPE = 0.5, 0.65

#: Luminance of the primaries of BT.2020.
LUMINANCE: tuple[float, float, float] = (0.2627, 0.6780, 0.0593)

#: Light of the brightest pixel, in reference whites.
BRIGHTEST = 10000 / _WHITE


def pq(values: Floats) -> Floats:
    """Return light in reference whites (SMPTE ST 2084)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = values ** (1 / m2)
    light = 10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(light / _WHITE)


def hlg_scene(values: Floats) -> Floats:
    """Return the light of the scene, from 0 to 1 (Rec. ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)


#: The exponent of luminance on a screen of 1,000 candelas, and that screen's peak in reference whites.
HLG_EXPONENT, HLG_PEAK = 0.2, _PEAK / _WHITE


def gains(brightest: Floats) -> Floats:
    """Return the factor for a pixel whose brightest channel has that light."""
    peak = _PEAK / _WHITE
    # A quadratic Bezier curve from the reference white to the peak.
    middle = (1 - _SHAPE) + _SHAPE / _SHOWN_WHITE, (1 - _SHAPE) * _SHOWN_WHITE + _SHAPE
    t = np.linspace(0, 1, 1024)
    x = (1 - t) ** 2 + 2 * t * (1 - t) * middle[0] + t**2 * peak
    y = (1 - t) ** 2 * _SHOWN_WHITE + 2 * t * (1 - t) * middle[1] + t**2
    light = np.maximum(brightest, 1e-9)
    return np.where(light <= 1, _SHOWN_WHITE, np.interp(light, x, y) / light)
