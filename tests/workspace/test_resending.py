"""Sending a failed answer again: one key for each failed attempt, one line, and once to the customer."""

import asyncio
import itertools
from contextlib import closing
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace
from workspace.store.database import connect
from workspace.store.retention import expire_texts
from workspace.timestamps import now

KEY = "key-of-the-answer-1"
PATH = "api/conversations/conv_mia/messages"
AGAIN = f"{PATH}/{KEY}/again"
GATEWAY_PATH = "/v1/conversations/conv_mia/messages"

_numbers = itertools.count()


async def deliver_status(running: RunningWorkspace, id: str, status: str) -> None:
    data = {
        "conversation": samples.conversation(),
        "message": {"id": id, "platform_id": None},
        "status": status,
        "reason": "blocked" if status == "failed" else None,
    }
    await running.deliver(samples.event(f"evt_s{next(_numbers)}", "message.status", data))


async def lines(running: RunningWorkspace) -> Any:
    found = (await running.open_conversation())["lines"][1:]
    return [line for line in found if line["direction"] != "notice"]


@pytest.fixture
async def failed(running: RunningWorkspace) -> RunningWorkspace:
    """An answer that the gateway accepted, and that failed later."""
    await running.deliver(samples.received("evt_1", samples.message()))
    await running.open_conversation()
    await running.post(PATH, {"text": "hi", "key": KEY, "reply_to": "msg_1"})
    await deliver_status(running, "msg_sent1", "failed")
    return running


async def test_two_presses_send_a_failed_answer_once(failed: RunningWorkspace) -> None:
    failed.gateway.send_gate = asyncio.Event()
    presses = [asyncio.create_task(failed.post(AGAIN, {"id": "msg_sent1"})) for _ in range(2)]
    await asyncio.wait(presses, return_when=asyncio.FIRST_COMPLETED)
    failed.gateway.send_gate.set()
    await asyncio.gather(*presses)
    await failed.post(AGAIN, {"id": "msg_sent1"})
    assert list(failed.gateway.sent) == [KEY, f"{KEY}.1"]
    assert failed.gateway.calls_to("POST", GATEWAY_PATH)[1:] == [
        {"text": "hi", "agent": "agent", "reply_to": "msg_1"}
    ]


async def test_failed_line_and_new_attempt_are_one_line(failed: RunningWorkspace) -> None:
    await failed.post(AGAIN, {"id": "msg_sent1"})
    (line,) = await lines(failed)
    assert (line["id"], line["status"], line["failed"]) == ("msg_sent2", "accepted", False)
    assert (line["key"], line["resent_by"]) == (KEY, "agent")
    assert line["resent_at"] >= line["at"]


async def test_each_failed_attempt_can_be_repeated_once(failed: RunningWorkspace) -> None:
    for id in ("msg_sent1", "msg_sent2"):
        for _ in range(2):
            await failed.post(AGAIN, {"id": id})
        await deliver_status(failed, "msg_sent2", "failed")
    assert list(failed.gateway.sent) == [KEY, f"{KEY}.1", f"{KEY}.2"]


async def test_two_agents_send_it_once_and_author_stays(failed: RunningWorkspace) -> None:
    await failed.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
    assert (await failed.try_post(AGAIN, {"id": "msg_sent1"}))[0] == 403
    sam = failed.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        await sam.post(AGAIN, {"id": "msg_sent1"})
        await sam.post(AGAIN, {"id": "msg_sent1"})
        (line,) = await lines(sam)
    assert len(failed.gateway.sent) == 2
    assert (line["author"], line["resent_by"]) == ("agent", "sam")


@pytest.mark.parametrize("status", [422, 503])
async def test_attempt_without_acceptance_keeps_its_key(
    failed: RunningWorkspace, status: int
) -> None:
    failed.gateway.refuse[GATEWAY_PATH] = status, {}
    assert (await failed.try_post(AGAIN, {"id": "msg_sent1"}))[0] == 502
    (line,) = await lines(failed)
    assert line["failed"]
    failed.gateway.refuse.clear()
    for _ in range(2):
        await failed.post(AGAIN, {"id": line["id"]})
    assert list(failed.gateway.sent) == [KEY, f"{KEY}.1"]


async def test_answer_that_did_not_fail_is_not_repeated(failed: RunningWorkspace) -> None:
    await deliver_status(failed, "msg_sent1", "delivered")
    await failed.post(AGAIN, {"id": "msg_sent1"})
    assert list(failed.gateway.sent) == [KEY]


