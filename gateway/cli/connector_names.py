"""Names in a new connector package, all derived from its type."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from gateway.settings.errors import quoted

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_LENGTH = 40


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
        suggestion = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_MAX_LENGTH]
        hint = f'; "{suggestion}" would do' if _NAME.fullmatch(suggestion) else ""
        raise Unnameable(
            f'"{quoted(name)}" cannot be a connector\'s type: use lower-case letters, digits and single'
            f" hyphens, beginning with a letter, at most {_MAX_LENGTH} characters{hint}"
        )
    if name in taken:
        raise Unnameable(f'there is a connector of type "{name}" already; choose another name')
    return Names(name)
