"""Plain text, and the fields of calendar entries before it."""

import mmap

from .charset import decode, find_charset
from .content_lines import Property, properties
from .words import Words

#: The properties of an entry that are shown, with the words before them (RFC 5545, 3.8).
_SHOWN = {
    "SUMMARY": "Summary",
    "DTSTART": "Start",
    "DTEND": "End",
    "LOCATION": "Place",
    "ORGANIZER": "Organiser",
    "DESCRIPTION": "Description",
}

#: More entries are only in the text below them.
_ENTRIES = 50


def read_text(content: mmap.mmap, words: Words, limit: int) -> bool:
    """Add the text. Return whether its charset is a guess."""
    # Four bytes are the longest character of any charset.
    start = content[: 4 * limit + 4]
    charset = find_charset(start, is_whole=len(start) == len(content))
    words.add(decode(start, charset))
    return charset.guessed


def read_calendar(content: mmap.mmap, words: Words, limit: int) -> bool:
    """Add the fields of the entries, one a line, and the whole text after them."""
    charset = find_charset(content[: 4 * limit + 4], is_whole=len(content) <= 4 * limit + 4)
    entries = 0
    for each in properties(content, charset):
        if each.name == "BEGIN" and each.text.upper() == "VEVENT":
            entries += 1
            if entries > _ENTRIES:
                break
        if entries and each.name in _SHOWN:
            words.add(f"{_SHOWN[each.name]}: {_shown(each)}\n")
        elif each.name == "END" and each.text.upper() == "VEVENT":
            words.add("\n")
    return read_text(content, words, limit)


def _shown(each: Property) -> str:
    if each.name == "ORGANIZER":
        name = each.parameters.get("CN", "").strip('"')
        address = each.text.removeprefix("mailto:").removeprefix("MAILTO:")
        return f"{name} ({address})" if name else address
    if each.name in {"DTSTART", "DTEND"} and "TZID" in each.parameters:
        return f"{each.text} ({each.parameters['TZID']})"
    return each.text
