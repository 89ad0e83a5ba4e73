"""Plain text in any charset: recognised by what it does not contain, and by how it begins."""

import codecs
import re
from typing import Literal

from normalizer.charsets import charset_of
from normalizer.events import Kind

TextFormat = Literal["text", "calendar", "vcard"]

#: No charset uses these for letters. Escape begins the shifts of ISO-2022 and colours in logs.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

#: The beginning of a text in lower case, after a byte order mark and blanks. Pages, drawings and scripts are refused:
#: a browser or a double click could run them.
_BEGINNINGS: tuple[tuple[str, Kind, str, TextFormat | None], ...] = (
    (r"begin:vcard\b", "contact", "text/vcard", "vcard"),
    (r"begin:vcalendar\b", "document", "text/calendar", "calendar"),
    (r"(?:<\?xml.{,1500}|<!--.{,1500})?<(?:!doctype\s+)?svg\b", "document", "image/svg+xml", None),
    (
        r"(?:<\?xml.{,1500}|<!--.{,1500})?<(?:!doctype\s+html|html|head|body|script|iframe|meta|table|div|p|a|img)\b",
        "document",
        "text/html",
        None,
    ),
    (r"#!|<\?php|<%|@echo\b|<job\b|<package\b", "document", "text/x-script", None),
    # A double click opens what these name (https://specifications.freedesktop.org/desktop-entry-spec/latest/).
    (
        r"\[internetshortcut\]|\[desktop entry\]|\[autorun\]|windows registry editor|regedit4\b",
        "document",
        "application/x-shortcut",
        None,
    ),
    (r"-----begin pgp message", "document", "application/x-encrypted", None),
    (r"{\\rtf", "document", "application/rtf", None),
    (r"<\?xml", "document", "text/xml", "text"),
    ("", "document", "text/plain", "text"),
)


def text_type(start: bytes, *, is_whole: bool) -> tuple[Kind, str, TextFormat | None] | None:
    """Return kind, media type and format of a text that begins with `start`; None if it is not a text."""
    text = _decoded(start, is_whole=is_whole)
    if not text or _CONTROL.search(text):
        return None
    beginning = text.lstrip()[:2000].lower()
    return next(
        (kind, media_type, format)
        for pattern, kind, media_type, format in _BEGINNINGS
        if re.match(pattern, beginning, re.DOTALL)
    )


def _decoded(start: bytes, *, is_whole: bool) -> str | None:
    """Return the text, with each byte as a letter if the charset is unknown."""
    charset = charset_of(start, is_whole=is_whole) or "latin-1"
    try:
        # The last character may be cut off where the start ends.
        return codecs.getincrementaldecoder(charset)().decode(start, final=is_whole)
    except UnicodeDecodeError:
        return None
