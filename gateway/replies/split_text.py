"""Cuts a long text into messages that a platform takes, never inside what a reader sees as one character."""

import regex

_GRAPHEME = regex.compile(r"\X")
#: Where to cut, the best first: between paragraphs, lines, sentences, words.
_BREAKS = ("\n\n", "\n", ". ", " ")


def split(text: str, limit: int) -> list[str]:
    """Parts of at most `limit` code points. A part is cut at a seam in its second half where there is one."""
    parts: list[str] = []
    while len(text) > limit:
        end = _break_position(text, limit) or _whole_graphemes(text, limit)
        parts.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [part for part in (*parts, text) if part]


def _break_position(text: str, limit: int) -> int | None:
    for mark in _BREAKS:
        position = text.rfind(mark, limit // 2, limit)
        if position > 0:
            return position + len(mark)
    return None


def _whole_graphemes(text: str, limit: int) -> int:
    """The end of the last character that fits; one longer than `limit` is cut, for want of anything better."""
    end = 0
    for character in _GRAPHEME.finditer(text, 0, limit + 64):
        if character.end() > limit:
            break
        end = character.end()
    return end or limit
