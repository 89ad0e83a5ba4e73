"""Tone mapping from high to standard dynamic range, as one table from each coded colour to a screen colour.

Phones record in HLG (most iPhones, with Dolby Vision on top) or PQ (HDR10), both with the wide primaries of
BT.2020. White is 203 candelas there (Rec. ITU-R BT.2408). A standard screen has nothing brighter, so brighter
values are rolled off, not clipped.
"""

from functools import cache

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WHITE, _PEAK = 203.0, 1000.0

#: Nothing changes up to this share of white.
_KNEE = 0.6

#: Steps of the table for each channel, and the sides of the picture in which the filter expects it.
_STEPS, _SIDE = 64, 512

#: Rec. ITU-R BT.2087: BT.2020 to BT.709, linear light.
_TO_709: Floats = np.array(
    [
        [1.660491, -0.587641, -0.072850],
        [-0.124550, 1.132900, -0.008349],
        [-0.018151, -0.100579, 1.118730],
    ]
)
_LUMINANCE_2020: Floats = np.array([0.2627, 0.6780, 0.0593])


def is_high_dynamic_range(frame: VideoFrame) -> bool:
    return frame.color_trc in {ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67}


@cache
def table(transfer: int) -> VideoFrame:
    """Return the table as the picture that the filter `haldclut` reads: red varies fastest, then green, then blue."""
    steps = np.linspace(0, 1, _STEPS)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    coded = np.stack([red, green, blue], -1).reshape(-1, 3)
    light = _from_hlg(coded) if transfer == ColorTrc.ARIB_STD_B67 else _from_pq(coded)
    encoded = _encode(_roll_off(np.maximum(light / _WHITE @ _TO_709.T, 0)))
    values = np.round(encoded * 65535).astype(np.uint16).reshape(_SIDE, _SIDE, 3)
    return av.VideoFrame.from_ndarray(values, format="rgb48le")


def _from_pq(coded: Floats) -> Floats:
    """Return candelas per square metre (SMPTE ST 2084)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = coded ** (1 / m2)
    return np.asarray(10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1))


def _from_hlg(coded: Floats) -> Floats:
    """Return candelas per square metre on a screen of 1,000 candelas (Rec. ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luminance = np.maximum(scene @ _LUMINANCE_2020, 1e-9)
    return np.asarray(_PEAK * scene * (luminance**0.2)[:, None])


def _roll_off(light: Floats) -> Floats:
    """Bring the brightest channel below white and keep the hue."""
    brightest = np.maximum(light.max(-1), 1e-9)
    span = _PEAK / _WHITE - _KNEE
    above = np.clip((brightest - _KNEE) / span, 0, None)
    # The curve leaves the knee smoothly and reaches white at the peak.
    bend = span / (1 - _KNEE) - 1
    rolled = _KNEE + (1 - _KNEE) * (1 + bend) * above / (1 + bend * above)
    wanted = np.where(brightest > _KNEE, rolled, brightest)
    return np.asarray(np.clip(light * (wanted / brightest)[:, None], 0, 1))


def _encode(light: Floats) -> Floats:
    return np.asarray(
        np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    )
