"""The waveform: how loud each part of a recording is, for the bars that people see."""

import math
import mmap

import numpy as np

from normalizer.sound import BARS

_LOUDEST = 255

#: Numbers that are squared at once.
_STEP = 1 << 20


def bars(numbers: mmap.mmap, channels: int) -> list[int]:
    """Return the effective level of equal parts, from 0 to 255, where 255 is the loudest part."""
    with memoryview(numbers) as data:
        values = np.frombuffer(data, np.int16)
        count = len(values) // channels
        ends = [count * bar // BARS * channels for bar in range(BARS + 1)]
        levels = [_level(values[ends[bar] : ends[bar + 1]]) for bar in range(BARS)]
        del values
    loudest = max(levels) or 1.0
    return [round(_LOUDEST * level / loudest) for level in levels]


def _level(values: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> float:
    total = 0.0
    for start in range(0, len(values), _STEP):
        part = values[start : start + _STEP].astype(np.float64)
        total += float(np.dot(part, part))
    return math.sqrt(total / len(values)) if len(values) else 0.0
