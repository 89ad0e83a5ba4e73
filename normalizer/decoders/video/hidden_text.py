"""Words that somebody put into a film: no decoder reads what lies behind the last coded bit of a picture or a sound.

Packed bits look like letters too, but hardly ever so many in a row: once in ten thousand films of an hour.
"""

import re

from .bitstream import IrregularStream

_TEXT = re.compile(rb"[ -~]{24}")
_END_BYTES = 40
_FIRST_LETTER, _LAST_LETTER = ord(" "), ord("~")

#: Patterns that repeat are what packed bits of nothing look like, and filling.
_MIN_DISTINCT = 8


#: So many letters in so many bytes take in the ones here, counted from the end: a quick look at most frames.
_PROBES = (-20, -22)


def check_end(content: memoryview) -> None:
    """Raises Irregular for a unit or a frame that ends in words."""
    if len(content) >= _END_BYTES:
        for place in _PROBES:
            if not _FIRST_LETTER <= content[place] <= _LAST_LETTER:
                return
    found = _TEXT.search(content[-_END_BYTES:])
    if found and len(set(found.group())) >= _MIN_DISTINCT:
        raise IrregularStream("words at the end of a frame")


#: Parameters are some twenty bytes of packed bits. So many letters in a row are somebody's words.
_PARAMETER_TEXT = re.compile(rb"[ -~]{12}")


def check_parameters(unit: bytes) -> None:
    """Raises Irregular for a parameter set with words in it."""
    if _PARAMETER_TEXT.search(unit):
        raise IrregularStream("words in a parameter set")
