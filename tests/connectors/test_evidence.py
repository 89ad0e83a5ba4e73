"""The kit and replies that a flow reads too kindly, or not kindly enough."""

from pathlib import Path

import orjson

from .kit_run import failures
from .sound import Acme
from .test_kit import FILE, FILES, SEND, folder, step, trial

__all__ = ["folder"]


def _add(folder: Path, name: str, **exchange: object) -> None:
    (folder / "exchanges" / f"{name}.json").write_bytes(orjson.dumps(exchange))


def test_a_file_that_is_still_prepared_must_not_be_fetched(folder: Path) -> None:
    test = "test_a_file_is_fetched_only_when_it_is_ready"
    given = {"locator": {"id": "f1"}}
    for state, ready in (("ready", True), ("PROCESSING", False)):
        reply = {"url": FILE, "status": state}
        _add(folder, "a_file_in_a_state", flow="media", given=given, steps=[step(FILES, reply)])
        said = failures(trial(Acme, folder), [test])
        assert bool(said) != ready
    assert "the reply says 'PROCESSING' at status, but the file is fetched" in said[test]


def test_a_refused_second_attempt_must_not_be_recorded(folder: Path) -> None:
    test = "test_a_text_that_is_sent_again_succeeds"
    assert not failures(trial(Acme, folder), [test])
    steps = [step(SEND, {"code": 99}, 409)]
    refused = {"reason": "unknown", "code": "99"}
    _add(folder, "a_text_again", flow="send_text", again=True, steps=steps, refused=refused)
    assert "the second one is refused as 'unknown'" in failures(trial(Acme, folder), [test])[test]
