"""Messages that the business wrote elsewhere, with their photos and videos."""

import itertools
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace

_numbers = itertools.count()


def about_echo(type: str, **message: Any) -> dict[str, Any]:
    """An event about a message that was written in another app. Such a message has no sequence."""
    whole = samples.message(1, id="msg_echo", platform_id="m_echo", **message)
    del whole["sequence"]
    whole |= {"sender_app": "263902037430900", "sent_at": samples.stamp(5)}
    whole["received_at"] = samples.stamp(5)
    data = {"conversation": samples.conversation(), "message": whole}
    return samples.event(f"evt_e{next(_numbers)}", type, data)


def photo(state: str, **more: Any) -> dict[str, Any]:
    return {
        "text": "this one?",
        "transcript": "[photo message]",
        "attachments": [samples.photo(state=state, **more)],
    }


async def last(running: RunningWorkspace) -> Any:
    return (await running.open_conversation())["lines"][-1]


@pytest.fixture
async def mia(running: RunningWorkspace) -> RunningWorkspace:
    await running.deliver(samples.received("evt_1", samples.message()))
    return running


async def test_echoed_photo_is_shown_on_our_side(mia: RunningWorkspace) -> None:
    await mia.deliver(about_echo("message.echoed", **photo("ready")))
    line = await last(mia)
    assert (line["direction"], line["text"], line["status"]) == ("out", "this one?", None)
    (shown,) = line["attachments"]
    assert (shown["visible"], shown["renditions"]) == (True, ["preview", "thumbnail"])
    (entry,) = (await mia.get("api/conversations"))["conversations"]
    assert entry["last"] == {"from": "Us", "line": "[photo message] this one?"}
    assert entry["unread"] == 1


async def test_echoed_photo_becomes_ready_later(mia: RunningWorkspace) -> None:
    await mia.deliver(about_echo("message.echoed", **photo("pending")))
    assert (await last(mia))["attachments"][0]["words"] == "Downloading…"
    mia.gateway.add_media(
        "conv_mia", "att_photo", thumbnail=samples.jpeg(320, 320, (9, 9, 9)), preview=b"p"
    )
    await mia.deliver(about_echo("attachment.updated", **photo("ready")))
    line = await last(mia)
    assert (line["direction"], line["attachments"][0]["state"]) == ("out", "ready")
    assert await mia.status("attachments/att_photo/thumbnail") == 302


async def test_update_of_an_unknown_echo_adds_it_on_our_side(mia: RunningWorkspace) -> None:
    await mia.deliver(about_echo("attachment.updated", **photo("ready")))
    line = await last(mia)
    assert (line["direction"], line["author"], line["text"]) == (
        *("out", "263902037430900"),
        "this one?",
    )


async def test_echo_can_be_edited_and_deleted(mia: RunningWorkspace) -> None:
    await mia.deliver(about_echo("message.echoed", **photo("ready")))
    await mia.deliver(
        about_echo("message.edited", text="that one?", transcript="[photo message]", attachments=[])
    )
    line = await last(mia)
    assert (line["text"], line["edited"], len(line["attachments"])) == ("that one?", True, 1)
    await mia.deliver(about_echo("message.deleted"))
    line = await last(mia)
    assert (line["deleted"], line["text"], line["attachments"]) == (True, None, [])


async def test_deleted_message_gets_no_attachment_back(mia: RunningWorkspace) -> None:
    await mia.deliver(about_echo("message.echoed", **photo("ready")))
    await mia.deliver(about_echo("message.deleted"))
    gone = photo("failed", reason="gone", detail="deleted by the sender")
    await mia.deliver(about_echo("attachment.updated", **{**gone, "transcript": "", "text": None}))
    await mia.deliver(about_echo("message.edited", text="back"))
    line = await last(mia)
    assert (line["deleted"], line["text"], line["attachments"]) == (True, None, [])


@pytest.mark.parametrize("type", ["message.echoed", "message.received", "attachment.updated"])
async def test_message_deleted_before_its_event_shows_nothing(
    mia: RunningWorkspace, type: str
) -> None:
    gone = photo("failed", reason="gone") | {"text": None, "transcript": "", "deleted": True}
    event = about_echo(type, **gone)
    if type == "message.received":
        event["data"]["message"]["sequence"] = 2
    await mia.deliver(event)
    line = await last(mia)
    assert (line["deleted"], line["text"], line["attachments"]) == (True, None, [])
    (entry,) = (await mia.get("api/conversations"))["conversations"]
    assert entry["last"]["line"] == "This message was deleted"


async def test_update_that_says_deleted_deletes(mia: RunningWorkspace) -> None:
    await mia.deliver(about_echo("message.echoed", **photo("ready")))
    gone = photo("failed", reason="gone") | {"text": None, "transcript": "", "deleted": True}
    await mia.deliver(about_echo("attachment.updated", **gone))
    line = await last(mia)
    assert (line["deleted"], line["text"], line["attachments"]) == (True, None, [])


async def test_echo_of_an_agents_text_with_a_photo_is_one_line(mia: RunningWorkspace) -> None:
    await mia.open_conversation()
    event = about_echo("message.echoed", **photo("ready"))
    event["data"]["message"]["id"] = "msg_sent1"
    await mia.deliver(event)
    await mia.post("api/conversations/conv_mia/messages", {"text": "this one?", "key": "k" * 20})
    lines = (await mia.open_conversation())["lines"]
    assert [line["text"] for line in lines] == ["hello", "this one?"]
