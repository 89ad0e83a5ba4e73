"""An agent's answers: once, with what became of them, or why not."""

import asyncio
import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.house import House
from tests.workspace.house import house as open_house

KEY = "key-of-the-answer-1"
PATH = "api/conversations/conv_mia/messages"
SENDING = "/v1/conversations/conv_mia/messages"


@pytest.fixture
async def talk(house: House) -> House:
    await house.deliver(samples.received("evt_1", samples.message()))
    await house.opened()
    return house


async def last(house: House) -> Any:
    return (await house.opened())["lines"][-1]


_numbers = itertools.count()


async def status(house: House, id: str, word: str, reason: str | None = None) -> None:
    data = {
        "conversation": samples.conversation(),
        "message": {"id": id, "platform_id": "wamid.X"},
        "status": word,
        "reason": reason,
    }
    await house.deliver(samples.event(f"evt_s{next(_numbers)}", "message.status", data))


async def test_an_answer_goes_to_the_gateway_and_stands_in_the_transcript(talk: House) -> None:
    await talk.post(PATH, {"text": "On our way", "key": KEY})
    assert talk.gateway.called("POST", SENDING) == [{"text": "On our way", "agent": "agent"}]
    assert list(talk.gateway.sent) == [KEY]
    line = await last(talk)
    assert (line["direction"], line["text"], line["author"]) == ("out", "On our way", "agent")
    assert (line["status"], line["id"]) == ("accepted", "msg_sent1")
    (listed,) = (await talk.get("api/conversations"))["conversations"]
    assert listed["last"] == {"from": "You", "line": "On our way"}


async def test_ticks_go_forward_only(talk: House) -> None:
    await talk.post(PATH, {"text": "hi", "key": KEY})
    for told, shown in (("sent", "sent"), ("read", "read"), ("delivered", "read")):
        await status(talk, "msg_sent1", told)
        assert (await last(talk))["status"] == shown


async def test_a_failure_says_why(talk: House) -> None:
    await talk.post(PATH, {"text": "hi", "key": KEY})
    await status(talk, "msg_sent1", "failed", "the number is not on WhatsApp")
    line = await last(talk)
    assert (line["status_words"], line["reason"]) == (
        "Not delivered",
        "the number is not on WhatsApp",
    )


async def test_what_was_given_up_and_arrived_all_the_same_has_arrived(talk: House) -> None:
    await talk.post(PATH, {"text": "hi", "key": KEY})
    for told, reason, shown in (
        ("failed", "unknown", "unknown"),
        ("sent", None, "sent"),
        ("failed", "undeliverable", "failed"),
        ("delivered", None, "delivered"),
    ):
        await status(talk, "msg_sent1", told, reason)
        assert (await last(talk))["status"] == shown


async def test_a_text_stays_its_writers_whoever_sends_it_again(talk: House) -> None:
    talk.gateway.refuse[SENDING] = 503, {}
    await talk.try_post(PATH, {"text": "hi", "key": KEY})
    talk.gateway.refuse.clear()
    await talk.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
    sam = talk.browser()
    async with sam.session:
        await sam.sign_in("sam")
        await sam.post(PATH, {"text": "hi", "key": KEY})
    agents = [sent["agent"] for sent in talk.gateway.called("POST", SENDING)]
    assert agents == ["agent", "agent"]


async def test_a_status_that_is_quicker_than_the_answer_counts(talk: House) -> None:
    await status(talk, "msg_sent1", "delivered")
    await talk.post(PATH, {"text": "hi", "key": KEY})
    assert (await last(talk))["status"] == "delivered"


async def test_an_echo_that_is_quicker_than_the_answer_makes_no_second_line(talk: House) -> None:
    echo = {"id": "msg_sent1", "platform_id": "m_1", "text": "hi", "transcript": "hi"}
    data = {"conversation": samples.conversation(), "message": {**echo, "reply_to": None}}
    await talk.deliver(samples.event("evt_o", "message.echoed", data))
    await talk.post(PATH, {"text": "hi", "key": KEY})
    lines = (await talk.opened())["lines"]
    assert [line["text"] for line in lines] == ["hello", "hi"]
    late = samples.event("evt_o2", "message.echoed", data)
    await talk.deliver(late)
    assert len((await talk.opened())["lines"]) == 2


async def test_the_same_key_sends_once_and_shows_once(talk: House) -> None:
    for _ in range(3):
        await talk.post(PATH, {"text": "hi", "key": KEY})
    assert len(talk.gateway.sent) == 1
    assert len((await talk.opened())["lines"]) == 2


async def test_a_refusal_is_said_beside_the_text_and_can_be_tried_again(talk: House) -> None:
    problem = {"title": "Window closed", "detail": "The 24 hours are over."}
    talk.gateway.refuse[SENDING] = 422, problem
    code, answer = await talk.try_post(PATH, {"text": "hi", "key": KEY})
    assert (code, answer["error"]) == (502, "The 24 hours are over.")
    line = await last(talk)
    assert (line["status"], line["reason"], line["key"]) == (
        "refused",
        "The 24 hours are over.",
        KEY,
    )
    talk.gateway.refuse.clear()
    await talk.post(PATH, {"text": "hi", "key": KEY})
    assert ((await last(talk))["status"], len((await talk.opened())["lines"])) == ("accepted", 2)


