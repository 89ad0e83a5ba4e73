"""The forms in which decoded sound leaves a sandbox: signed 16-bit numbers, channels interleaved, within a budget."""

from collections.abc import Iterator
from dataclasses import dataclass

from normalizer.sound import MAX_BYTES, Form

#: The rate of compact discs stays: resampling it costs time and gains nothing.
_DISC_RATE, _HIGH_RATE, _LOW_RATE, _LOWEST_RATE = 44_100, 48_000, 24_000, 16_000


@dataclass(frozen=True, slots=True)
class Origin:
    """The rate and the number of channels of the first sound that was decoded."""

    rate: int
    channels: int


def forms(origin: Origin, seconds: float) -> Iterator[Form]:
    """Yield the forms for sound of about `seconds`, the best that fits the budget first.

    `seconds` is a claim. If it is wrong, the next form holds more. The last one holds two hours.
    """
    ladder = list(dict.fromkeys(_ladder(origin)))
    while len(ladder) > 1 and ladder[0].bytes_for(seconds) > MAX_BYTES:
        ladder.pop(0)
    yield from ladder


def _ladder(origin: Origin) -> Iterator[Form]:
    rate = _rate(origin.rate)
    if origin.channels > 1:
        yield Form(rate, 2)
    for lower in (rate, _LOW_RATE, _LOWEST_RATE):
        yield Form(lower, 1)


def _rate(rate: int) -> int:
    if rate == _DISC_RATE:
        return rate
    return _LOW_RATE if rate <= _LOW_RATE else _HIGH_RATE
