"""Plain text for agents, cleaned outside of the sandbox: whatever a decoder wrote, it is harmless to show."""

import re
from typing import Final

from normalizer.media import Limits, Rendition

TEXT_TYPE: Final = "text/plain; charset=utf-8"

#: Control characters but tab and line feed; overrides and isolates of writing direction, and marks that are not seen
#: (Unicode TR 36, 2.5; CVE-2021-42574); tag characters, which hide whole texts; surrogates; what is not a character.
_REMOVED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff]"
)
_NEWLINES = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

#: Blank lines say nothing after the second.
_BLANK_LINES = re.compile(r"\n[ \t\n]*\n[ \t]*\n")


def clean_text(text: str) -> str:
    """Return the text with one kind of newline, and without characters that hide or disguise others."""
    text = _REMOVED.sub("", _NEWLINES.sub("\n", text))
    return _BLANK_LINES.sub("\n\n", text).strip("\n \t")


def cut(text: str, max_bytes: int) -> tuple[bytes, bool]:
    """Return the text as UTF-8 of at most `max_bytes`, and whether it is whole."""
    content = text.encode()
    if len(content) <= max_bytes:
        return content, True
    return content[:max_bytes].decode("utf-8", "ignore").encode(), False


def clean_line(text: str, max_letters: int) -> str:
    """Return a field's text: a line, or a few for an address."""
    return clean_text(text)[:max_letters]


def text_rendition(content: bytes, limits: Limits) -> tuple[Rendition | None, bool]:
    """Return the text of a document, None if it has none, and whether it is whole."""
    text = clean_text(content.decode("utf-8", "replace"))
    if not text:
        return None, True
    kept, whole = cut(text, limits.text_max_bytes)
    return Rendition("text", TEXT_TYPE, 0, 0, kept), whole
