"""The platform's own words in an error reply, for people to read."""

from collections.abc import Iterable, Mapping
from typing import Any

#: The longest text that is passed on (characters).
MAX_WORDS = 500
#: Usual names of fields that hold words, in the order in which they are read.
_FIELDS = (
    *("message", "error", "title", "detail", "details", "description", "reason"),
    "error_description",
)
_MAX_DEPTH = 4


def joined(parts: Iterable[Any]) -> str:
    """Join the texts among `parts` that say something new, cut at 500 characters. Anything but text is left out."""
    said: list[str] = []
    for part in parts:
        text = " ".join(part[: 4 * MAX_WORDS].split()) if isinstance(part, str) else ""
        if text and not any(text in earlier for earlier in said):
            said.append(text)
    return " / ".join(said)[:MAX_WORDS]


def words_in(content: Any, body: bytes = b"") -> str:
    """Return the words of an error reply of no particular shape: its usual fields, or else a body in plain text."""
    return joined(_texts(content, 0)) or joined([_plain(body)])


def _texts(content: Any, depth: int) -> Iterable[Any]:
    match content:
        case str():
            yield content
        case Mapping() if depth < _MAX_DEPTH:
            for name in _FIELDS:
                yield from _texts(content.get(name), depth + 1)
        case [first, *_] if depth < _MAX_DEPTH:
            yield from _texts(first, depth + 1)


def _plain(body: bytes) -> str:
    """The body if it is a short plain text: neither the page of a proxy nor data."""
    text = body[: 4 * MAX_WORDS].decode(errors="replace").strip()
    looks_like_words = text[:1].isalnum() and "\ufffd" not in text and " " in text
    return text if looks_like_words else ""
