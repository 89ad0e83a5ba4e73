"""`${NAME}` in the settings stands for an environment variable, `$${` for the characters `${`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text with its references replaced.

    `used` holds the values that were inserted, `unset` the names of missing variables; `broken` means that a
    reference has no valid name.
    """

    text: str
    used: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    broken: bool = False


def expand(text: str, environ: Mapping[str, str]) -> Expansion:
    """Replace each reference once; references inside an environment variable's value are not expanded."""
    matches = list(_REFERENCE.finditer(text))
    names = [match["name"] for match in matches if match["name"]]
    return Expansion(
        text=_REFERENCE.sub(lambda match: _replacement(match, environ), text),
        used=tuple(environ[name] for name in names if name in environ),
        unset=tuple(dict.fromkeys(name for name in names if name not in environ)),
        broken=any(match[0] == "${" for match in matches),
    )


def _replacement(match: re.Match[str], environ: Mapping[str, str]) -> str:
    name = match["name"]
    return environ.get(name, "") if name else "${"
