"""Marks flawed connectors. The list is made from the marks: a connector's module keeps nothing that changes."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, TypeVar

from tests.connectors.sound import Acme

F = TypeVar("F", bound=type[Acme])


def fails(test: str) -> Callable[[F], F]:
    """Mark a flawed connector with a test of the kit that must fail for it."""

    def mark(flawed: Any) -> Any:
        flawed.found_by = f"test_{test}"
        return flawed

    return mark


def flaws(modules: tuple[ModuleType, ...]) -> Iterator[tuple[type[Acme], str]]:
    """Every flawed connector of the modules, and the test that must fail for it."""
    for module in modules:
        for kind in vars(module).values():
            if isinstance(kind, type) and "found_by" in vars(kind):
                yield kind, vars(kind)["found_by"]
