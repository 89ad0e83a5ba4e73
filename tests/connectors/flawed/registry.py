"""The list of flaws."""

from collections.abc import Callable
from typing import TypeVar

from tests.connectors.sound import Acme

#: Every flawed connector, and a test of the kit that must fail for it.
FLAWS: list[tuple[type[Acme], str]] = []

F = TypeVar("F", bound=type[Acme])


def fails(test: str) -> Callable[[F], F]:
    """Register a flawed connector with a test that must fail for it."""

    def register(flawed: F) -> F:
        FLAWS.append((flawed, f"test_{test}"))
        return flawed

    return register
