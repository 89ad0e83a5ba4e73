"""What events say about a conversation: its consumer, until when replies are possible, and opting out."""

import itertools
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace

PATH = "api/conversations/conv_mia/messages"
GATEWAY_PATH = "/v1/conversations/conv_mia/messages"
KEY = "key-of-the-answer-1"
MOVED = "The customer's address changed from +4915550000001 to +4915550000002. Replies go to the new one."

_numbers = itertools.count()


def reported(type: str, consumer: dict[str, Any] | None = None, **data: Any) -> dict[str, Any]:
    """An event about Mia's conversation."""
    more: dict[str, Any] = {} if consumer is None else {"consumer": consumer}
    where = samples.conversation(**more, **data.pop("conversation", {}))
    return samples.event(f"evt_r{next(_numbers)}", type, {"conversation": where, **data})


def moved(name: str | None = "Mia", *aliases: str) -> dict[str, Any]:
    return {"id": "4915550000002", "name": name, "aliases": list(aliases)}


async def listed(running: RunningWorkspace, query: str = "") -> Any:
    return (await running.get(f"api/conversations?{query}"))["conversations"]


async def texts(running: RunningWorkspace) -> list[str]:
    return [line["text"] for line in (await running.open_conversation())["lines"]]


@pytest.fixture
async def mia(running: RunningWorkspace) -> RunningWorkspace:
    await running.deliver(samples.received("evt_1", samples.message()))
    return running


# the consumer ------------------------------------------------------------------------------------


async def test_new_name_and_address_are_listed(mia: RunningWorkspace) -> None:
    await mia.deliver(reported("conversation.updated", moved("Mia Berg")))
    (entry,) = await listed(mia)
    assert (entry["name"], entry["consumer"]) == ("Mia Berg", "+4915550000002")
    assert await texts(mia) == ["hello", MOVED]


async def test_new_name_alone_adds_no_line(mia: RunningWorkspace) -> None:
    renamed = {"id": "4915550000001", "name": "Mia Berg"}
    await mia.deliver(reported("conversation.updated", renamed))
    assert (await listed(mia))[0]["name"] == "Mia Berg"
    assert await texts(mia) == ["hello"]


async def test_update_without_a_name_keeps_the_known_one(mia: RunningWorkspace) -> None:
    await mia.deliver(reported("conversation.updated", moved(None)))
    assert (await listed(mia))[0]["name"] == "Mia"


@pytest.mark.parametrize(
    ("words", "count"),
    [("5550000002", 1), ("us.77", 1), ("berg", 1), ("5550000001", 0), ("mia", 1)],
)
async def test_search_knows_the_present_addresses(
    mia: RunningWorkspace, words: str, count: int
) -> None:
    await mia.deliver(reported("conversation.updated", moved("Mia Berg", "US.77")))
    assert len(await listed(mia, f"q={words}")) == count


async def test_update_keeps_the_place_in_the_list(mia: RunningWorkspace) -> None:
    before = await listed(mia)
    await mia.deliver({**reported("conversation.updated", moved()), "time": samples.stamp(500)})
    after = await listed(mia)
    assert after[0]["active_at"] == before[0]["active_at"]
    assert after[0]["unread"] == before[0]["unread"]


async def test_update_reaches_an_open_page(mia: RunningWorkspace) -> None:
    revision = (await mia.get("api/conversations"))["revision"]
    await mia.deliver(reported("conversation.updated", moved()))
    assert (await listed(mia))[0]["revision"] > revision
    changed = await mia.get(f"api/conversations/conv_mia/lines?since={revision}")
    assert [line["text"] for line in changed["lines"]] == [MOVED]


async def test_update_of_an_unknown_conversation_lists_nothing(running: RunningWorkspace) -> None:
    await running.deliver(reported("conversation.updated", moved()))
    assert await listed(running) == []


async def test_platforms_notice_of_the_same_change_adds_no_line(mia: RunningWorkspace) -> None:
    notice = {"kind": "identity_changed", "text": "Mia changed her number", "details": {}}
    await mia.deliver(
        reported("conversation.updated", moved()),
        reported("conversation.notice", moved(), notice=notice),
    )
    assert await texts(mia) == ["hello", MOVED]


