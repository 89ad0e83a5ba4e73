"""Text hidden in a video: decoders ignore bytes after the last coded bit of a picture or a sound.

Compressed bits can look like letters too, but rarely this many in a row: once in ten thousand videos of an hour.
"""

import re

from .bitstream import IrregularStream

_TEXT = re.compile(rb"[ -~]{24}")
_END_BYTES = 40
_FIRST_LETTER, _LAST_LETTER = ord(" "), ord("~")

#: Fewer distinct letters are a repeated pattern, as compressed empty content and filler have.
_MIN_DISTINCT = 8


#: A run of that length in that many bytes covers these positions, counted from the end: a quick test of most
#: frames.
_PROBES = (-20, -22)


def check_end(content: memoryview) -> None:
    """Raise IrregularStream for a unit or frame that ends with text."""
    if len(content) >= _END_BYTES:
        for place in _PROBES:
            if not _FIRST_LETTER <= content[place] <= _LAST_LETTER:
                return
    found = _TEXT.search(content[-_END_BYTES:])
    if found and len(set(found.group())) >= _MIN_DISTINCT:
        raise IrregularStream("a frame ends with text")


#: Parameter sets have about twenty bytes of packed bits. This many letters in a row are text.
_PARAMETER_TEXT = re.compile(rb"[ -~]{12}")


def check_parameters(unit: bytes) -> None:
    """Raise IrregularStream for a parameter set that contains text."""
    if _PARAMETER_TEXT.search(unit):
        raise IrregularStream("a parameter set contains text")
