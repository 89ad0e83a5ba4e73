"""Old messages that a platform delivers afterwards, quotes, and parts of messages that the workspace does not know."""

from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace


async def receive(running: RunningWorkspace, sequence: int, **message: Any) -> None:
    event = samples.received(f"evt_{sequence}", samples.message(sequence, **message))
    await running.deliver(event)


async def receive_old(running: RunningWorkspace, sequence: int, day: int, **more: Any) -> None:
    at = {"sent_at": f"2026-10-{day:02}T09:00:00Z", "received_at": samples.stamp(sequence)}
    await receive(running, sequence, history=True, text=f"day {day}", **at, **more)


async def lines(running: RunningWorkspace) -> list[Any]:
    found: list[Any] = (await running.open_conversation())["lines"]
    return found


async def entry(running: RunningWorkspace, query: str = "") -> Any:
    (found,) = (await running.get(f"api/conversations?{query}"))["conversations"]
    return found


async def test_older_messages_are_marked_and_in_their_place(running: RunningWorkspace) -> None:
    await receive(running, 1, text="today")
    await receive_old(running, 2, 7)
    await receive_old(running, 3, 5)
    await receive(running, 4, text="and now")
    found = [(line["text"], line["history"]) for line in await lines(running)]
    assert found == [("day 5", True), ("day 7", True), ("today", False), ("and now", False)]


async def test_older_messages_do_not_count_as_unread(running: RunningWorkspace) -> None:
    await receive(running, 1, text="today")
    await running.post("api/conversations/conv_mia/read", {"sequence": 1})
    before = await entry(running)
    await receive_old(running, 2, 7)
    after = await entry(running)
    assert (after["unread"], after["active_at"], after["last"]) == (
        *(0, before["active_at"]),
        before["last"],
    )
    await receive(running, 3, text="and now")
    assert (await entry(running))["unread"] == 1
    assert [line["unread"] for line in await lines(running)] == [False, False, True]


async def test_older_message_does_not_open_a_closed_conversation(
    running: RunningWorkspace,
) -> None:
    await receive(running, 1)
    await running.open_conversation()
    await running.post("api/conversations/conv_mia/agents", {"do": "close"})
    await receive_old(running, 2, 7)
    assert not (await entry(running))["open"]


async def test_conversation_of_older_messages_is_as_old_as_they(
    running: RunningWorkspace,
) -> None:
    await receive_old(running, 1, 7)
    await receive_old(running, 2, 5)
    found = await entry(running)
    assert (found["active_at"], found["last"]["line"]) == (1791363600000, "day 7")


async def test_older_echo_stays_in_its_place(running: RunningWorkspace) -> None:
    await receive(running, 1, text="today")
    before = await entry(running)
    echo = samples.message(1, id="msg_e", text="we said", history=True)
    echo |= {"sent_at": "2026-10-06T09:00:00Z", "received_at": samples.stamp(9)}
    del echo["sequence"]
    data = {"conversation": samples.conversation(), "message": echo}
    await running.deliver(samples.event("evt_o", "message.echoed", data))
    assert [(line["text"], line["history"]) for line in await lines(running)] == [
        ("we said", True),
        ("today", False),
    ]
    assert (await entry(running))["active_at"] == before["active_at"]


async def test_no_read_receipt_for_an_older_message(running: RunningWorkspace) -> None:
    await receive_old(running, 1, 7)
    await running.open_conversation()
    await running.post("api/conversations/conv_mia/read", {"sequence": 1})
    assert [path for _, path, _ in running.gateway.calls if path.endswith("/read")] == []


async def test_older_messages_are_found(running: RunningWorkspace) -> None:
    await receive(running, 1, text="today")
    await receive_old(running, 2, 7)
    assert (await entry(running, "q=day"))["last"]["line"] == "day 7"


# quotes ------------------------------------------------------------------------------------------


async def test_quote_is_found_by_the_gateways_id(running: RunningWorkspace) -> None:
    await receive(running, 1, text="which one?")
    await receive(running, 2, reply_to="wamid.of-another-part", reply_to_id="msg_1")
    await receive(running, 3, reply_to="wamid.1", reply_to_id="msg_unknown")
    await receive(running, 4, reply_to="wamid.unknown", reply_to_id=None)
    quotes = [line["reply_to"] for line in await lines(running)]
    assert [quote and quote["line"] for quote in quotes] == [
        *(None, "which one?", "which one?"),
        "an earlier message",
    ]


async def test_quote_of_a_deleted_message_says_so(running: RunningWorkspace) -> None:
    await receive(running, 1, text="my card number")
    await receive(running, 2, reply_to="wamid.1", reply_to_id="msg_1")
    gone = {"id": "msg_1", "platform_id": "wamid.1"}
    data = {"conversation": samples.conversation(), "message": gone}
    await running.deliver(samples.event("evt_d", "message.deleted", data))
    assert (await lines(running))[1]["reply_to"]["line"] == "a deleted message"


# unknown parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    [
        {"order": {"items": [{"id": "sku-1", "quantity": 2}]}},
        {"form": {"name": "Mia", "nested": {"deep": [1, None, {"x": "y"}]}}},
        {"order": None},
        {},
        None,
        [],
        "text",
    ],
)
async def test_extra_data_breaks_nothing(running: RunningWorkspace, extra: Any) -> None:
    await receive(running, 1, text="2 × Teapot", extra=extra, history=None, something_new={"a": 1})
    (line,) = await lines(running)
    assert (line["text"], line["history"], line["unread"]) == ("2 × Teapot", False, True)
