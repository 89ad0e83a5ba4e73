"""The platform's own words beside our sentence for a failed text and a failed attachment: clean, and short."""

from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace
from workspace.text.wording import describe_reason, describe_state

OURS = "the platform cannot reach the customer"
UNKNOWN = "Unknown destination handset"


async def fail(running: RunningWorkspace, **cause: Any) -> Any:
    """Send a text, let the platform refuse it, and return its line."""
    await running.deliver(samples.received("evt_1", samples.message()))
    await running.open_conversation()
    content = {"text": "hi", "key": "key-of-the-answer-1"}
    await running.post("api/conversations/conv_mia/messages", content)
    sent = {"id": "msg_sent1", "platform_id": "SM1"}
    data = {"conversation": samples.conversation(), "message": sent, "status": "failed", **cause}
    await running.deliver(samples.event("evt_s", "message.status", data))
    return (await running.open_conversation())["lines"][-1]


async def test_later_status_drops_the_words(running: RunningWorkspace) -> None:
    line = await fail(running, reason="undeliverable", code="30005", detail=UNKNOWN)
    assert UNKNOWN in line["reason"]
    sent = {"id": "msg_sent1", "platform_id": "SM1"}
    data = {"conversation": samples.conversation(), "message": sent, "status": "delivered"}
    await running.deliver(samples.event("evt_s2", "message.status", {**data, "reason": None}))
    line = (await running.open_conversation())["lines"][-1]
    assert (line["status"], line["reason"]) == ("delivered", None)


@pytest.mark.parametrize(
    ("detail", "code", "added"),
    [
        ("two\r\nlines\x00\u202e", "21610", ". The platform's words: “two lines” (code 21610)"),
        ("\u200b \n", "21610", " (code 21610)"),
        ("<b>markup</b>", None, ". The platform's words: “<b>markup</b>”"),
        ("x" * 500, "1", ". The platform's words: “" + "x" * 159 + "…” (code 1)"),
        ("y" * 170, None, ". The platform's words: “" + "y" * 159 + "…”"),
        (None, "7" * 90, " (code " + "7" * 39 + "…)"),
        (None, "1\n2", " (code 1 2)"),
        ({"odd": 1}, [7], ""),
    ],
)
def test_platforms_words_are_one_short_line(detail: Any, code: Any, added: str) -> None:
    assert describe_reason("undeliverable", code, detail) == OURS + added
    attachment = {"kind": "photo", "state": "failed", "reason": "gone", "detail": detail}
    ours = describe_state(attachment)
    assert describe_state({**attachment, "code": code}) == ours + (added if code else "")
