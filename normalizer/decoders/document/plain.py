"""Plain text, and the fields of calendar entries before it."""

import mmap

from .charset import Charset, decode, find_charset
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


def start_of(content: mmap.mmap, limit: int) -> bytes:
    """Return what is read of a text. Four bytes are the longest character of any charset."""
    return content[: 4 * limit + 4]


def charset_of_text(content: mmap.mmap, limit: int) -> Charset:
    start = start_of(content, limit)
    return find_charset(start, is_whole=len(start) == len(content))


def read_text(content: mmap.mmap, words: Words, limit: int, charset: Charset) -> None:
    """Add the text."""
    words.add(decode(start_of(content, limit), charset))


def read_calendar(content: mmap.mmap, words: Words, limit: int, charset: Charset) -> None:
    """Add the fields of the entries, one a line, and the whole text after them."""
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
    read_text(content, words, limit, charset)


def _shown(each: Property) -> str:
    if each.name == "ORGANIZER":
        name = each.parameters.get("CN", "").strip('"')
        address = each.text.removeprefix("mailto:").removeprefix("MAILTO:")
        return f"{name} ({address})" if name else address
    if each.name in {"DTSTART", "DTEND"} and "TZID" in each.parameters:
        return f"{each.text} ({each.parameters['TZID']})"
    return each.text
