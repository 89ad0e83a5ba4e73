"""What an event says changes what is shown and decided later, in the same transaction."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import AgentText, Cause, Outcome
from gateway.journal.stores.journal import StoredJournal
from gateway.timestamps import rfc3339
from normalizer.events import (
    Attachment,
    Deletion,
    Echo,
    Edit,
    MediaRef,
    Notice,
    Receipt,
    Unknown,
)
from tests.gateway.engines import Engine
from tests.gateway.people import DAY_MS, about, events_of, message, tell, types_of

PHOTO = (Attachment("photo", MediaRef({"url": "https://media.example/1"})),)


@pytest.fixture
async def journal(engine: Engine, tmp_path: Path) -> AsyncIterator[StoredJournal]:
    opened = await engine.open(tmp_path)
    yield opened
    await opened.close()


async def the_conversation(journal: StoredJournal) -> Any:
    (found,) = await journal.conversations(limit=10)
    return found


async def shown(journal: StoredJournal, platform_id: str) -> Any:
    return await journal.message(journal.ids.message("desk", platform_id))


# the reply window --------------------------------------------------------------------------------


async def test_a_message_opens_the_window(journal: StoredJournal) -> None:
    (event,) = events_of(await tell(journal, message("1", "mia"), at=5_000))
    assert event["data"]["conversation"]["reply_until"] == "1970-01-02T00:00:05.000Z"
    assert (await the_conversation(journal))["reply_until"] == "1970-01-02T00:00:05.000Z"


async def test_a_platform_without_a_window_has_no_end(journal: StoredJournal) -> None:
    (event,) = events_of(await tell(journal, message("1", "mia"), window=None))
    assert event["data"]["conversation"]["reply_until"] is None


@pytest.mark.parametrize(
    ("event", "opens"),
    [
        (Notice(id="n", **about("mia"), kind="call", opens_window=True), True),
        (Notice(id="n", **about("mia"), kind="typing"), False),
        (Unknown(id="u", reason="new", raw={}, **about("mia"), opens_window=True), True),
        (Unknown(id="u", reason="damaged", raw={}, **about("mia")), False),
        (message("h", "mia", history=True), False),
        (Echo(id="e", **about("mia"), message_id="x", text="from the app"), False),
        (Receipt(id="r", **about("mia"), status="read", message_ids=("x",)), False),
    ],
)
async def test_only_what_the_platform_counts_opens_the_window(
    journal: StoredJournal, event: Any, opens: bool
) -> None:
    await tell(journal, message("1", "mia"), at=0)
    await tell(journal, event, at=DAY_MS)
    found = await the_conversation(journal)
    assert found["reply_until"] == rfc3339(DAY_MS * (2 if opens else 1))
    situation = await journal.situation(found["id"])
    assert situation is not None
    assert situation.opened_at == (DAY_MS if opens else 0)


# opting out --------------------------------------------------------------------------------------


def opted(out: bool, id: str) -> Notice:
    return Notice(id=id, **about("mia"), kind="opt_out", details={"opted_out": out})


async def test_opting_out_lasts_until_it_is_taken_back(journal: StoredJournal) -> None:
    reports: dict[str, Any] = {"reports_opt_in": True}
    await tell(journal, message("1", "mia"), opted(True, "stop"), message("2", "mia"), **reports)
    assert (await the_conversation(journal))["opted_out"] is True
    await tell(journal, opted(False, "start"), **reports)
    assert (await the_conversation(journal))["opted_out"] is False


async def test_a_message_opts_in_where_nothing_else_shows_it(journal: StoredJournal) -> None:
    await tell(journal, message("1", "mia"), opted(True, "stop"), message("2", "mia"))
    assert (await the_conversation(journal))["opted_out"] is False


@pytest.mark.parametrize("way", ["receipt", "refusal", "early receipt"])
async def test_a_refusal_for_opting_out_sets_the_state(journal: StoredJournal, way: str) -> None:
    await tell(journal, message("1", "mia"))
    conversation = (await the_conversation(journal))["id"]
    await journal.accept_text(AgentText("msg_a", conversation, "anna", "hi", ("hi",), None))
    (part,) = await journal.open_parts()
    await journal.trying(part.outgoing, part.position)
    refused = Receipt(
        id="r", **about("mia"), status="failed", message_ids=("p1",), reason="opted_out"
    )
    if way == "refusal":
        cause = Cause("opted_out", "21610", "Attempt to send to unsubscribed recipient")
        await journal.settle_part(part.outgoing, part.position, "failed", cause=cause)
    elif way == "early receipt":
        await tell(journal, refused)
        await journal.settle_part(part.outgoing, part.position, "sent", platform_id="p1")
    else:
        await journal.settle_part(part.outgoing, part.position, "sent", platform_id="p1")
        await tell(journal, refused)
    assert (await the_conversation(journal))["opted_out"] is True
    text = await journal.agent_text("msg_a")
    assert text is not None
    assert (text["status"], text["reason"]) == ("failed", "opted_out")


# the platform's code and words -------------------------------------------------------------------


async def test_a_failed_text_keeps_the_platforms_code_and_words(journal: StoredJournal) -> None:
    await tell(journal, message("1", "mia"))
    conversation = (await the_conversation(journal))["id"]
    await journal.accept_text(AgentText("msg_a", conversation, "anna", "hi", ("hi",), None))
    (part,) = await journal.open_parts()
    await journal.settle_part(part.outgoing, part.position, "sent", platform_id="p1")
    failed = Receipt(
        **{"id": "r", **about("mia"), "status": "failed", "message_ids": ("p1",)},
        reason="undeliverable",
        code="30005",
        detail="Unknown destination handset",
    )
    (event,) = events_of(await tell(journal, failed))
    said = {"reason": "undeliverable", "code": "30005", "detail": "Unknown destination handset"}
    assert {name: event["data"][name] for name in said} == said
    text = await journal.agent_text("msg_a")
    assert text is not None
    assert {name: text[name] for name in said} == said


async def test_a_refused_file_keeps_the_platforms_code_and_words(journal: StoredJournal) -> None:
    attachment = Attachment("photo", refused="gone", code="131052", detail="Media download error")
    (event,) = events_of(await tell(journal, message("1", "mia", attachments=(attachment,))))
    (view,) = event["data"]["message"]["attachments"]
    assert (view["reason"], view["code"], view["detail"]) == (
        *("gone", "131052"),
        "Media download error",
    )
    assert (await shown(journal, "1"))["attachments"] == [view]


# edits and deletions -----------------------------------------------------------------------------


async def test_an_edit_changes_what_is_shown_later(journal: StoredJournal) -> None:
    await tell(journal, message("1", "mia", text="tomorow"))
    await tell(journal, Edit(id="e", **about("mia"), target="1", text="tomorrow"))
    found = await shown(journal, "1")
    assert (found["text"], found["transcript"]) == ("tomorrow", "tomorrow")


async def test_an_update_after_an_edit_has_the_new_caption(journal: StoredJournal) -> None:
    recorded = await tell(journal, message("1", "mia", text="old", attachments=PHOTO))
    (job,), (entry,) = recorded.jobs, recorded.entries
    await journal.freeze(entry.conversation, entry.key)
    await tell(journal, Edit(id="e", **about("mia"), target="1", text="new"))
    seen: list[Any] = []
    journal.subscribe(seen.append)
    await journal.finish(job.message, job.position, Outcome("failed", "gone"))
    (event,) = [event for one in seen for event in events_of(one)]
    assert event["type"] == "attachment.updated"
    assert event["data"]["message"]["text"] == "new"
    assert event["data"]["message"]["transcript"] == "[photo message]"


async def test_a_caption_can_be_removed(journal: StoredJournal) -> None:
    attachment = Attachment("photo", refused="gone")
    await tell(journal, message("1", "mia", text="old", attachments=(attachment,)))
    (event,) = events_of(await tell(journal, Edit(id="e", **about("mia"), target="1", text=None)))
    assert event["data"]["message"]["transcript"] == "[photo message]"
    found = await shown(journal, "1")
    assert (found["text"], found["transcript"]) == (None, "[photo message]")


async def test_an_edit_while_a_message_is_held_shows_in_it(journal: StoredJournal) -> None:
    recorded = await tell(journal, message("1", "mia", text="old", attachments=PHOTO))
    (entry,) = recorded.entries
    await tell(journal, Edit(id="e", **about("mia"), target="1", text="new"))
    frozen = await journal.freeze(entry.conversation, entry.key)
    assert b'"text":"new"' in (frozen.body or b"")


async def test_an_edit_after_a_deletion_brings_nothing_back(journal: StoredJournal) -> None:
    await tell(journal, message("1", "mia"), Deletion(id="d", **about("mia"), target="1"))
    recorded = await tell(journal, Edit(id="e", **about("mia"), target="1", text="back"))
    assert types_of(recorded) == []
    found = await shown(journal, "1")
    assert (found["text"], found["deleted"]) == (None, True)


# echoes ------------------------------------------------------------------------------------------


def echo(id: str, **more: Any) -> Echo:
    more = {"text": f"echo {id}", **more}
    return Echo(id=f"echo:{id}", **about("mia"), message_id=id, **more)


async def test_an_echo_is_a_message_without_a_sequence(journal: StoredJournal) -> None:
    recorded = await tell(journal, message("1", "mia"), echo("x"), message("2", "mia"))
    first, echoed, second = events_of(recorded)
    assert [e["data"]["message"]["sequence"] for e in (first, second)] == [1, 2]
    assert echoed["type"] == "message.echoed"
    assert "sequence" not in echoed["data"]["message"]
    found = await shown(journal, "x")
    assert {**echoed["data"]["message"], "conversation": found["conversation"]} == found
    listed = await journal.messages(found["conversation"]["id"], 0, 10)
    assert [one["platform_id"] for one in listed or ()] == ["1", "2"]


async def test_an_echos_photo_is_fetched_like_any_other(journal: StoredJournal) -> None:
    recorded = await tell(journal, echo("x", text=None, attachments=PHOTO))
    (job,), (entry,) = recorded.jobs, recorded.entries
    assert entry.held
    seen: list[Any] = []
    journal.subscribe(seen.append)
    await journal.finish(job.message, job.position, Outcome("failed", "gone"))
    (frozen,) = seen[0].frozen
    assert b'"type":"message.echoed"' in frozen.body
    assert b'"state":"failed"' in frozen.body


async def test_an_echo_can_be_edited_and_deleted(journal: StoredJournal) -> None:
    await tell(journal, echo("x"), Edit(id="e", **about("mia"), target="x", text="better"))
    assert (await shown(journal, "x"))["text"] == "better"
    (event,) = events_of(await tell(journal, Deletion(id="d", **about("mia"), target="x")))
    assert event["data"]["message"]["id"] == journal.ids.message("desk", "x")
    assert (await shown(journal, "x"))["deleted"] is True


async def test_an_echo_without_content_says_so(journal: StoredJournal) -> None:
    (event,) = events_of(await tell(journal, echo("x", text=" ")))
    assert event["data"]["message"]["transcript"] == "[unsupported message]"


async def test_a_repeated_echo_is_announced_once(journal: StoredJournal) -> None:
    recorded = await tell(journal, echo("x"), echo("x"))
    assert types_of(recorded) == ["message.echoed"]
    assert recorded.duplicates == 1


async def in_flight(journal: StoredJournal, text: str) -> None:
    """Put an agent's text on its way to the platform, which has not answered yet."""
    await tell(journal, message("1", "mia"))
    conversation = (await the_conversation(journal))["id"]
    await journal.accept_text(AgentText("msg_a", conversation, "anna", text, (text,), None))
    (part,) = await journal.open_parts()
    await journal.trying(part.outgoing, part.position)


