"""Parses connectors.yaml into YAML nodes without creating objects; every error has a line and a remedy."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from .errors import ConfigError, Mistake

#: A real file has a few kB; reading a larger one would only slow down the start.
_MAX_BYTES = 256 * 1024
#: The deepest setting is four levels down.
MAX_DEPTH = 24


class TooLarge(Exception):
    """The file needs more memory or stack than any legitimate one."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_root_node(path: Path) -> yaml.Node | None:
    """Return the file's root node, None if the file is empty; raises `ConfigError` if it is not YAML."""
    return _compose(_read_text(path), str(path))


def line_of(place: yaml.Node) -> int:
    """Return the line on which a node begins, counted from 1."""
    return place.start_mark.line + 1 if place.start_mark else 0


def unreadable(file: str, line: int, message: str) -> ConfigError:
    """Create the error for a file that cannot be read any further."""
    return ConfigError([Mistake(file, line, "", message)])


_REMEDIES: Mapping[type[OSError], str] = {
    PermissionError: "let the user that runs Airlock read it",
    IsADirectoryError: "give the path of a file with -c",
}


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as exc:
        remedy = _REMEDIES.get(type(exc), "give the file with -c")
        reason = f"cannot be read: {exc.strerror}; {remedy}"
        raise unreadable(str(path), 0, reason) from None
    if len(content) > _MAX_BYTES:
        raise unreadable(
            str(path), 0, f"is larger than {_MAX_BYTES // 1024} KiB; is this the right file?"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise unreadable(str(path), line, "is not UTF-8; save it as UTF-8") from None


class _Composer(yaml.SafeLoader):
    """Creates nodes, never objects, and stops before Python's recursion limit."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth > MAX_DEPTH:
            raise TooLarge(self.line + 1, "is nested too deeply")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _compose(text: str, file: str) -> yaml.Node | None:
    try:
        loader = _Composer(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except TooLarge as exc:
        raise unreadable(file, exc.line, str(exc)) from None
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        raise unreadable(file, line, "contains a control character; remove it") from None
    except yaml.composer.ComposerError as exc:
        raise unreadable(file, _mark_line(exc), _composer_message(exc)) from None
    except yaml.MarkedYAMLError as exc:
        raise unreadable(file, _mark_line(exc), _scanner_message(exc)) from None


def _mark_line(exc: yaml.MarkedYAMLError) -> int:
    return exc.problem_mark.line + 1 if exc.problem_mark else 0


def _composer_message(exc: yaml.MarkedYAMLError) -> str:
    # Our own messages: PyYAML's quote the name, which may be a token that was written without quotes.
    context = f"{exc.context} {exc.problem}"
    if "undefined alias" in context:
        return "an alias without an anchor; a value that begins with * needs quotes"
    if "duplicate anchor" in context:
        return "an anchor that is already defined; a value that begins with & needs quotes"
    return "contains a second document; remove the line ---"


def _scanner_message(exc: yaml.MarkedYAMLError) -> str:
    # PyYAML quotes single characters and its own <tokens>; anything longer comes from the file.
    problem = re.sub(r"'([^']*)'", _hide_long_quote, exc.problem or "cannot be read")
    return f"is not YAML: {problem}{_remedy(problem)}"


def _hide_long_quote(quote: re.Match[str]) -> str:
    return quote[0] if len(quote[1]) <= 2 or quote[1].startswith("<") else "…"


def _remedy(problem: str) -> str:
    if r"'\t'" in problem:
        return "; indent with spaces"
    if "got '{'" in problem:
        return '; inside [ ] write "${NAME}" with quotes'
    if "mapping values are not allowed" in problem:
        return f"; a value that contains a colon and a space needs quotes, and {_COLUMNS}"
    if "cannot start any token" in problem:
        return "; a value that begins with such a character needs quotes"
    if "expected <block end>" in problem or "could not find expected ':'" in problem:
        return f"; {_COLUMNS}"
    return "; correct this line or the one above it"


_COLUMNS = "keys of one section begin in the same column"