@pytest.mark.parametrize("trouble", [500, 503])
async def test_a_gateway_in_trouble_leaves_it_open_whether_it_was_sent(
    talk: House, trouble: int
) -> None:
    talk.gateway.refuse[SENDING] = trouble, {}
    assert (await talk.try_post(PATH, {"text": "hi", "key": KEY}))[0] == 502
    assert (await last(talk))["status_words"] == "Perhaps not sent"


async def test_a_gateway_that_cannot_send_yet_is_said_so(talk: House) -> None:
    talk.gateway.refuse[SENDING] = 404, {}
    _, answer = await talk.try_post(PATH, {"text": "hi", "key": KEY})
    assert answer["error"] == "The gateway does not know this."


async def test_a_key_belongs_to_one_text_in_one_conversation(talk: House) -> None:
    await talk.post(PATH, {"text": "hi", "key": KEY})
    assert (await talk.try_post(PATH, {"text": "other", "key": KEY}))[0] == 409
    other = samples.conversation("conv_other")
    await talk.deliver(samples.received("evt_2", {**samples.message(), "id": "msg_o"}, other))
    await talk.opened("conv_other")
    path = "api/conversations/conv_other/messages"
    assert (await talk.try_post(path, {"text": "hi", "key": KEY}))[0] == 409


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
async def test_what_is_no_answer_is_not_sent(talk: House, content: Any) -> None:
    assert (await talk.try_post(PATH, content or {"x": 1}))[0] == 400
    assert talk.gateway.called("POST", SENDING) == []


async def test_only_who_has_the_conversation_answers(talk: House) -> None:
    sam = talk.browser()
    async with sam.session:
        await sam.sign_in("sam")
        code, answer = await sam.try_post(PATH, {"text": "hi", "key": KEY})
        assert (code, answer["error"]) == (403, "Take the conversation before you answer.")
        nowhere = "api/conversations/conv_none/messages"
        assert (await sam.try_post(nowhere, {"text": "hi", "key": KEY}))[0] == 403


async def test_a_quote_goes_along_and_stands_above_the_answer(talk: House) -> None:
    content = {"text": "That one", "key": "q" * 20, "reply_to": "msg_1"}
    await talk.post(PATH, content)
    assert talk.gateway.called("POST", SENDING)[-1] == {
        "text": "That one",
        "agent": "agent",
        "reply_to": "msg_1",
    }
    line = (await talk.opened())["lines"][-1]
    assert (line["reply_to"]["id"], line["reply_to"]["line"]) == ("msg_1", "hello")


async def test_what_was_said_elsewhere_or_never_cannot_be_quoted(talk: House) -> None:
    other = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})
    await talk.deliver(samples.received("evt_t", {**samples.message(), "id": "msg_tom"}, other))
    for quoted in ("msg_tom", "msg_none", "notice_1"):
        content = {"text": "That one", "key": "q" * 20, "reply_to": quoted}
        status, answer = await talk.try_post(PATH, content)
        assert (status, answer["error"]) == (
            400,
            "There is no such message in this conversation to quote.",
        )
    assert (await talk.try_post(PATH, {"text": "x", "key": "q" * 20, "reply_to": 5}))[0] == 400
    assert not talk.gateway.sent


async def test_an_answer_to_ours_finds_it_by_the_platforms_id(talk: House) -> None:
    await talk.post(PATH, {"text": "Which size?", "key": "q" * 20})
    data = {
        "conversation": samples.conversation(),
        "message": {"id": "msg_sent1", "platform_id": "wamid.OURS"},
        "status": "sent",
        "reason": None,
    }
    await talk.deliver(samples.event("evt_s", "message.status", data))
    await talk.deliver(
        samples.received("evt_r", samples.message(2, text="M", reply_to="wamid.OURS"))
    )
    line = (await talk.opened())["lines"][-1]
    assert line["reply_to"]["line"] == "Which size?"


async def test_a_text_that_was_being_sent_when_we_stopped_can_be_sent_again(
    talk: House, tmp_path: Path
) -> None:
    """The machine stops while the gateway is asked: what is on disk then is what a start finds."""
    talk.gateway.hanging = asyncio.Event()
    asking = asyncio.create_task(talk.post(PATH, {"text": "good day", "key": KEY}))
    async with asyncio.timeout(20):
        while not talk.gateway.called("POST", SENDING):
            await asyncio.sleep(0.01)
    later = tmp_path / "later"
    later.mkdir()
    with closing(sqlite3.connect(talk.database)) as db:
        db.execute("VACUUM INTO ?", (str(later / "workspace.sqlite3"),))
    talk.gateway.hanging.set()
    await asking
    async with open_house(later) as house:
        line = await last(house)
        assert (line["status"], line["reason"]) == ("unknown", "The workspace stopped meanwhile.")
        await house.post(PATH, {"text": "good day", "key": KEY})
        assert [line["status"] for line in (await house.opened())["lines"]][1:] == ["accepted"]
