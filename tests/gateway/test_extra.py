"""The platform's own fields of a message are passed on up to a size."""

from typing import Any

import orjson
import pytest

from connectors import Echo, Message, Notice, Party
from gateway.inbound.extra import bounded
from normalizer.events import MAX_EXTRA


def message(extra: Any) -> Message:
    return Message(id="1", account="a", party=Party("p"), extra=extra)


@pytest.mark.parametrize("extra", [None, {}, {"order": {"items": [1, 2]}}, {"x": "y" * 16_000}])
def test_small_fields_are_passed_on_unchanged(extra: Any) -> None:
    assert bounded(message(extra)) == message(extra)


@pytest.mark.parametrize(
    "large",
    [
        {"blob": "x" * 20_000},
        {"blob": "\u00e9" * 9_000},
        {"blob": [[]] * 9_000},
        {f"blob{n}": "x" * 900 for n in range(1000)},
        {"n" * 30_000: 1},
    ],
)
def test_large_fields_are_left_out_and_named(large: dict[str, Any]) -> None:
    for event in (
        message({"locale": "de", **large}),
        Echo(
            id="1", account="a", party=Party("p"), message_id="2", extra={"locale": "de", **large}
        ),
    ):
        found = bounded(event)
        assert isinstance(found, Message | Echo)
        assert found.extra is not None
        assert found.extra["locale"] == "de"
        assert found.extra["omitted"]
        assert len(orjson.dumps(found.extra)) <= MAX_EXTRA


def test_other_events_stay_as_they_are() -> None:
    notice = Notice(id="1", account="a", kind="referral", details={"x": "y" * 20_000})
    assert bounded(notice) is notice
