"""Agents' replies: sent once, with a status or the reason of a failure."""

import asyncio
import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace

KEY = "key-of-the-answer-1"
PATH = "api/conversations/conv_mia/messages"
GATEWAY_PATH = "/v1/conversations/conv_mia/messages"


@pytest.fixture
async def assigned(running: RunningWorkspace) -> RunningWorkspace:
    await running.deliver(samples.received("evt_1", samples.message()))
    await running.open_conversation()
    return running


async def last(running: RunningWorkspace) -> Any:
    return (await running.open_conversation())["lines"][-1]


_numbers = itertools.count()


async def deliver_status(
    running: RunningWorkspace, id: str, status: str, reason: str | None = None, **more: str
) -> None:
    data = {
        "conversation": samples.conversation(),
        "message": {"id": id, "platform_id": "wamid.X"},
        "status": status,
        "reason": reason,
        **more,
    }
    await running.deliver(samples.event(f"evt_s{next(_numbers)}", "message.status", data))


async def test_reply_goes_to_the_gateway_and_the_transcript(
    assigned: RunningWorkspace,
) -> None:
    await assigned.post(PATH, {"text": "On our way", "key": KEY})
    assert assigned.gateway.calls_to("POST", GATEWAY_PATH) == [
        {"text": "On our way", "agent": "agent"}
    ]
    assert list(assigned.gateway.sent) == [KEY]
    line = await last(assigned)
    assert (line["direction"], line["text"], line["author"]) == ("out", "On our way", "agent")
    assert (line["status"], line["id"]) == ("accepted", "msg_sent1")
    (listed,) = (await assigned.get("api/conversations"))["conversations"]
    assert listed["last"] == {"from": "You", "line": "On our way"}


async def test_status_only_moves_forward(assigned: RunningWorkspace) -> None:
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    for received, shown in (("sent", "sent"), ("read", "read"), ("delivered", "read")):
        await deliver_status(assigned, "msg_sent1", received)
        assert (await last(assigned))["status"] == shown


async def test_failed_reply_has_a_reason(assigned: RunningWorkspace) -> None:
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    await deliver_status(assigned, "msg_sent1", "failed", "the number is not on WhatsApp")
    line = await last(assigned)
    assert (line["status_words"], line["reason"]) == (
        "Not delivered",
        "the number is not on WhatsApp",
    )


async def test_failed_reply_shows_the_platforms_code_and_words(
    assigned: RunningWorkspace,
) -> None:
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    more = {"code": "131060", "detail": "Message unavailable"}
    await deliver_status(assigned, "msg_sent1", "failed", "unknown", **more)
    line = await last(assigned)
    assert line["status_words"] == "Not delivered"
    assert "“Message unavailable” (code 131060)" in line["reason"]


async def test_receipt_replaces_a_failed_status(
    assigned: RunningWorkspace,
) -> None:
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    for received, reason, shown in (
        ("failed", "unknown", "unknown"),
        ("sent", None, "sent"),
        ("failed", "undeliverable", "failed"),
        ("delivered", None, "delivered"),
    ):
        await deliver_status(assigned, "msg_sent1", received, reason)
        assert (await last(assigned))["status"] == shown


async def test_resent_reply_keeps_its_author(assigned: RunningWorkspace) -> None:
    assigned.gateway.refuse[GATEWAY_PATH] = 503, {}
    await assigned.try_post(PATH, {"text": "hi", "key": KEY})
    assigned.gateway.refuse.clear()
    await assigned.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
    sam = assigned.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        await sam.post(PATH, {"text": "hi", "key": KEY})
    agents = [sent["agent"] for sent in assigned.gateway.calls_to("POST", GATEWAY_PATH)]
    assert agents == ["agent", "agent"]


async def test_status_before_the_response_counts(assigned: RunningWorkspace) -> None:
    await deliver_status(assigned, "msg_sent1", "delivered")
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    assert (await last(assigned))["status"] == "delivered"


async def test_echo_before_the_response_adds_no_second_line(
    assigned: RunningWorkspace,
) -> None:
    echo = {"id": "msg_sent1", "platform_id": "m_1", "text": "hi", "transcript": "hi"}
    data = {"conversation": samples.conversation(), "message": {**echo, "reply_to": None}}
    await assigned.deliver(samples.event("evt_o", "message.echoed", data))
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    lines = (await assigned.open_conversation())["lines"]
    assert [line["text"] for line in lines] == ["hello", "hi"]
    late = samples.event("evt_o2", "message.echoed", data)
    await assigned.deliver(late)
    assert len((await assigned.open_conversation())["lines"]) == 2


async def test_repeated_key_sends_and_shows_once(assigned: RunningWorkspace) -> None:
    for _ in range(3):
        await assigned.post(PATH, {"text": "hi", "key": KEY})
    assert len(assigned.gateway.sent) == 1
    assert len((await assigned.open_conversation())["lines"]) == 2


async def test_refused_reply_shows_the_reason_and_can_be_retried(
    assigned: RunningWorkspace,
) -> None:
    problem = {"title": "Window closed", "detail": "The 24 hours are over."}
    assigned.gateway.refuse[GATEWAY_PATH] = 422, problem
    code, answer = await assigned.try_post(PATH, {"text": "hi", "key": KEY})
    assert (code, answer["error"]) == (502, "The 24 hours are over.")
    line = await last(assigned)
    assert (line["status"], line["reason"], line["key"]) == (
        "refused",
        "The 24 hours are over.",
        KEY,
    )
    assigned.gateway.refuse.clear()
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    assert (
        (await last(assigned))["status"],
        len((await assigned.open_conversation())["lines"]),
    ) == (
        "accepted",
        2,
    )


