"""`${NAME}` in the settings: a value of the environment; `$${` stands for `${` itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{")


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text with its references replaced: what was `used`, which names are `unset`, whether one is `broken`."""

    text: str
    used: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    broken: bool = False


def expand(text: str, environ: Mapping[str, str]) -> Expansion:
    """Replace each reference once: what the environment holds is not read for further references."""
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