async def test_any_event_brings_the_address_up_to_date(mia: RunningWorkspace) -> None:
    where = samples.conversation(consumer=moved())
    await mia.deliver(samples.received("evt_2", samples.message(2, text="my new phone"), where))
    assert await texts(mia) == ["hello", MOVED, "my new phone"]


@pytest.mark.parametrize("aliases", [None, "US.77", {"a": 1}, [None, 7, {}]])
async def test_odd_aliases_break_nothing(mia: RunningWorkspace, aliases: Any) -> None:
    consumer = {"id": "4915550000001", "name": "Mia Berg", "aliases": aliases}
    await mia.deliver(reported("conversation.updated", consumer))
    assert (await listed(mia))[0]["name"] == "Mia Berg"


# how long replies are possible -------------------------------------------------------------------


async def reply_until(running: RunningWorkspace) -> int | None:
    found: int | None = (await listed(running))[0]["reply_until"]
    return found


async def test_end_of_the_reply_window_follows_the_events(mia: RunningWorkspace) -> None:
    assert await reply_until(mia) is None
    for until, shown in (
        ("2026-11-22T10:00:00.000Z", 1795341600000),
        ("2026-11-23T10:00:00Z", 1795428000000),
        (None, None),
        ("2026-11-23T10:00:00Z", 1795428000000),
        ("soon", None),
    ):
        await mia.deliver(reported("conversation.updated", conversation={"reply_until": until}))
        assert await reply_until(mia) == shown


async def test_event_without_a_window_keeps_the_known_one(mia: RunningWorkspace) -> None:
    until = {"reply_until": "2026-11-22T10:00:00Z"}
    await mia.deliver(reported("conversation.updated", conversation=until))
    await mia.deliver(reported("conversation.updated"))
    assert await reply_until(mia) == 1795341600000


# opting out --------------------------------------------------------------------------------------


async def opted_out(running: RunningWorkspace) -> bool:
    return bool((await listed(running))[0]["opted_out"])


def opted(out: bool, text: str | None = None) -> dict[str, Any]:
    notice = {"kind": "preferences", "text": text, "details": {"opted_out": out}}
    return reported("conversation.notice", notice=notice)


async def test_notices_set_and_clear_opting_out(mia: RunningWorkspace) -> None:
    await mia.deliver(opted(True))
    assert await opted_out(mia)
    await mia.deliver(samples.received("evt_2", samples.message(2, text="why?")))
    assert await opted_out(mia)
    mia.gateway.opted_out.add("conv_mia")
    await mia.open_conversation()
    assert await opted_out(mia)
    await mia.deliver(opted(False, "START"))
    assert not await opted_out(mia)
    assert await texts(mia) == ["hello", "The customer opted out of messages", "why?", "START"]


async def test_refused_reply_reveals_opting_out(mia: RunningWorkspace) -> None:
    await mia.open_conversation()
    problem = {"detail": "the consumer opted out of texts", "reason": "opted_out"}
    mia.gateway.refuse[GATEWAY_PATH] = 409, problem
    assert (await mia.try_post(PATH, {"text": "hi", "key": KEY}))[0] == 502
    assert await opted_out(mia)
    mia.gateway.refuse.clear()
    await mia.post(PATH, {"text": "hi", "key": KEY})
    assert not await opted_out(mia)


async def test_failed_text_reveals_opting_out(mia: RunningWorkspace) -> None:
    status: dict[str, Any] = {"message": {"id": "msg_x", "platform_id": "m"}, "status": "failed"}
    await mia.deliver(reported("message.status", **status, reason="undeliverable"))
    assert not await opted_out(mia)
    await mia.deliver(reported("message.status", **status, reason="opted_out"))
    assert await opted_out(mia)


@pytest.mark.parametrize("answer", [None, 404, 503])
async def test_opening_asks_whether_a_message_opted_in(
    mia: RunningWorkspace, answer: int | None
) -> None:
    """On some platforms, the next message of a consumer ends the opting out, without a notice."""
    await mia.deliver(opted(True))
    if answer is not None:
        mia.gateway.refuse["/v1/conversations/conv_mia"] = answer, {}
    opened = await mia.open_conversation()
    assert opened["conversation"]["opted_out"] is (answer is not None)
