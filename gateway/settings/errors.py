"""What is wrong with connectors.yaml: each mistake with its place, its key and the nearest known one."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

#: The way to a value: names of keys, and positions in lists counted from 0.
Path = tuple[str | int, ...]

#: Below this likeness a suggestion confuses more than it helps ("foo" is not a misspelt "video").
_MIN_SIMILARITY = 0.6

#: A key or a word longer than this is cut where it is quoted: the mistake must fit a line.
_MAX_QUOTED = 80


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to repair. `line` is 0 where the file as a whole is meant; `key` is a dotted path."""

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
    """connectors.yaml is wrong. Holds every mistake, in the order of the file; quotes no secret."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        unique = dict.fromkeys(mistakes)
        self.mistakes = tuple(sorted(unique, key=lambda mistake: mistake.line))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def dotted(path: Path) -> str:
    """`("core", "secrets", 0)` as `core.secrets[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{quoted(part)}"
    return text.removeprefix(".")


def quoted(word: str) -> str:
    """A word of the file as one line of a message may show it."""
    shown = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in word
    )
    return shown if len(shown) <= _MAX_QUOTED else shown[:_MAX_QUOTED] + "…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be; case, `-` and `_` make no difference."""
    by_normalized = {_normalized(name): name for name in known}
    close = difflib.get_close_matches(
        _normalized(word[:_MAX_QUOTED]), by_normalized, n=1, cutoff=_MIN_SIMILARITY
    )
    return by_normalized[close[0]] if close else None


def _normalized(word: str) -> str:
    return word.lower().replace("-", "_").strip()
