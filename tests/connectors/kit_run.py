"""Running the conformance kit on a connector without pytest."""

import inspect
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from connectors.conformance import Conformance

TESTS = {
    name: test
    for name, test in inspect.getmembers(Conformance, inspect.isfunction)
    if name.startswith("test_")
}


def add(folder: Path, place: str, name: str, **content: object) -> None:
    """Write a recording into a connector's folder of recordings."""
    (folder / place / f"{name}.json").write_bytes(orjson.dumps(content))


def failing(suite: type[Conformance], tests: Iterable[str] = TESTS) -> set[str]:
    """Those of the given tests that fail."""
    return set(failures(suite, tests))


def failures(suite: type[Conformance], tests: Iterable[str] = TESTS) -> dict[str, str]:
    """The line that each failing test prints."""
    said = {name: _failure(suite, name) for name in tests}
    return {name: line for name, line in said.items() if line is not None}


def _failure(suite: type[Conformance], name: str) -> str | None:
    try:
        getattr(suite(), name)()
    except pytest.fail.Exception as exc:
        return str(exc)
    return None
