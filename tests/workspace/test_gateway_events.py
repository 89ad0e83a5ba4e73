"""The workspace and the gateway's own events: what the journal announces is what agents see."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.sqlite.journal import SqliteJournal
from normalizer.events import Deletion, Echo, Edit, Identity, Notice
from tests.gateway.people import DAY_MS, about, events_of, message, tell
from tests.workspace.running import RunningWorkspace

START = 1_795_341_600_000


class Desk:
    """A journal whose events go to a workspace, in the order in which lanes send them."""

    def __init__(self, journal: SqliteJournal, running: RunningWorkspace) -> None:
        self.journal, self.running = journal, running
        self.minutes = 0

    async def tell(self, *events: Any, **more: Any) -> None:
        self.minutes += 1
        recorded = await tell(self.journal, *events, at=START + self.minutes * 60_000, **more)
        await self.running.deliver(*events_of(recorded))

    async def listed(self) -> Any:
        return (await self.running.get("api/conversations"))["conversations"]

    async def shown(self, id: str) -> list[tuple[str, str | None]]:
        opened = await self.running.open_conversation(id)
        return [(line["direction"], line["text"]) for line in opened["lines"]]


@pytest.fixture
async def desk(running: RunningWorkspace, tmp_path: Path) -> AsyncIterator[Desk]:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    yield Desk(journal, running)
    await journal.close()


async def test_number_and_user_id_become_one_conversation(desk: Desk) -> None:
    await desk.tell(message("1", "4915", name="Mia"))
    await desk.tell(message("2", "US.1"))
    await desk.tell(message("3", "4915"))
    await desk.tell(message("4", "4915", "US.1"))
    (entry,) = await desk.listed()
    assert (entry["name"], entry["consumer"], entry["unread"]) == ("Mia", "4915", 4)
    shown = await desk.shown(entry["id"])
    texts = [text for direction, text in shown if direction == "in"]
    assert texts == ["text of 1", "text of 2", "text of 3", "text of 4"]
    assert [direction for direction, _ in shown].count("notice") == 1
    (found,) = await desk.journal.conversations(limit=10)
    assert entry["reply_until"] == START + 4 * 60_000 + DAY_MS
    assert found["id"] == entry["id"]


async def test_changed_number_is_followed(desk: Desk) -> None:
    await desk.tell(message("1", "4915"))
    identity = Identity(id="moved", **about("4916"), former=("4915",), text="has a new number")
    await desk.tell(identity)
    await desk.tell(message("2", "4916"))
    (entry,) = await desk.listed()
    assert (entry["consumer"], entry["unread"]) == ("4916", 2)
    assert [direction for direction, _ in await desk.shown(entry["id"])] == ["in", "notice", "in"]


async def test_erased_and_merged_people_can_write_again(desk: Desk) -> None:
    await desk.tell(message("1", "4915"), message("2", "US.1"))
    await desk.tell(message("3", "4915", "US.1"))
    (entry,) = await desk.listed()
    await desk.running.post(f"api/conversations/{entry['id']}/erase")
    assert await desk.journal.erase(entry["id"])
    await desk.tell(message("4", "US.1"))
    (entry,) = await desk.listed()
    assert await desk.shown(entry["id"]) == [("in", "text of 4")]


async def test_echoes_edits_deletions_and_history_are_shown(desk: Desk) -> None:
    await desk.tell(message("1", "mia"))
    echo = Echo(id="e1", **about("mia"), message_id="x1", text="helo")
    other = replace(echo, id="e2", message_id="x2", text="wrong one")
    await desk.tell(echo, other)
    await desk.tell(
        Edit(id="ed", **about("mia"), target="x1", text="hello"),
        Deletion(id="de", **about("mia"), target="x2"),
        message("h", "mia", history=True, extra={"order": {"items": 2}}),
    )
    await desk.tell(message("2", "mia", reply_to="x1"))
    (entry,) = await desk.listed()
    lines = (await desk.running.open_conversation(entry["id"]))["lines"]
    found = [(line["direction"], line["text"], line["deleted"], line["history"]) for line in lines]
    assert sorted(found, key=str) == [
        ("in", "text of 1", False, False),
        ("in", "text of 2", False, False),
        ("in", "text of h", False, True),
        ("out", "hello", False, False),
        ("out", None, True, False),
    ]
    assert entry["unread"] == 2
    assert lines[-1]["reply_to"]["line"] == "hello"


async def test_opting_out_and_in_is_shown(desk: Desk) -> None:
    await desk.tell(message("1", "mia"))
    for out in (True, False):
        notice = Notice(
            id=f"n{out}", **about("mia"), kind="preferences", details={"opted_out": out}
        )
        await desk.tell(notice)
        assert (await desk.listed())[0]["opted_out"] is out
