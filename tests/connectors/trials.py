"""Running the conformance kit on a connector without pytest: which promises does it break?"""

import inspect
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors.conformance import Conformance, recordings

PROMISES = {
    name: test
    for name, test in inspect.getmembers(Conformance, inspect.isfunction)
    if name.startswith("test_")
}


def broken(examined: type[Conformance], promises: Iterable[str] = PROMISES) -> set[str]:
    """The promises that are broken, of those asked for."""
    return {name for name in promises if not _kept(examined, name)}


def _kept(examined: type[Conformance], name: str) -> bool:
    for case in _cases(PROMISES[name], examined.payloads):
        try:
            getattr(examined(), name)(**case)
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - any failure counts
            return False
    return True


def _cases(test: Any, folder: Path) -> Iterable[dict[str, Any]]:
    """The arguments pytest would call a test with."""
    axes: list[list[tuple[str, Any]]] = []
    if "recording" in inspect.signature(test).parameters:
        axes.append([("recording", recording) for recording in recordings(folder)])
    for mark in getattr(test, "pytestmark", []):
        name, values = mark.args[:2]
        axes.append([(name, value) for value in values])
    return (dict(case) for case in itertools.product(*axes))
