"""ICC profiles of the matrix kind, as far as they are needed: primaries and tone curves."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_HEADER_BYTES = 128
_MAX_TAGS = 100

#: The 256 values of a channel, as linear light.
_STEPS: Floats = np.arange(256) / 255.0

#: Primaries of sRGB in the profile connection space (D50), rows X, Y, Z: IEC 61966-2-1 with Bradford.
SRGB_PRIMARIES: Floats = np.array(
    [
        [0.436066, 0.385147, 0.143066],
        [0.222488, 0.716873, 0.060608],
        [0.013916, 0.097076, 0.714096],
    ]
)


@dataclass(frozen=True, slots=True)
class MatrixProfile:
    """A conversion from three channels to light: a curve for each, then a matrix."""

    #: Columns: full red, green and blue in XYZ (D50).
    primaries: Floats
    #: 256 values of linear light for each channel.
    curves: tuple[Floats, Floats, Floats]


def srgb_curve(values: Floats = _STEPS) -> Floats:
    """Return the linear light of sRGB values from 0 to 1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def codes(icc: bytes) -> tuple[int, int] | None:
    """Return the codes of primaries and transfer that a profile of high dynamic range holds (ICC.1:2022, 10.5)."""
    try:
        tag = _tags(icc).get(b"cicp", b"")
    except struct.error:
        return None
    return (tag[8], tag[9]) if tag[:4] == b"cicp" and len(tag) >= _CODES_BYTES else None


_CODES_BYTES = 12


def read(icc: bytes) -> MatrixProfile | None:
    """Return the profile as matrix and curves, or None if it is another kind or makes no sense."""
    try:
        return _read(icc)
    except (struct.error, ValueError, KeyError, OverflowError, ZeroDivisionError):
        return None


def _read(icc: bytes) -> MatrixProfile | None:
    tags = _tags(icc)
    # A look-up table (A2B0) describes the device better than its matrix, so it may not be ignored.
    if icc[16:20] != b"RGB " or icc[20:24] != b"XYZ " or b"A2B0" in tags:
        return None
    primaries = np.array([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T
    red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    return MatrixProfile(primaries, (red, green, blue))


def _tags(icc: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", icc, _HEADER_BYTES)
    tags: dict[bytes, bytes] = {}
    for index in range(min(count, _MAX_TAGS)):
        name, offset, size = struct.unpack_from(">4sII", icc, _HEADER_BYTES + 4 + 12 * index)
        tags[name] = icc[offset : offset + size]
    return tags


def _xyz(tag: bytes) -> list[float]:
    kind, *values = struct.unpack_from(">4s4x3i", tag)
    if kind != b"XYZ ":
        raise ValueError(kind)
    return [value / 65536 for value in values]


def _curve(tag: bytes) -> Floats:
    kind, count = struct.unpack_from(">4s4xI", tag)
    if kind == b"para":
        return _parametric(tag)
    if kind != b"curv" or count > len(tag):
        raise ValueError(kind)
    if count == 0:
        return _STEPS
    table = np.frombuffer(tag, ">u2", count, 12)
    if count == 1:
        return np.asarray(_STEPS ** (float(table[0]) / 256))
    return np.interp(_STEPS, np.linspace(0, 1, count), table / 65535)


def _parametric(tag: bytes) -> Floats:
    """Read a parametric curve (ICC.1:2022, 10.18): five forms, of which the longer ones only add terms."""
    (form,) = struct.unpack_from(">H", tag, 8)
    count = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}[form]
    g, *rest = (value / 65536 for value in struct.unpack_from(f">{count}i", tag, 12))
    if form == 0:
        return np.asarray(_STEPS**g)
    if form in (1, 2):
        a, b = rest[:2]
        c = rest[2] if form == 2 else 0.0
        line, start, e, f = 0.0, -b / a, c, c
    else:
        a, b, line, start = rest[:4]
        e, f = rest[4:] if form == 4 else (0.0, 0.0)
    power = np.maximum(a * _STEPS + b, 0) ** g + e
    return np.clip(np.where(start <= _STEPS, power, line * _STEPS + f), 0, 1)
