"""The effect of each event type on the page."""

from contextlib import closing
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace
from workspace.text.wording import PLACEHOLDERS


def event_data(**more: Any) -> dict[str, Any]:
    return {"conversation": samples.conversation(), **more}


async def lines(running: RunningWorkspace, conversation: str = "conv_mia") -> list[Any]:
    found: list[Any] = (await running.open_conversation(conversation))["lines"]
    return found


async def received(running: RunningWorkspace, sequence: int = 1, **message: Any) -> None:
    sent = samples.received(f"evt_r{sequence}", samples.message(sequence, **message))
    await running.deliver(sent)


async def test_photo_and_caption_share_a_line_with_the_placeholder(
    running: RunningWorkspace,
) -> None:
    await received(
        running,
        text="it leaks here",
        transcript="[photo message]",
        attachments=[samples.photo(name="IMG_1.JPG")],
    )
    (line,) = await lines(running)
    (shown,) = line["attachments"]
    assert line["text"] == "it leaks here"
    assert shown["line"] == "[photo message]"
    assert shown["renditions"] == ["preview", "thumbnail"]
    (listed,) = (await running.get("api/conversations"))["conversations"]
    assert listed["last"]["line"] == "[photo message] it leaks here"


@pytest.mark.parametrize(("kind", "line"), PLACEHOLDERS.items())
async def test_every_kind_has_a_placeholder(
    running: RunningWorkspace, kind: str, line: str
) -> None:
    refused = samples.attachment("att_1", kind, "rejected", reason="unsupported_type")
    await received(running, text=None, transcript=line, attachments=[refused])
    assert (await lines(running))[0]["attachments"][0]["line"] == line
    (listed,) = (await running.get("api/conversations"))["conversations"]
    assert listed["last"]["line"] == line


async def test_video_has_a_length_and_a_size(running: RunningWorkspace) -> None:
    await received(running, transcript="[video message]", attachments=[samples.video()])
    (shown,) = (await lines(running))[0]["attachments"]
    assert (shown["length"], shown["size"]) == ("0:12", "243 kB")


async def test_attachment_update_replaces_only_the_state(running: RunningWorkspace) -> None:
    pending = [samples.photo("att_1", "pending"), samples.video("att_2", "pending")]
    both = "[photo message]\n[video message]"
    await received(running, text="look", transcript=both, attachments=pending)
    assert [a["words"] for a in (await lines(running))[0]["attachments"]] == ["Downloading…"] * 2
    message = samples.message(1, text="look", transcript=both, attachments=[samples.video("att_2")])
    await running.deliver(samples.event("evt_u", "attachment.updated", event_data(message=message)))
    (line,) = await lines(running)
    assert [(a["id"], a["state"]) for a in line["attachments"]] == [
        ("att_1", "pending"),
        ("att_2", "ready"),
    ]
    assert line["text"] == "look"


async def test_attachment_update_with_another_kind_changes_its_line(
    running: RunningWorkspace,
) -> None:
    pending = [samples.attachment("att_1", "document", "pending")]
    await received(running, text="see", transcript="[document]", attachments=pending)
    assert (await lines(running))[0]["attachments"][0]["line"] == "[document]"
    message = samples.message(
        1, text="see", transcript="[photo message]", attachments=[samples.photo("att_1")]
    )
    await running.deliver(samples.event("evt_u", "attachment.updated", event_data(message=message)))
    (shown,) = (await lines(running))[0]["attachments"]
    assert (shown["kind"], shown["line"]) == ("photo", "[photo message]")
    (listed,) = (await running.get("api/conversations"))["conversations"]
    assert listed["last"]["line"] == "[photo message] see"


async def test_attachment_update_for_an_unknown_message_adds_it(
    running: RunningWorkspace,
) -> None:
    message = samples.message(
        7, text="hi", transcript="[photo message]", attachments=[samples.photo()]
    )
    await running.deliver(samples.event("evt_u", "attachment.updated", event_data(message=message)))
    assert [line["text"] for line in await lines(running)] == ["hi"]


async def test_edited_message_shows_new_text_and_is_marked(running: RunningWorkspace) -> None:
    await received(running, text="tomorow")
    edit = {"id": "msg_1", "platform_id": "x", "text": "tomorrow", "transcript": "tomorrow"}
    await running.deliver(samples.event("evt_e", "message.edited", event_data(message=edit)))
    (line,) = await lines(running)
    assert (line["text"], line["edited"]) == ("tomorrow", True)


