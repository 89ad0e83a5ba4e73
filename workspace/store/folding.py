"""Folding of text for the search: what people may write in several ways becomes the same.

The search index consists of trigrams, so it finds any part of a text from three characters on. Shorter terms are found
by marks, which are added to the text of a message: one for each word of one or two letters, for each character of the
scripts that are written without spaces, and for each two of them.
"""

import re
import unicodedata
from collections.abc import Iterator

#: Letters that have no decomposition in Unicode, as people write them who do not have them on their keyboards.
_SPELLINGS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",  # without a dot
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ـ": None,
    }
)

#: Control characters, also the null character, which would end a query of the index early.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

#: Format characters and variation selectors, which are not visible: joiners, marks of direction, soft hyphens.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)

#: Scripts that are written without spaces between words, with the parts into which NFKD splits the syllables of Hangul.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Myanmar, Khmer
    "\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff"  # Hangul
    "\u2e80-\u2fdf\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han and kana
)

#: A run of such a script, another word, or a symbol that stands alone, such as an emoji.
_PARTS = re.compile(
    rf"(?P<run>[{_UNSPACED}]+)|(?P<word>(?:(?![{_UNSPACED}])[^\W_])+)|(?P<symbol>[^\w\s\x21-\x7e])"
)

#: The trigram index does not find shorter terms.
_SHORTEST = 3

#: The limits of a mark. `fold` removes them from texts.
_START, _END = "\x02", "\x03"


def fold(text: str | None) -> str:
    """Return the text in lower case, without accents and invisible characters, with one space between words."""
    visible = _INVISIBLE.sub("", _CONTROL.sub(" ", text or ""))
    parts = unicodedata.normalize("NFKD", visible).casefold().translate(_SPELLINGS)
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def with_marks(folded: str) -> str:
    """Return a folded text with the marks by which its short words are found."""
    return folded + "".join(sorted({_mark(part) for part in _short_parts(folded)}))


def phrases(term: str) -> list[str]:
    """Return what the index has to contain for a folded term; nothing if it cannot be found there."""
    if len(term) >= _SHORTEST:
        return [term]
    return [_mark(found[0]) for found in _PARTS.finditer(term)]


def _mark(part: str) -> str:
    """Return the mark of a part of one or two characters. It has three at least."""
    return f"{_START}{part}{_END}"


def _short_parts(folded: str) -> Iterator[str]:
    for found in _PARTS.finditer(folded):
        part = found[0]
        if found["run"]:
            yield from part
            yield from (part[place : place + 2] for place in range(len(part) - 1))
        elif len(part) <= 2:
            yield part


def find_folded(text: str, folded_term: str) -> int:
    """Return where in an unfolded text a folded term begins, or -1."""
    places: list[int] = []
    letters: list[str] = []
    for place, character in enumerate(text):
        parts = fold(character) or (" " if character.isspace() else "")
        letters.append(parts)
        places.extend([place] * len(parts))
    found = "".join(letters).find(folded_term)
    return places[found] if found >= 0 else -1
