"""Lists of media: those of a conversation, and those of all conversations, for agents and for supervisors."""

from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace

MEDIA = "api/conversations/conv_mia/media"


def with_file(number: int, attachment: dict[str, Any], name: str = "mia") -> Any:
    message = samples.message(
        number, id=f"msg_{name}_{number}", text=f"{name} {number}", attachments=[attachment]
    )
    who = samples.conversation(f"conv_{name}", consumer={"id": f"49{name}", "name": name.title()})
    return samples.received(f"evt_{name}_{number}", message, who)


@pytest.fixture
async def mixed(running: RunningWorkspace) -> RunningWorkspace:
    """Fifty files of all kinds in Mia's conversation, and what is not a file, and a photo of Tom's."""
    makers = (samples.photo, samples.video, samples.sound, samples.document, samples.text_document)
    for number in range(1, 51):
        await running.deliver(with_file(number, makers[number % 5](f"att_{number}")))
    card = samples.attachment("att_card", "contact", "ready", contacts=[{"name": "Ann"}])
    await running.deliver(
        with_file(51, card),
        with_file(52, samples.photo("att_bad", "rejected", reason="malware")),
        with_file(53, samples.photo("att_new", "pending")),
        with_file(1, samples.photo("att_tom"), "tom"),
    )
    await running.open_conversation()
    return running


def ids(page: Any) -> list[str]:
    return [item["attachment"]["id"].removeprefix("att_") for item in page["items"]]


async def test_gallery_has_all_media_in_order_and_loads_more(mixed: RunningWorkspace) -> None:
    page = await mixed.get(f"{MEDIA}?around=att_50")
    assert (ids(page)[0], ids(page)[-1], page["first"], page["total"]) == ("30", "50", 29, 50)
    earlier = await mixed.get(f"{MEDIA}?around=att_30")
    assert ids(earlier) == [str(number) for number in range(10, 50)]
    assert ids(await mixed.get(f"{MEDIA}?around=first"))[0] == "1"
    assert ids(await mixed.get(f"{MEDIA}?around=last"))[-1] == "50"
    assert await mixed.status(f"{MEDIA}?around=att_tom") == 404
    assert await mixed.status(f"{MEDIA}?around=att_bad") == 404


async def test_deleted_and_expired_media_leave_the_gallery(mixed: RunningWorkspace) -> None:
    where = samples.conversation(consumer={"id": "49mia", "name": "Mia"})
    gone = {"conversation": where, "message": {"id": "msg_mia_49", "platform_id": "x"}}
    expired = samples.sound("att_47", "failed", reason="expired")
    message = samples.message(47, id="msg_mia_47", attachments=[expired])
    await mixed.deliver(
        samples.event("evt_gone", "message.deleted", gone),
        samples.event("evt_old", "attachment.updated", {"conversation": where, "message": message}),
    )
    page = await mixed.get(f"{MEDIA}?around=att_50")
    assert ids(page)[-3:] == ["46", "48", "50"]
    assert page["total"] == 48
    for attachment, status in (("att_50", 204), ("att_47", 410), ("att_49", 404)):
        assert await mixed.status(f"attachments/{attachment}/shown") == status


async def test_gallery_is_only_for_assigned_agents(mixed: RunningWorkspace) -> None:
    await mixed.post("api/conversations/conv_mia/agents", {"do": "leave"})
    assert await mixed.status(f"{MEDIA}?around=att_50") == 403
    assert await mixed.status("attachments/att_50/shown") == 403


async def test_page_of_files_shows_agents_their_own_and_supervisors_that_others_exist(
    mixed: RunningWorkspace,
) -> None:
    await mixed.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
    page = await mixed.get("api/media")
    assert [item["attachment"]["visible"] for item in page["items"]] == [False] * 40
    assert all(item["text"] is None for item in page["items"])
    rest = await mixed.get(f"api/media?before={page['next']}")
    assert (len(rest["items"]), rest["next"]) == (11, None)
    assert ids(await mixed.get("api/media?conversation=conv_tom")) == ["tom"]
    sam = mixed.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        page = await sam.get("api/media?kind=audio")
        assert ids(page) == ["47", "42", "37", "32", "27", "22", "17", "12", "7", "2"]
        assert {item["customer"] for item in page["items"]} == {"Mia"}
        assert all(item["attachment"]["visible"] for item in page["items"])
        assert (await sam.get("api/media?conversation=conv_tom"))["items"] == []
        assert await sam.status("api/media?kind=contact") == 400
        assert await sam.status("api/media?before=1.2") == 400
