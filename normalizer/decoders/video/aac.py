"""AAC frames (ISO/IEC 14496-3, 4.4.2.1): removes elements before the sound, in which encoders write their name."""

from . import hidden_text
from .bitstream import Bits, IrregularStream

#: Elements at the start of a frame that hold no sound: data, program configuration, fill.
_DATA, _PROGRAM, _FILL = 4, 5, 6

#: A configuration has two to seven bytes; one that contains a comment is longer.
_MAX_CONFIGURATION = 12


def check_configuration(configuration: bytes) -> None:
    """Raise IrregularStream for a configuration that could carry text."""
    if not 2 <= len(configuration) <= _MAX_CONFIGURATION:
        raise IrregularStream("the audio configuration has an unusual length")


def filter_frame(packet: memoryview) -> bytes | None:
    """Return the frame without leading data and fill elements, or None if it has none."""
    hidden_text.check_end(packet)
    if not packet or packet[0] >> 5 not in {_DATA, _PROGRAM, _FILL}:
        return None
    bits = Bits(bytes(packet))
    while bits.peek(3) in {_DATA, _FILL}:
        _skip(bits)
    if bits.peek(3) == _PROGRAM:
        raise IrregularStream("an audio frame changes its configuration")
    return bits.rest()


def _skip(bits: Bits) -> None:
    if bits.take(3) == _FILL:
        count = bits.take(4)
        count += bits.take(8) - 1 if count == 15 else 0
    else:
        bits.take(4)
        aligned = bits.take(1)
        count = bits.take(8)
        count += bits.take(8) if count == 255 else 0
        if aligned:
            bits.align()
    bits.take(8 * count)
