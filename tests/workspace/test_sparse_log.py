"""A stranger cannot fill the disk with log lines."""

import logging

import pytest

from tests.workspace.running import RunningWorkspace
from workspace.http.sparse_log import SparseLog


def test_warnings_within_a_second_are_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("workspace.http.sparse_log.time.monotonic", lambda: clock[0])
    log = SparseLog(logging.getLogger("workspace.test"))
    for moment in (100.0, 100.1, 100.9, 101.5):
        clock[0] = moment
        log.warning("refused %s", "this")
    assert caplog.messages == ["refused this", "refused this (and 2 more since the last line)"]


async def test_forged_events_write_few_log_lines(
    running: RunningWorkspace, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(30):
        status, _ = await running.try_post("events", {"type": "message.received"})
        assert status == 401
    assert len([text for text in caplog.messages if "event_refused" in text]) <= 5