async def test_deleted_message_leaves_no_text(running: RunningWorkspace) -> None:
    await received(running, text="my card number", attachments=[samples.photo()])
    gone = {"id": "msg_1", "platform_id": "x"}
    await running.deliver(samples.event("evt_d", "message.deleted", event_data(message=gone)))
    (line,) = await lines(running)
    assert line["deleted"]
    assert (line["text"], line["attachments"]) == (None, [])
    assert (await running.get("api/conversations?q=card"))["conversations"] == []
    assert b"my card number" not in _everything(running)


def _everything(running: RunningWorkspace) -> bytes:
    """Return the tables that hold messages, as text. SQLite's free pages are not part of this test."""
    import sqlite3

    with closing(sqlite3.connect(running.database)) as db:
        rows = [db.execute(f"SELECT * FROM {name}").fetchall() for name in _TABLES]
    return repr(rows).encode()


_TABLES = ("messages", "attachments", "events", "words")


async def test_reaction_is_set_replaced_and_removed(running: RunningWorkspace) -> None:
    await received(running)
    target = {"id": "msg_1", "platform_id": "x"}
    for number, (emoji, shown) in enumerate([("👍", ["👍"]), ("❤️", ["❤️"]), (None, [])]):
        data = event_data(message=target, emoji=emoji)
        await running.deliver(samples.event(f"evt_x{number}", "reaction.changed", data))
        assert (await lines(running))[0]["reactions"] == shown


async def test_consumer_closes_conversation_and_next_message_reopens_it(
    running: RunningWorkspace,
) -> None:
    await received(running)
    await running.deliver(samples.event("evt_c", "conversation.closed", event_data()))
    (listed,) = (await running.get("api/conversations?show=closed"))["conversations"]
    assert (listed["last"]["line"], listed["open"]) == ("hello", False)
    await received(running, 2, text="one more thing")
    assert (await running.get("api/conversations?show=closed"))["conversations"] == []


async def test_notices_are_in_the_transcript_but_typing_is_not(
    running: RunningWorkspace,
) -> None:
    await received(running)
    typing = event_data(notice={"kind": "typing_start", "text": None, "details": None})
    moved = event_data(notice={"kind": "user_changed_number", "text": "Ann moved", "details": {}})
    strange = event_data(notice={"kind": "order_shipped", "text": None, "details": {}})
    for number, data in enumerate([typing, moved, strange]):
        await running.deliver(samples.event(f"evt_n{number}", "conversation.notice", data))
    assert [line["text"] for line in (await lines(running))[1:]] == [
        "The customer changed their phone number",
        "Message from the platform: order shipped",
    ]


async def test_unrecognised_event_adds_a_line_to_its_conversation(
    running: RunningWorkspace,
) -> None:
    await running.deliver(
        samples.event("evt_1", "event.unrecognised", event_data(reason="new type", raw={"x": 1}))
    )
    assert "could not be read" in (await lines(running))[0]["text"]


async def test_echo_from_another_app_is_an_outgoing_message(
    running: RunningWorkspace,
) -> None:
    await received(running)
    echo = {
        "platform_id": "m_9",
        "text": "We are looking",
        "transcript": "We are looking",
        "reply_to": None,
        "sender_app": "263902037430900",
    }
    await running.deliver(samples.event("evt_o", "message.echoed", event_data(message=echo)))
    line = (await lines(running))[-1]
    assert (line["direction"], line["text"]) == ("out", "We are looking")
    status = event_data(message={"id": None, "platform_id": "m_9"}, status="delivered", reason=None)
    await running.deliver(samples.event("evt_s", "message.status", status))
    assert (await lines(running))[-1]["status"] == "delivered"


async def test_reply_shows_the_message_it_quotes(running: RunningWorkspace) -> None:
    await received(running, text="which one?")
    await received(running, 2, text="the blue one", reply_to="wamid.1")
    await received(running, 3, text="or that", reply_to="wamid.unknown")
    quotes = [line["reply_to"] for line in await lines(running)]
    assert quotes[1] == {"id": "msg_1", "position": 1, "line": "which one?"}
    assert quotes[2] == {"id": None, "position": None, "line": "an earlier message"}


