"""Hooks and fixtures for all tests. On CI a skipped test fails, because a test that did not run shows nothing."""

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.bucket import bucket, bucket_setting, opened, s3_server

if TYPE_CHECKING:
    from tests.postgresql import Server


@pytest.fixture(scope="session")
def postgresql() -> "Iterator[Server]":
    """One server of PostgreSQL for all tests of this process."""
    from tests.postgresql import server

    with server() as running:
        yield running


__all__ = ["bucket", "bucket_setting", "opened", "s3_server"]


def pytest_runtest_setup() -> None:
    """Take back a real-time policy. The programs of all later tests would inherit it and starve all others."""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


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
