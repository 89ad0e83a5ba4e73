"""Hooks and fixtures for all tests. On CI a skipped test fails, because a test that did not run shows nothing."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
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


#: The server of a run of all tests with their journals in PostgreSQL.
_whole_run = ExitStack()


def pytest_configure() -> None:
    """With TEST_JOURNAL=postgresql, keep every journal there, also those of programs that the tests start."""
    if os.environ.get("TEST_JOURNAL") != "postgresql":
        return
    from tests.postgresql import server

    os.environ["AIRLOCK_TEST_DATABASE"] = _whole_run.enter_context(server()).url
    os.environ["PYTHONPATH"] = str(Path(__file__).with_name("on_postgresql"))
    from gateway.journal.sqlite import journal
    from tests.on_postgresql.sitecustomize import exchange

    exchange(journal)


def pytest_unconfigure() -> None:
    _whole_run.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the files of SQLite, in a run with the journals in PostgreSQL."""
    if os.environ.get("TEST_JOURNAL") != "postgresql":
        return
    left_out = [item for item in items if item.get_closest_marker("sqlite")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("sqlite")]


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