async def test_first_key_sends_nothing_after_a_resend(failed: RunningWorkspace) -> None:
    await failed.post(AGAIN, {"id": "msg_sent1"})
    await failed.post(PATH, {"text": "hi", "key": KEY, "reply_to": "msg_1"})
    assert list(failed.gateway.sent) == [KEY, f"{KEY}.1"]
    assert [line["id"] for line in await lines(failed)] == ["msg_sent2"]


async def test_late_receipt_of_first_attempt_counts(failed: RunningWorkspace) -> None:
    await failed.post(AGAIN, {"id": "msg_sent1"})
    await deliver_status(failed, "msg_sent2", "failed")
    await deliver_status(failed, "msg_sent1", "read")
    (line,) = await lines(failed)
    assert (line["status"], line["failed"]) == ("read", False)


async def test_echo_of_first_attempt_adds_no_line(failed: RunningWorkspace) -> None:
    await failed.post(AGAIN, {"id": "msg_sent1"})
    echo = {"id": "msg_sent1", "platform_id": "m_1", "text": "hi", "transcript": "hi"}
    data = {"conversation": samples.conversation(), "message": echo}
    await failed.deliver(samples.event("evt_o", "message.echoed", data))
    assert len(await lines(failed)) == 1


async def test_quote_of_first_attempt_finds_the_line(failed: RunningWorkspace) -> None:
    await failed.post(AGAIN, {"id": "msg_sent1"})
    quoting = samples.message(2, reply_to="other", reply_to_id="msg_sent1")
    await failed.deliver(samples.received("evt_q", quoting))
    assert (await lines(failed))[-1]["reply_to"]["line"] == "hi"


async def test_earlier_read_mark_is_not_about_the_resent_text(failed: RunningWorkspace) -> None:
    (line,) = await lines(failed)
    await failed.post(AGAIN, {"id": "msg_sent1"})
    data = {
        "conversation": samples.conversation(),
        "message": {"id": None, "platform_id": None},
        "status": "read",
        "watermark": samples.stamp_of(line["at"]),
    }
    await failed.deliver(samples.event("evt_w", "message.status", data))
    (line,) = await lines(failed)
    assert line["status"] == "accepted"


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        (AGAIN, {}, 400),
        (AGAIN, {"id": 5}, 400),
        (f"{PATH}/key-of-no-answer-1/again", {"id": "msg_sent1"}, 404),
        (AGAIN.replace("conv_mia", "conv_tom"), {"id": "msg_sent1"}, 404),
    ],
)
async def test_invalid_resend_sends_nothing(
    failed: RunningWorkspace, path: str, content: Any, status: int
) -> None:
    other = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})
    await failed.deliver(samples.received("evt_t", {**samples.message(), "id": "msg_tom"}, other))
    await failed.open_conversation("conv_tom")
    assert (await failed.try_post(path, content))[0] == status
    assert list(failed.gateway.sent) == [KEY]


async def test_expired_text_cannot_be_repeated(failed: RunningWorkspace) -> None:
    data = {"conversation": samples.conversation(), "message": {"id": "msg_sent1"}}
    await failed.deliver(samples.event("evt_d", "message.deleted", data))
    code, answer = await failed.try_post(AGAIN, {"id": "msg_sent1"})
    assert (code, answer["error"]) == (410, "The text of this message is no longer stored.")


async def test_resent_line_can_be_erased(failed: RunningWorkspace) -> None:
    await failed.post(AGAIN, {"id": "msg_sent1"})
    await deliver_status(failed, "msg_sent2", "failed")
    (line,) = await lines(failed)
    seen = {"sequence": 1, "revision": 0, "undelivered": [line["position"]]}
    await failed.post("api/conversations/conv_mia/read", seen)
    await failed.post("api/conversations/conv_mia/agents", {"do": "close"})
    await failed.post("api/conversations/conv_mia/erase")
    assert (await failed.get("api/conversations"))["conversations"] == []


async def test_resent_line_expires_with_its_attempts(failed: RunningWorkspace) -> None:
    await failed.post(AGAIN, {"id": "msg_sent1"})
    await deliver_status(failed, "msg_sent2", "failed")
    (line,) = await lines(failed)
    seen = {"sequence": 1, "revision": 0, "undelivered": [line["position"]]}
    await failed.post("api/conversations/conv_mia/read", seen)
    with closing(connect(failed.database)) as db:
        while expire_texts(db, now() + 1000):
            pass
        for table in ("messages", "earlier_attempts", "seen_failures", "statuses", "replies"):
            (count,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert count == 0, table
