"""Splitting of long texts into parts that a platform accepts, never inside a visible character."""

import regex

_GRAPHEME = regex.compile(r"\X")
#: Where to split, in order of preference: between paragraphs, lines, sentences, words.
_BREAKS = ("\n\n", "\n", ". ", " ")


def split(text: str, limit: int, limit_bytes: int = 0) -> list[str]:
    """Split a text into parts of at most `limit` code points, at a break in the second half of a part if possible.

    `limit_bytes` also limits the bytes of a part in UTF-8; 0 means unlimited.
    """
    parts: list[str] = []
    while len(text) > (fitting := _fitting(text, limit, limit_bytes)):
        end = _break_position(text, fitting) or _whole_graphemes(text, fitting)
        parts.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [part for part in (*parts, text) if part]


def _fitting(text: str, limit: int, limit_bytes: int) -> int:
    """Return how many code points of a text's beginning fit into a part."""
    if not limit_bytes:
        return limit
    # A code point has at most four bytes.
    start = text[: min(limit, limit_bytes)].encode(errors="replace")
    return len(start[: max(limit_bytes, 4)].decode(errors="ignore"))


def _break_position(text: str, limit: int) -> int | None:
    for mark in _BREAKS:
        position = text.rfind(mark, limit // 2, limit)
        if position > 0:
            return position + len(mark)
    return None


def _whole_graphemes(text: str, limit: int) -> int:
    """Return the end of the last visible character that fits; one that is longer than `limit` is split."""
    end = 0
    for character in _GRAPHEME.finditer(text, 0, limit + 64):
        if character.end() > limit:
            break
        end = character.end()
    return end or limit
