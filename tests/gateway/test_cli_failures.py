"""`airlock failures list` shows reason, code and the platform's words."""

from typing import Any

import pytest

from gateway.cli import failures
from gateway.settings import Settings

FAILURE = {"at": "2026-11-22T01:02:03Z", "kind": "attachment", "id": "att_1_0", "connector": "wa"}


@pytest.mark.parametrize(
    ("cause", "end"),
    [
        ({"reason": "gone"}, "  gone"),
        ({"reason": "gone", "code": None, "detail": None}, "  gone"),
        ({"reason": "gone", "detail": "HTTP 404"}, "  gone"),
        (
            {"reason": "unreachable", "code": "100/33", "detail": "does not exist"},
            "  unreachable (100/33): does not exist",
        ),
        ({"reason": "blocked_host", "detail": "cdn.example"}, "  blocked_host: cdn.example"),
        ({"reason": "unreachable", "code": "7"}, "  unreachable (7)"),
        (
            {"reason": "unreachable", "code": "7", "detail": "a\nb\x1b[2J"},
            "  unreachable (7): a b [2J",
        ),
    ],
)
def test_a_failure_is_listed_with_code_and_words(
    cause: dict[str, Any],
    end: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = {"failures": [{**FAILURE, **cause}]}
    monkeypatch.setattr(failures, "call_api", lambda *_: listed)
    assert failures.failures(Settings(), "list", []) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(end)