async def test_an_early_echo_without_a_key_is_the_text_on_its_way(journal: StoredJournal) -> None:
    await in_flight(journal, "hello")
    (event,) = events_of(await tell(journal, echo("x", text="hello")))
    assert (event["type"], event["data"]["status"]) == ("message.status", "sent")
    assert event["data"]["message"]["platform_id"] == "x"
    assert types_of(await tell(journal, echo("x", text="hello"))) == []


@pytest.mark.parametrize("more", [{"text": "hello!"}, {"text": "hello", "key": "another-0"}])
async def test_an_echo_of_something_else_leaves_the_text_on_its_way(
    journal: StoredJournal, more: dict[str, Any]
) -> None:
    await in_flight(journal, "hello")
    assert types_of(await tell(journal, echo("x", **more))) == ["message.echoed"]


async def test_an_echo_to_somebody_else_leaves_the_text_on_its_way(journal: StoredJournal) -> None:
    await in_flight(journal, "hello")
    other = Echo(id="echo:x", **about("ben"), message_id="x", text="hello")
    assert types_of(await tell(journal, other)) == ["message.echoed"]


async def test_the_same_words_written_later_are_an_echo(journal: StoredJournal) -> None:
    await in_flight(journal, "hello")
    await tell(journal, echo("x", text="hello"))
    assert types_of(await tell(journal, echo("y", text="hello"))) == ["message.echoed"]


