"""Views of the list: what nobody has, who waits longest, channels, states, and what counts as one's own."""

from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace

SMS = {"connector": "sms", "platform": "twilio"}


@pytest.fixture
async def queue(running: RunningWorkspace) -> RunningWorkspace:
    """Ann wrote first, then Ben by SMS, then Cas. All of them wait."""
    for number, (name, more) in enumerate({"ann": {}, "ben": SMS, "cas": {}}.items(), 1):
        await running.deliver(written(name, 1, number, **more))
    return running


def written(name: str, sequence: int, minute: int, **more: Any) -> Any:
    at = samples.stamp(minute)
    who = samples.conversation(
        f"conv_{name}", consumer={"id": f"49{name}", "name": name.title()}, **more
    )
    message = samples.message(
        sequence, id=f"msg_{name}_{sequence}", text=f"{name} {sequence}", sent_at=at, received_at=at
    )
    return samples.received(f"evt_{name}_{sequence}", message, who)


async def listed(running: RunningWorkspace, query: str) -> list[str]:
    found = await running.get(f"api/conversations?{query}")
    return [entry["id"].removeprefix("conv_") for entry in found["conversations"]]


async def take(running: RunningWorkspace, name: str) -> None:
    await running.post(f"api/conversations/conv_{name}/agents", {"do": "take"})


async def answer(running: RunningWorkspace, name: str, key: str = "k") -> int:
    content = {"text": "an answer", "key": key * 20}
    status, _ = await running.try_post(f"api/conversations/conv_{name}/messages", content)
    return status


async def test_queue_begins_with_the_customer_who_waits_longest(queue: RunningWorkspace) -> None:
    await queue.deliver(written("ann", 2, 9))
    assert await listed(queue, "show=free&order=latest") == ["ann", "cas", "ben"]
    assert await listed(queue, "show=free&order=waiting") == ["ann", "ben", "cas"]
    await take(queue, "ann")
    assert await listed(queue, "show=free&order=waiting") == ["ben", "cas"]
    assert await listed(queue, "show=mine&order=waiting") == ["ann"]
    assert await answer(queue, "ann") == 202
    await queue.post("api/conversations/conv_ann/agents", {"do": "leave"})
    assert await listed(queue, "show=free&order=waiting") == ["ben", "cas", "ann"]
    assert await listed(queue, "show=free&state=waiting") == ["cas", "ben"]


async def test_failed_answer_does_not_end_the_wait(queue: RunningWorkspace) -> None:
    await take(queue, "ann")
    queue.gateway.refuse["/v1/conversations/conv_ann/messages"] = (422, {"detail": "no"})
    assert await answer(queue, "ann") == 502
    assert await listed(queue, "state=waiting&order=waiting") == ["ann", "ben", "cas"]
    assert await listed(queue, "state=failed") == ["ann"]
    queue.gateway.refuse.clear()
    assert await answer(queue, "ann") == 202
    assert await listed(queue, "state=waiting&order=waiting") == ["ben", "cas"]


async def test_closing_ends_the_wait_and_a_new_message_begins_another(
    queue: RunningWorkspace,
) -> None:
    await take(queue, "ann")
    await queue.post("api/conversations/conv_ann/agents", {"do": "close"})
    assert await listed(queue, "show=all&state=waiting") == ["cas", "ben"]
    await queue.deliver(written("ann", 2, 9))
    assert await listed(queue, "show=all&state=waiting&order=waiting") == ["ben", "cas", "ann"]


async def test_wait_ends_when_the_unanswered_message_is_deleted(queue: RunningWorkspace) -> None:
    where = samples.conversation("conv_ann", consumer={"id": "49ann", "name": "Ann"})
    gone = {"conversation": where, "message": {"id": "msg_ann_1", "platform_id": "x"}}
    await queue.deliver(samples.event("evt_gone", "message.deleted", gone))
    assert await listed(queue, "state=waiting") == ["cas", "ben"]


async def test_list_can_be_limited_to_a_channel(queue: RunningWorkspace) -> None:
    assert await listed(queue, "show=open&channel=sms") == ["ben"]
    assert await listed(queue, "show=open&channel=support-whatsapp") == ["cas", "ann"]
    assert await listed(queue, "show=open&channel=sms&q=1") == ["ben"]
    channels = (await queue.get("api/conversations"))["channels"]
    assert channels == ["sms", "support-whatsapp"]


@pytest.mark.parametrize("query", ["show=x", "state=x", "order=x", "before=x.y"])
async def test_unknown_view_is_a_bad_request(queue: RunningWorkspace, query: str) -> None:
    assert await queue.status(f"api/conversations?{query}") == 400


async def test_counts_are_of_own_unread_conversations_and_of_free_ones(
    queue: RunningWorkspace,
) -> None:
    async def counts() -> Any:
        return (await queue.get("api/conversations"))["counts"]

    assert await counts() == {"mine": 0, "free": 3}
    await take(queue, "ann")
    assert await counts() == {"mine": 1, "free": 2}
    sam = queue.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        assert (await sam.get("api/conversations"))["counts"] == {"mine": 0, "free": 2}
    await queue.post("api/conversations/conv_ann/read", {"sequence": 1, "revision": 99})
    assert await counts() == {"mine": 0, "free": 2}
    assert await listed(queue, "state=unread") == ["cas", "ben"]


@pytest.mark.parametrize("order", ["latest", "waiting"])
async def test_pages_of_the_list_continue_in_each_order(
    running: RunningWorkspace, order: str
) -> None:
    names = [f"c{number:03}" for number in range(130)]
    # Two and two at the same time, so that the id decides.
    await running.deliver(*(written(name, 1, place // 2) for place, name in enumerate(names)))
    found: list[str] = []
    before = ""
    place = {"latest": "active_at", "waiting": "queue_place"}[order]
    while True:
        address = f"api/conversations?show=free&order={order}&before={before}"
        page = (await running.get(address))["conversations"]
        if not page:
            break
        found += [entry["id"].removeprefix("conv_") for entry in page]
        before = f"{page[-1][place]}.{page[-1]['id']}"
    assert found == (names if order == "waiting" else names[::-1])


async def test_notice_does_not_hide_the_last_words(queue: RunningWorkspace) -> None:
    await take(queue, "ann")
    found = await queue.get("api/conversations?show=mine")
    assert found["conversations"][0]["last"]["line"] == "ann 1"
    where = samples.conversation("conv_new", consumer={"id": "4977", "name": "New"})
    opened = {"conversation": where, "notice": {"kind": "request_welcome"}}
    await queue.deliver(samples.event("evt_n", "conversation.notice", opened))
    (entry,) = (await queue.get("api/conversations?q=New"))["conversations"]
    assert entry["last"]["line"] == "The customer opened the chat"


async def test_merge_keeps_the_earliest_unanswered_message(queue: RunningWorkspace) -> None:
    where = samples.conversation("conv_cas", consumer={"id": "49cas", "name": "Cas"})
    merge = {"conversation": where, "merged": "conv_ann"}
    await queue.deliver(samples.event("evt_m", "conversation.merged", merge))
    assert await listed(queue, "show=free&order=waiting") == ["cas", "ben"]
