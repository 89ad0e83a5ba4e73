"""Results are recorded only if the author left them out and set AIRLOCK_RECORD."""

from pathlib import Path

import orjson
import pytest

from connectors.kit.record import VARIABLE, difference, mismatch

FOUND = {"events": [{"id": "m-1"}]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "text.json"


def test_missing_results_are_recorded_if_requested(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    file.write_bytes(orjson.dumps({"note": "made by hand", "content": {}}))
    assert "review them" in mismatch(file, FOUND, frozenset({"events"}))
    assert orjson.loads(file.read_bytes()) == {"note": "made by hand", "content": {}, **FOUND}


def test_recorded_results_are_never_overwritten(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    before = orjson.dumps({"content": {}, "events": [{"id": "m-2"}]})
    file.write_bytes(before)
    message = mismatch(file, FOUND, frozenset({"events"}))
    assert message.startswith('text: events.0.id is "m-1", but was recorded as "m-2"')
    assert file.read_bytes() == before


def test_nothing_is_recorded_without_the_variable(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    file.write_bytes(b'{"content":{}}')
    assert '{"events":[{"id":"m-1"}]}' in mismatch(file, FOUND, frozenset({"events"}))
    assert file.read_bytes() == b'{"content":{}}'


@pytest.mark.parametrize(
    ("recorded", "found", "message"),
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, "a.1 is 3, but was recorded as 2"),
        ({"a": [1]}, {"a": [1, 3]}, "a is [1,3], but was recorded as [1]"),
        ({}, {"b": None, "c": {"d": "x"}}, 'c is {"d":"x"}, but was recorded as null'),
    ],
)
def test_the_first_difference_is_named(
    recorded: dict[str, object], found: dict[str, object], message: str
) -> None:
    assert difference(recorded, found) == message
