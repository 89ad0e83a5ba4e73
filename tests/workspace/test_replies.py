"""An agent's answers: once, with what became of them, or why not."""

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
    running: RunningWorkspace, id: str, status: str, reason: str | None = None
) -> None:
    data = {
        "conversation": samples.conversation(),
        "message": {"id": id, "platform_id": "wamid.X"},
        "status": status,
        "reason": reason,
    }
    await running.deliver(samples.event(f"evt_s{next(_numbers)}", "message.status", data))


async def test_an_answer_goes_to_the_gateway_and_stands_in_the_transcript(
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


async def test_ticks_go_forward_only(assigned: RunningWorkspace) -> None:
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    for received, shown in (("sent", "sent"), ("read", "read"), ("delivered", "read")):
        await deliver_status(assigned, "msg_sent1", received)
        assert (await last(assigned))["status"] == shown


async def test_a_failure_says_why(assigned: RunningWorkspace) -> None:
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    await deliver_status(assigned, "msg_sent1", "failed", "the number is not on WhatsApp")
    line = await last(assigned)
    assert (line["status_words"], line["reason"]) == (
        "Not delivered",
        "the number is not on WhatsApp",
    )


async def test_what_was_given_up_and_arrived_all_the_same_has_arrived(
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


async def test_a_text_stays_its_writers_whoever_sends_it_again(assigned: RunningWorkspace) -> None:
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


async def test_a_status_that_is_quicker_than_the_answer_counts(assigned: RunningWorkspace) -> None:
    await deliver_status(assigned, "msg_sent1", "delivered")
    await assigned.post(PATH, {"text": "hi", "key": KEY})
    assert (await last(assigned))["status"] == "delivered"


async def test_an_echo_that_is_quicker_than_the_answer_makes_no_second_line(
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


async def test_the_same_key_sends_once_and_shows_once(assigned: RunningWorkspace) -> None:
    for _ in range(3):
        await assigned.post(PATH, {"text": "hi", "key": KEY})
    assert len(assigned.gateway.sent) == 1
    assert len((await assigned.open_conversation())["lines"]) == 2


async def test_a_refusal_is_said_beside_the_text_and_can_be_tried_again(
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
async def test_a_gateway_in_trouble_leaves_it_open_whether_it_was_sent(
    assigned: RunningWorkspace, status_code: int
) -> None:
    assigned.gateway.refuse[GATEWAY_PATH] = status_code, {}
    assert (await assigned.try_post(PATH, {"text": "hi", "key": KEY}))[0] == 502
    assert (await last(assigned))["status_words"] == "May not have been sent"


async def test_a_gateway_that_cannot_send_yet_is_said_so(assigned: RunningWorkspace) -> None:
    assigned.gateway.refuse[GATEWAY_PATH] = 404, {}
    _, answer = await assigned.try_post(PATH, {"text": "hi", "key": KEY})
    assert answer["error"] == "The gateway could not find this."


async def test_a_key_belongs_to_one_text_in_one_conversation(assigned: RunningWorkspace) -> None:
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
async def test_what_is_no_answer_is_not_sent(assigned: RunningWorkspace, content: Any) -> None:
    assert (await assigned.try_post(PATH, content or {"x": 1}))[0] == 400
    assert assigned.gateway.calls_to("POST", GATEWAY_PATH) == []


async def test_only_who_has_the_conversation_answers(assigned: RunningWorkspace) -> None:
    sam = assigned.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        code, answer = await sam.try_post(PATH, {"text": "hi", "key": KEY})
        assert (code, answer["error"]) == (403, "Take the conversation before you reply.")
        nowhere = "api/conversations/conv_none/messages"
        assert (await sam.try_post(nowhere, {"text": "hi", "key": KEY}))[0] == 403


async def test_a_quote_goes_along_and_stands_above_the_answer(assigned: RunningWorkspace) -> None:
    content = {"text": "That one", "key": "q" * 20, "reply_to": "msg_1"}
    await assigned.post(PATH, content)
    assert assigned.gateway.calls_to("POST", GATEWAY_PATH)[-1] == {
        "text": "That one",
        "agent": "agent",
        "reply_to": "msg_1",
    }
    line = (await assigned.open_conversation())["lines"][-1]
    assert (line["reply_to"]["id"], line["reply_to"]["line"]) == ("msg_1", "hello")


async def test_what_was_said_elsewhere_or_never_cannot_be_quoted(
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


async def test_an_answer_to_ours_finds_it_by_the_platforms_id(assigned: RunningWorkspace) -> None:
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


async def test_a_text_that_was_being_sent_when_we_stopped_can_be_sent_again(
    assigned: RunningWorkspace, tmp_path: Path
) -> None:
    """The machine stops while the gateway is asked: what is on disk then is what a start finds."""
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