# repeats, quotes and empty words -----------------------------------------------------------------


async def test_an_act_under_two_ids_is_one_message(journal: StoredJournal) -> None:
    first = message("1", "mia", repeat_key="session-7")
    recorded = await tell(journal, first, message("2", "mia", repeat_key="session-7"), first)
    assert types_of(recorded) == ["message.received"]
    assert recorded.duplicates == 2


async def test_the_same_choice_made_again_later_is_another_message(journal: StoredJournal) -> None:
    await tell(journal, message("1", "mia", repeat_key="session-7"), at=0)
    again = message("2", "mia", repeat_key="session-7")
    assert types_of(await tell(journal, again, at=11_000)) == ["message.received"]


async def test_a_quote_of_any_part_names_the_agents_text(journal: StoredJournal) -> None:
    await tell(journal, message("1", "mia"))
    conversation = (await the_conversation(journal))["id"]
    await journal.accept_text(AgentText("msg_a", conversation, "anna", "a b", ("a", "b"), None))
    for part in await journal.open_parts():
        await journal.settle_part(
            part.outgoing, part.position, "sent", platform_id=f"p{part.position}"
        )
    answers = (
        message("2", "mia", reply_to="p1"),
        message("3", "mia", reply_to="1"),
        message("4", "mia", reply_to="unknown"),
    )
    quoted = [
        event["data"]["message"]["reply_to_id"]
        for event in events_of(await tell(journal, *answers))
    ]
    assert quoted == ["msg_a", journal.ids.message("desk", "1"), None]


