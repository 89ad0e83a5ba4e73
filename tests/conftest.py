"""Hooks for all tests: long ones begin first, and on CI a skipped test fails, because it did not show anything."""

import os
from collections.abc import Generator
from typing import Any

import pytest

#: Folders whose files take longest. Begun last, they would keep one worker busy while the others have nothing to do.
_LONG = ("torture", "system", "workspace", "plugins")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.path.parent.name))


def _rank(folder: str) -> int:
    return _LONG.index(folder) if folder in _LONG else len(_LONG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} must not be skipped on CI. {reason}"
    return report