@pytest.mark.parametrize("status_code", [500, 503])
async def test_gateway_error_leaves_the_status_unknown(
    assigned: RunningWorkspace, status_code: int
) -> None:
    assigned.gateway.refuse[GATEWAY_PATH] = status_code, {}
    assert (await assigned.try_post(PATH, {"text": "hi", "key": KEY}))[0] == 502
    assert (await last(assigned))["status_words"] == "May not have been sent"


async def test_missing_send_endpoint_has_a_sentence(assigned: RunningWorkspace) -> None:
    assigned.gateway.refuse[GATEWAY_PATH] = 404, {}
    _, answer = await assigned.try_post(PATH, {"text": "hi", "key": KEY})
    assert answer["error"] == "The gateway could not find this."


async def test_key_belongs_to_one_text_in_one_conversation(assigned: RunningWorkspace) -> None:
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    assert (await assigned.try_post(PATH, {"text": "other", "key": KEY}))[0] == 409
    other = samples.conversation("conv_other")
    await assigned.deliver(samples.received("evt_2", {**samples.message(), "id": "msg_o"}, other))
    await assigned.open_conversation("conv_other")
    path = "api/conversations/conv_other/messages"
    assert (await assigned.try_post(path, {"text": "hi", "key": KEY}))[0] == 409


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"text": "hi"},
        {"text": "hi", "key": "short"},
        {"text": "hi", "key": "no spaces in keys please"},
        {"text": 7, "key": KEY},
        {"text": " \n", "key": KEY},
        {"text": "x" * 20_001, "key": KEY},
        [],
    ],
)
async def test_invalid_reply_is_not_sent(assigned: RunningWorkspace, content: Any) -> None:
    assert (await assigned.try_post(PATH, content or {"x": 1}))[0] == 400
    assert assigned.gateway.calls_to("POST", GATEWAY_PATH) == []


async def test_only_assigned_agents_may_reply(assigned: RunningWorkspace) -> None:
    sam = assigned.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        code, answer = await sam.try_post(PATH, {"text": "hi", "key": KEY})
        assert (code, answer["error"]) == (403, "Take the conversation before you reply.")
        nowhere = "api/conversations/conv_none/messages"
        assert (await sam.try_post(nowhere, {"text": "hi", "key": KEY}))[0] == 403


async def test_quote_is_sent_and_shown_with_the_reply(assigned: RunningWorkspace) -> None:
    content = {"text": "That one", "key": "q" * 20, "reply_to": "msg_1"}
    await assigned.post(PATH, content)
    assert assigned.gateway.calls_to("POST", GATEWAY_PATH)[-1] == {
        "text": "That one",
        "agent": "agent",
        "reply_to": "msg_1",
    }
    line = (await assigned.open_conversation())["lines"][-1]
    assert (line["reply_to"]["id"], line["reply_to"]["line"]) == ("msg_1", "hello")


async def test_only_messages_of_the_conversation_can_be_quoted(
    assigned: RunningWorkspace,
) -> None:
    other = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})
    await assigned.deliver(samples.received("evt_t", {**samples.message(), "id": "msg_tom"}, other))
    for quoted in ("msg_tom", "msg_none", "notice_1"):
        content = {"text": "That one", "key": "q" * 20, "reply_to": quoted}
        status, answer = await assigned.try_post(PATH, content)
        assert (status, answer["error"]) == (
            400,
            "The message you are quoting is not in this conversation.",
        )
    assert (await assigned.try_post(PATH, {"text": "x", "key": "q" * 20, "reply_to": 5}))[0] == 400
    assert not assigned.gateway.sent


async def test_quote_of_our_message_is_found_by_platform_id(assigned: RunningWorkspace) -> None:
    await assigned.post(PATH, {"text": "Which size?", "key": "q" * 20})
    data = {
        "conversation": samples.conversation(),
        "message": {"id": "msg_sent1", "platform_id": "wamid.OURS"},
        "status": "sent",
        "reason": None,
    }
    await assigned.deliver(samples.event("evt_s", "message.status", data))
    await assigned.deliver(
        samples.received("evt_r", samples.message(2, text="M", reply_to="wamid.OURS"))
    )
    line = (await assigned.open_conversation())["lines"][-1]
    assert line["reply_to"]["line"] == "Which size?"


async def test_reply_interrupted_by_a_stop_can_be_resent(
    assigned: RunningWorkspace, tmp_path: Path
) -> None:
    """The file is copied while a call to the gateway is open, as if the machine had stopped then."""
    assigned.gateway.send_gate = asyncio.Event()
    sending = asyncio.create_task(assigned.post(PATH, {"text": "good day", "key": KEY}))
    async with asyncio.timeout(20):
        while not assigned.gateway.calls_to("POST", GATEWAY_PATH):
            await asyncio.sleep(0.01)
    later = tmp_path / "later"
    later.mkdir()
    with closing(sqlite3.connect(assigned.database)) as db:
        db.execute("VACUUM INTO ?", (str(later / "workspace.sqlite3"),))
    assigned.gateway.send_gate.set()
    await sending
    async with run_workspace(later) as running:
        line = await last(running)
        assert (line["status"], line["reason"]) == (
            "unknown",
            "The workspace stopped while the message was being sent.",
        )
        await running.post(PATH, {"text": "good day", "key": KEY})
        assert [line["status"] for line in (await running.open_conversation())["lines"]][1:] == [
            "accepted"
        ]
