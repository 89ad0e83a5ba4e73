"""AAC frames (ISO/IEC 14496-3, 4.4.2.1): what encoders write before the sound, which is their name, goes."""

from . import hidden_text
from .bitstream import Bits, IrregularStream

#: The kinds of elements at the start of a frame that hold no sound: data, mixing notes, fill.
_DATA, _PROGRAM, _FILL = 4, 5, 6

#: A configuration is two to seven bytes; one with a comment in it is longer.
_MAX_CONFIGURATION = 12


def check_configuration(configuration: bytes) -> None:
    """Raises Irregular for one that could carry text."""
    if not 2 <= len(configuration) <= _MAX_CONFIGURATION:
        raise IrregularStream("a sound configuration of unusual length")


def filter_frame(packet: memoryview) -> bytes | None:
    """The frame without leading data and fill elements; None where there are none."""
    hidden_text.check_end(packet)
    if not packet or packet[0] >> 5 not in {_DATA, _PROGRAM, _FILL}:
        return None
    bits = Bits(bytes(packet))
    while bits.peek(3) in {_DATA, _FILL}:
        _skip(bits)
    if bits.peek(3) == _PROGRAM:
        raise IrregularStream("a sound frame that changes its configuration")
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
