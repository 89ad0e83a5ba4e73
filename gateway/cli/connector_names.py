"""Names in a new connector package, all derived from its type."""

import builtins
import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass

import connectors
from gateway.settings.errors import quoted

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_LENGTH = 40
#: Our own distributions: airlock-messaging, and its former name.
_OURS = frozenset({"messaging", "gateway"})
#: Names in the generated files beside those that they import from `connectors`.
_IN_TEMPLATE = frozenset(
    {
        "Any",
        "ClassVar",
        "Conformance",
        "Field",
        "Generator",
        "HttpUrl",
        "Iterable",
        "Mapping",
        "Path",
        "Settings",
    }
)


class Unnameable(ValueError):
    """The name cannot be a connector's type; the message says why and suggests one."""


@dataclass(frozen=True, slots=True)
class Names:
    """All names, derived from `name`, which is the `type:` in connectors.yaml."""

    name: str

    @property
    def distribution(self) -> str:
        return f"airlock-{self.name}"

    @property
    def package(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def label(self) -> str:
        return self.name.replace("-", " ").title()

    @property
    def kind(self) -> str:
        return self.label.replace(" ", "")

    @property
    def header(self) -> str:
        return f"x-{self.name}-signature"


def names(name: str, taken: Collection[str]) -> Names:
    """Return all names for a connector of type `name`; raises `Unnameable`."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_LENGTH:
        suggestion = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_MAX_LENGTH].rstrip("-")
        hint = f'; "{suggestion}" would do' if _is_possible(suggestion, taken) else ""
        raise Unnameable(
            f'"{quoted(name)}" cannot be a connector\'s type: use lower-case letters, digits and single'
            f" hyphens, beginning with a letter, at most {_MAX_LENGTH} characters{hint}"
        )
    if name in taken:
        raise Unnameable(f'there is a connector of type "{name}" already; choose another name')
    reason = _conflict(Names(name))
    if reason is not None:
        raise Unnameable(f'"{name}" cannot be a connector\'s type: {reason}; choose another name')
    return Names(name)


def _is_possible(name: str, taken: Collection[str]) -> bool:
    return bool(_NAME.fullmatch(name)) and name not in taken and _conflict(Names(name)) is None


def _conflict(chosen: Names) -> str | None:
    """What else has one of the names already, None if nothing has."""
    if chosen.name in _OURS:
        return f"{chosen.distribution} is a distribution of Airlock itself"
    if keyword.iskeyword(chosen.name) or keyword.issoftkeyword(chosen.name):
        return "it is a keyword of Python"
    if keyword.iskeyword(chosen.kind) or hasattr(builtins, chosen.kind):
        return f"its class would be called {chosen.kind}, which Python has already"
    if hasattr(builtins, chosen.name):
        return f"Python has a function or type called {chosen.name}"
    if chosen.kind in _IN_TEMPLATE or hasattr(connectors, chosen.kind):
        return f"its class would be called {chosen.kind}, as one that it imports"
    return None
