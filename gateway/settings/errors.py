"""Mistakes in connectors.yaml, each with its line, its key and the nearest known key."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

#: Path to a value: key names, and list positions counted from 0.
Path = tuple[str | int, ...]

#: Below this similarity a suggestion confuses more than it helps ("foo" is not a misspelt "video").
_MIN_SIMILARITY = 0.6

#: Longer keys and values are cut where a message quotes them, so that the message fits on one line.
_MAX_QUOTED = 80


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to fix. `line` is 0 if the mistake concerns the whole file; `key` is a dotted path."""

    file: str
    line: int
    key: str
    message: str
    nearest: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.key}: {self.message}" if self.key else self.message
        hint = f'; did you mean "{self.nearest}"?' if self.nearest else ""
        return f"{place}: {what}{hint}"


class ConfigError(Exception):
    """connectors.yaml is invalid. Holds every mistake, in the order of the file; never quotes a secret."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        unique = dict.fromkeys(mistakes)
        self.mistakes = tuple(sorted(unique, key=lambda mistake: mistake.line))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def dotted(path: Path) -> str:
    """Return `("core", "secrets", 0)` as `core.secrets[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{quoted(part)}"
    return text.removeprefix(".")


def quoted(word: str) -> str:
    """Return a text from the file in a form that is safe in a one-line message."""
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in word
    )
    return shown if len(shown) <= _MAX_QUOTED else shown[:_MAX_QUOTED] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word closest to `word`, if any; case and `-` versus `_` are ignored."""
    by_normalized = {_normalized(name): name for name in known}
    close = difflib.get_close_matches(
        _normalized(word[:_MAX_QUOTED]), by_normalized, n=1, cutoff=_MIN_SIMILARITY
    )
    return by_normalized[close[0]] if close else None


def _normalized(word: str) -> str:
    return word.lower().replace("-", "_").strip()
