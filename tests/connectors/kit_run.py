"""Running the conformance kit on a connector without pytest."""

import inspect
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors.conformance import Conformance, recordings

TESTS = {
    name: test
    for name, test in inspect.getmembers(Conformance, inspect.isfunction)
    if name.startswith("test_")
}


def failing(suite: type[Conformance], tests: Iterable[str] = TESTS) -> set[str]:
    """Those of the given tests that fail."""
    return {name for name in tests if not _passes(suite, name)}


def _passes(suite: type[Conformance], name: str) -> bool:
    for case in _cases(TESTS[name], suite.payloads):
        try:
            getattr(suite(), name)(**case)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - any failure counts
            return False
    return True


def _cases(test: Any, folder: Path) -> Iterable[dict[str, Any]]:
    """The arguments with which pytest would call a test, one dictionary for each case."""
    axes: list[list[tuple[str, Any]]] = []
    if "recording" in inspect.signature(test).parameters:
        axes.append([("recording", recording) for recording in recordings(folder)])
    for mark in getattr(test, "pytestmark", []):
        name, values = mark.args[:2]
        axes.append([(name, value) for value in values])
    return (dict(case) for case in itertools.product(*axes))