@pytest.mark.parametrize("text", [None, "", " \n"])
async def test_a_message_without_words_says_so(journal: StoredJournal, text: str | None) -> None:
    (event,) = events_of(await tell(journal, message("1", "mia", text=text)))
    found = event["data"]["message"]
    assert (found["text"], found["transcript"]) == (None, "[unsupported message]")
    assert [one["kind"] for one in found["attachments"]] == ["unsupported"]


async def test_history_is_marked_and_data_passed_on(journal: StoredJournal) -> None:
    old = message("1", "mia", history=True, extra={"order": {"items": 2}})
    (event,) = events_of(await tell(journal, old))
    assert event["data"]["message"]["history"] is True
    assert event["data"]["message"]["extra"] == {"order": {"items": 2}}


@pytest.mark.parametrize("kind", ["message", "echo"])
async def test_an_old_file_takes_the_place_of_its_placeholder(
    journal: StoredJournal, kind: str
) -> None:
    def old(text: str | None, *attachments: Attachment) -> Any:
        more: dict[str, Any] = {"text": text, "attachments": attachments, "history": True}
        return message("1", "mia", **more) if kind == "message" else echo("1", **more)

    await tell(journal, old(None, Attachment("unsupported")))
    recorded = await tell(journal, old("a caption", *PHOTO))
    assert types_of(recorded) == []
    (job,) = recorded.jobs
    seen: list[Any] = []
    journal.subscribe(seen.append)
    await journal.finish(job.message, job.position, Outcome("failed", "gone"))
    (event,) = [event for one in seen for event in events_of(one)]
    assert event["type"] == "attachment.updated"
    found = await shown(journal, "1")
    assert (found["text"], found["transcript"]) == ("a caption", "[photo message]")
    assert await tell(journal, old("a caption", *PHOTO)) == await tell(journal, old(None))
