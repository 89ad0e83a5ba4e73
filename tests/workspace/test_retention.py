"""Retention of texts, names, event ids and the audit log."""

import asyncio
from functools import partial
from pathlib import Path

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace
from workspace.http.context import WORKSPACE
from workspace.store.database import Database
from workspace.store.retention import expire_audit_log, expire_events, expire_texts

LATER = 10**15


async def expire_everything(database: Database, before: int = LATER) -> None:
    while await database.write(partial(expire_texts, before=before)):
        pass


def database_of(running: RunningWorkspace) -> Database:
    """Return the workspace's database. The workspace is mounted in a main application."""
    (mounted,) = (
        resource for resource in running.server.app.router.resources() if hasattr(resource, "_app")
    )
    database: Database = mounted._app[WORKSPACE].database
    return database


async def test_expired_text_goes_and_its_photo_stays(running: RunningWorkspace) -> None:
    photo = samples.photo("att_p", name="IMG_1.JPG")
    await running.deliver(
        samples.received("evt_1", samples.message(1, text="my address is Example Street 1")),
        samples.received(
            "evt_2",
            samples.message(2, text="this one", transcript="[photo message]", attachments=[photo]),
        ),
    )
    await expire_everything(database_of(running))
    (line,) = (await running.open_conversation())["lines"]
    assert (line["text"], line["attachments"][0]["line"]) == (None, "[photo message]")
    assert line["attachments"][0]["name"] is None
    assert (await running.get("api/conversations?q=address"))["conversations"] == []
    assert b"Example Street" not in running.database.read_bytes()


async def test_empty_conversation_is_erased_with_its_name(
    running: RunningWorkspace,
) -> None:
    await running.deliver(samples.received("evt_1", samples.message(1, text="hello")))
    await running.open_conversation()
    await running.post("api/conversations/conv_mia/messages", {"text": "good day", "key": "k" * 20})
    await expire_everything(database_of(running))
    assert (await running.get("api/conversations"))["conversations"] == []
    # A late repeat of an expired message restores nothing. A new message starts a new conversation.
    await running.deliver(samples.received("evt_1", samples.message(1, text="hello")))
    assert (await running.get("api/conversations"))["conversations"] == []
    await running.deliver(samples.received("evt_9", samples.message(9, text="me again")))
    assert len((await running.get("api/conversations"))["conversations"]) == 1


async def test_line_expires_after_its_photo_at_the_gateway(
    running: RunningWorkspace,
) -> None:
    photo = samples.photo("att_p")
    message = samples.message(2, text=None, transcript="[photo message]", attachments=[photo])
    await running.deliver(samples.received("evt_2", message))
    await expire_everything(database_of(running))
    ended = {**message, "attachments": [samples.photo("att_p", "failed", reason="expired")]}
    data = {"conversation": samples.conversation(), "message": ended}
    await running.deliver(samples.event("evt_3", "attachment.updated", data))
    await expire_everything(database_of(running))
    assert (await running.get("api/conversations"))["conversations"] == []


async def test_merged_conversation_goes_with_the_one_that_stays(
    running: RunningWorkspace,
) -> None:
    old = {"sent_at": "2020-01-01T00:00:00Z", "received_at": "2020-01-01T00:00:00Z"}
    user = samples.conversation("conv_user", consumer={"id": "US.77", "name": "Zacharias"})
    message = samples.message(1, id="msg_u", text="from before", **old)
    await running.deliver(
        samples.received("evt_1", samples.message(1, text="hello")),
        samples.received("evt_2", message, user),
    )
    await running.post("api/conversations/conv_user/read", {"sequence": 1})
    data = {"conversation": samples.conversation(), "merged": "conv_user"}
    await running.deliver(samples.event("evt_3", "conversation.merged", data))
    # The row of the merged one still leads to the one that stays, and says what was read.
    await expire_everything(database_of(running), before=1_700_000_000_000)
    opened = await running.open_conversation("conv_user")
    assert (opened["conversation"]["id"], opened["conversation"]["unread"]) == ("conv_mia", 1)
    await expire_everything(database_of(running))
    rows = await database_of(running).read(
        lambda db: db.execute("SELECT id FROM conversations").fetchall()
    )
    assert rows == []
    assert b"Zacharias" not in running.database.read_bytes()


async def test_recent_text_is_kept(running: RunningWorkspace) -> None:
    await running.deliver(samples.received("evt_1", samples.message(1, text="hello")))
    await expire_everything(database_of(running), before=1)
    assert (await running.open_conversation())["lines"][0]["text"] == "hello"


async def test_running_workspace_expires_texts_automatically(tmp_path: Path) -> None:
    long_ago = "2020-01-01T00:00:00Z"
    old = samples.message(1, text="hello", sent_at=long_ago, received_at=long_ago)
    async with run_workspace(tmp_path) as first:
        await first.deliver(samples.received("evt_1", old))
        assert (await first.open_conversation())["lines"]
    async with run_workspace(tmp_path, text_retention=86_400) as running:
        async with asyncio.timeout(20):
            while (await running.get("api/conversations"))["conversations"]:
                await asyncio.sleep(0.02)


async def test_audit_entries_and_event_ids_expire(
    running: RunningWorkspace,
) -> None:
    await running.deliver(samples.received("evt_1", samples.message(1, text="hello")))
    await running.open_conversation()
    database = database_of(running)
    for early, kept in ((1, True), (LATER, False)):
        while await database.write(partial(expire_audit_log, before=early)):
            pass
        while await database.write(partial(expire_events, before=early)):
            pass
        assert bool((await running.get("api/audit"))["entries"]) is kept
        ids = await database.read(lambda db: db.execute("SELECT id FROM events").fetchall())
        assert bool(ids) is kept
    # The message is still there, and a repeat of its forgotten event does not add it twice.
    await running.deliver(samples.received("evt_1", samples.message(1, text="hello")))
    assert [line["text"] for line in (await running.open_conversation())["lines"]] == ["hello"]


async def test_audit_log_expires_even_if_texts_are_kept_forever(
    tmp_path: Path,
) -> None:
    async with run_workspace(tmp_path) as running:
        assert (await running.get("api/audit"))["entries"]
    async with run_workspace(
        tmp_path, demo=False, trail_retention=0.0, text_retention=None
    ) as running:
        async with asyncio.timeout(20):
            query = "SELECT count(*) FROM audit"
            while await database_of(running).read(lambda db: db.execute(query).fetchone()[0]):
                await asyncio.sleep(0.05)
