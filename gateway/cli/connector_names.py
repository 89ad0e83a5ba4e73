"""What a new connector is called: the names that follow from the one that was asked for."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from gateway.settings.errors import quoted

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_LENGTH = 40


class Unnameable(ValueError):
    """A name that no connector can have: why, and what would do."""


@dataclass(frozen=True, slots=True)
class Names:
    """`name` is the `type:` in connectors.yaml."""

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
    """All names for a connector called `name`; raises `Unnameable`."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_LENGTH:
        suggestion = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_MAX_LENGTH]
        hint = f'; "{suggestion}" would do' if _NAME.fullmatch(suggestion) else ""
        raise Unnameable(
            f'"{quoted(name)}" cannot be a connector\'s type: small letters, digits and single hyphens,'
            f" a letter first, at most {_MAX_LENGTH}{hint}"
        )
    if name in taken:
        raise Unnameable(f'there is a connector of type "{name}" already; choose another name')
    return Names(name)