async def test_optional_parts_are_shown_if_present(running: RunningWorkspace) -> None:
    place = {"latitude": 52.52, "longitude": 13.4, "name": "Shop", "address": "Example St 1"}
    card = {
        "name": {"formatted_name": "Sam"},
        "phones": [{"phone": "+1 555", "type": "CELL"}],
        "emails": [],
    }
    await received(
        running,
        text="Size M",
        choice="size-m",
        forwarded=True,
        referral={"source": "ad"},
        transcript="[location]\n[contact]",
        attachments=[
            samples.attachment("att_l", "location", "ready", location=place),
            samples.attachment("att_c", "contact", "ready", contacts=[card, "odd", {}]),
        ],
    )
    (line,) = await lines(running)
    assert (line["choice"], line["forwarded"]) == ("size-m", True)
    assert line["attachments"][0]["location"]["name"] == "Shop"
    phone = {"label": "Phone (cell)", "value": "+1 555", "copy": True}
    assert line["attachments"][1]["contacts"][0] == {"name": "Sam", "fields": [phone]}


async def test_missing_name_does_not_replace_a_known_one(
    running: RunningWorkspace,
) -> None:
    nameless: dict[str, Any] = {"consumer": {"id": "4915550000001", "name": None}}
    for number, who in enumerate([nameless, {}, nameless]):
        message = samples.message(number + 1)
        await running.deliver(
            samples.received(f"evt_{number}", message, samples.conversation(**who))
        )
    (listed,) = (await running.get("api/conversations"))["conversations"]
    assert (listed["name"], listed["consumer"]) == ("Mia", "+4915550000001")


async def test_control_characters_are_removed_from_names_and_texts(
    running: RunningWorkspace,
) -> None:
    await running.deliver(
        samples.received(
            "evt_1",
            samples.message(
                text="a\u202eb\u0000c\r\nשלום\u200f!",
                transcript="[photo message]",
                attachments=[samples.photo(name="\u202egpj.exe\n.jpg")],
            ),
            samples.conversation(consumer={"id": "1", "name": "Ann\u202e\u2066\n\tnnA"}),
        )
    )
    opened = await running.open_conversation()
    assert opened["conversation"]["name"] == "Ann nnA"
    assert opened["lines"][0]["text"] == "abc\nשלום\u200f!"
    assert opened["lines"][0]["attachments"][0]["name"] == "gpj.exe .jpg"


async def test_unknown_conversation_is_not_found(running: RunningWorkspace) -> None:
    status, answer = await running.try_post("api/conversations/conv_none/opened")
    assert (status, answer["error"]) == (404, "This could not be found. It may have been erased.")


async def test_pages_of_lines_have_no_gaps_and_no_overlap(
    running: RunningWorkspace,
) -> None:
    for sequence in range(1, 151):
        await received(running, sequence, text=f"line {sequence}")
    found = await lines(running)
    while len(page := await _before(running, found[0])):
        found = page + found
    assert [line["sequence"] for line in found] == list(range(1, 151))


async def _before(running: RunningWorkspace, line: Any) -> list[Any]:
    cursor = f"{line['placed_at']}.{line['sequence']}.{line['position']}"
    answer = await running.get(f"api/conversations/conv_mia/lines?before={cursor}")
    found: list[Any] = answer["lines"]
    return found


async def test_list_is_paged_latest_first(running: RunningWorkspace) -> None:
    for number in range(1, 71):
        who = samples.conversation(f"conv_{number}", consumer={"id": str(number), "name": None})
        message = {**samples.message(number), "id": f"msg_{number}"}
        await running.deliver(samples.received(f"evt_{number}", message, who))
    first = (await running.get("api/conversations"))["conversations"]
    last = first[-1]
    rest = await running.get(f"api/conversations?before={last['active_at']}.{last['id']}")
    ids = [entry["id"] for entry in first + rest["conversations"]]
    assert ids == [f"conv_{number}" for number in range(70, 0, -1)]


async def test_unread_count_falls_as_messages_are_read(running: RunningWorkspace) -> None:
    for sequence in (1, 2, 3):
        await received(running, sequence)

    async def unread() -> int:
        (listed,) = (await running.get("api/conversations"))["conversations"]
        return int(listed["unread"])

    assert await unread() == 3
    await running.post("api/conversations/conv_mia/read", {"sequence": 2})
    assert await unread() == 1
    await running.post("api/conversations/conv_mia/read", {"sequence": 1})
    assert await unread() == 1
    await running.post("api/conversations/conv_mia/read", {"sequence": 999})
    assert await unread() == 0
    await received(running, 4)
    assert await unread() == 1
