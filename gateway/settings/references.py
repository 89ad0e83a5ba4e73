"""References in the settings: `${NAME}` to the environment, `${file:PATH}` to a file; `$${` stands for `${`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import quoted
from .small_files import Unreadable, read_text

_REFERENCE = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{file:(?P<path>[^}]*)\}|\$\{"
)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text with its references replaced.

    `used` holds the values that were inserted, and `files` the files that some of them came from. `mistakes` says what
    is wrong with the references, each with its remedy.
    """

    text: str
    used: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    mistakes: tuple[str, ...] = ()


def expand(text: str, environ: Mapping[str, str], folder: Path) -> Expansion:
    """Replace each reference once; references inside an inserted value are not expanded.

    A relative path of a file is relative to `folder`.
    """
    expander = _Expander(environ, folder)
    expanded = _REFERENCE.sub(expander.replacement, text)
    return Expansion(
        expanded, tuple(expander.used), tuple(expander.files), tuple(expander.mistakes())
    )


class _Expander:
    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self.environ = environ
        self.folder = folder
        self.used: list[str] = []
        self.files: list[Path] = []
        # Dictionaries, so that a repeated mistake is reported once, in the order of the text.
        self.unset: dict[str, None] = {}
        self.others: dict[str, None] = {}

    def replacement(self, match: re.Match[str]) -> str:
        if match["name"]:
            return self.variable(match["name"])
        if match["path"] is not None:
            return self.file(match["path"])
        if match[0] == "${":
            self.others["contains ${ without a NAME; write $${ for the characters ${"] = None
        return "${"

    def variable(self, name: str) -> str:
        if name not in self.environ:
            self.unset[name] = None
            return ""
        return self.insert(self.environ[name])

    def file(self, path: str) -> str:
        try:
            content = _content(path, self.folder)
        except Unreadable as exc:
            self.others[str(exc)] = None
            return ""
        self.files.append(self.folder / path)
        return self.insert(content)

    def insert(self, value: str) -> str:
        self.used.append(value)
        return value

    def mistakes(self) -> list[str]:
        several = "variables" if len(self.unset) > 1 else "variable"
        names = ", ".join(self.unset)
        unset = [f"environment {several} not set: {names}; {_SET}"] if self.unset else []
        return [*unset, *self.others]


_SET = "set it in the shell, or in a file that you give with --env-file"


def _content(path: str, folder: Path) -> str:
    """Return the text of a file without its final line break, which editors and `echo` add."""
    if not path or path != path.strip():
        raise Unreadable(
            "${file:…} needs a path without spaces around it; write ${file:/run/secrets/name}"
        )
    if "${" in path or "\0" in path:
        raise Unreadable("${file:…} cannot contain another reference; write the whole path")
    try:
        text = read_text(folder / path)
    except Unreadable as exc:
        raise Unreadable(f'the file "{quoted(path)}" {exc}') from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
