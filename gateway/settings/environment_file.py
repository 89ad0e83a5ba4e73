"""Reads environment variables from a file, in the format of systemd's `EnvironmentFile=` with one line for each."""

import re
from pathlib import Path

from .errors import ConfigError, Mistake
from .small_files import Unreadable, read_text

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)")
#: Between double quotes, a backslash before one of these characters stands for the character (systemd.exec(5)).
_ESCAPED = re.compile(r"\\([\\\"$`])")


def read_environment(path: Path) -> dict[str, str]:
    """Return the variables; raises `ConfigError` with every line that is wrong, and quotes none of them."""
    try:
        text = read_text(path)
    except Unreadable as exc:
        raise ConfigError([Mistake(str(path), 0, "", f"{exc}; see --env-file")]) from None
    variables: dict[str, str] = {}
    mistakes = []
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content[0] in "#;":
            continue
        match = _LINE.fullmatch(content)
        value = _unquoted(match["value"]) if match else None
        if match is None or value is None:
            problem = _NOT_AN_ASSIGNMENT if match is None else _UNBALANCED
            mistakes.append(Mistake(str(path), number, match["name"] if match else "", problem))
        else:
            variables[match["name"]] = value
    if mistakes:
        raise ConfigError(mistakes)
    return variables


_NOT_AN_ASSIGNMENT = "must be NAME=value, with a name of letters, digits and _"
_UNBALANCED = "has a quote at one end only; put the whole value on one line, in quotes or without"


def _unquoted(value: str) -> str | None:
    """Return the value without its quotes; None if they do not match."""
    quote = value[:1]
    if quote not in {'"', "'"}:
        return value
    if len(value) < 2 or value[-1] != quote:
        return None
    inside = value[1:-1]
    return _ESCAPED.sub(r"\1", inside) if quote == '"' else inside
